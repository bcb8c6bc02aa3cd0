#pragma once

#include <sys/types.h>

#include <cstdint>

#include "agentos/base/fd.hpp"
#include "agentos/base/result.hpp"

namespace agentos::container {

// One line of a uid_map or gid_map: `count` ids from `inside` are `outside` on the host.
struct IdRange {
  std::uint32_t inside{}, outside{}, count{};
};

// Writes the maps of a child that was cloned with CLONE_NEWUSER. The pid is safe to use: it is our child and not yet
// reaped.
[[nodiscard]] Result<> write_id_maps(pid_t pid, IdRange uids, IdRange gids);

// A detached mount of `directory` in which what belongs to disk_uid and disk_gid on disk belongs to host_uid and
// host_gid, and nothing else can be written. nosuid, nodev (mount_setattr(2), Linux 5.12).
[[nodiscard]] Result<UniqueFd> id_mapped_mount(int directory, uid_t disk_uid, gid_t disk_gid, uid_t host_uid,
                                               gid_t host_gid);

}  // namespace agentos::container
