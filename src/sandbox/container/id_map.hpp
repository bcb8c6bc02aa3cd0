#pragma once

#include <sys/types.h>

#include <cstdint>
#include <span>
#include <string>

#include "agentos/base/fd.hpp"
#include "agentos/base/result.hpp"

namespace agentos::container {

// One line of a uid_map or gid_map: `count` ids from `inside` are `outside` on the host.
struct IdRange {
  std::uint32_t inside{}, outside{}, count{};
};

// Writes the maps of a child that was cloned with CLONE_NEWUSER. The pid is safe to use: it is our child and not yet
// reaped.
[[nodiscard]] Result<> write_id_maps(pid_t pid, std::span<const IdRange> uids, std::span<const IdRange> gids);

// A user namespace that nothing runs in, to map the owners of mounts with: `inside` are ids on disk. Kept alive by the
// descriptor alone.
[[nodiscard]] Result<UniqueFd> create_mapping(std::span<const IdRange> uids, std::span<const IdRange> gids);

// A detached mount of `directory`, or of a file, in which owners are mapped, and what belongs to any other cannot be
// written. nosuid, nodev (mount_setattr(2), Linux 5.12). `what` is for messages.
[[nodiscard]] Result<UniqueFd> id_mapped_mount(int directory, const UniqueFd& mapping,
                                               const std::string& what = "the workspace");

}  // namespace agentos::container
