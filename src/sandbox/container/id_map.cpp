#include "sandbox/container/id_map.hpp"

#include <sched.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <string>

#include "os/file.hpp"

namespace agentos::container {
namespace {

std::string lines(std::span<const IdRange> ranges) {
  std::string text;
  for (const auto& range : ranges) {
    text +=
        std::to_string(range.inside) + " " + std::to_string(range.outside) + " " + std::to_string(range.count) + "\n";
  }
  return text;
}

}  // namespace

// A user namespace is made with a process in it. This one shares the memory of its parent, so that nothing is copied,
// has a stack of its own, and does nothing there until it is killed. It ends without a signal, for which the kernel
// would be asked about every child that there is.
Result<UniqueFd> create_mapping(std::span<const IdRange> uids, std::span<const IdRange> gids) {
  alignas(16) std::array<char, 4096> stack;
  int pidfd = -1;
  const auto hold = [](void*) -> int {
    for (;;) ::pause();
  };
  const pid_t pid = ::clone(hold, stack.data() + stack.size(), CLONE_NEWUSER | CLONE_VM | CLONE_PIDFD, nullptr, &pidfd);
  if (pid < 0) return fail_errno("create user namespace");
  const UniqueFd process(pidfd);
  auto maps = write_id_maps(pid, uids, gids);
  UniqueFd space(::open(("/proc/" + std::to_string(pid) + "/ns/user").c_str(), O_RDONLY | O_CLOEXEC));
  const int number = errno;
  ::syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, nullptr, 0);
  siginfo_t ended{};
  while (::waitid(P_PID, static_cast<id_t>(pid), &ended, WEXITED | __WALL) != 0 && errno == EINTR) {
  }
  if (!maps) return std::unexpected(std::move(maps).error());
  if (!space) return fail_errno(number, "open user namespace");
  return space;
}

Result<> write_id_maps(pid_t pid, std::span<const IdRange> uids, std::span<const IdRange> gids) {
  const std::string process = "/proc/" + std::to_string(pid);
  AGENTOS_TRY(os::write_file(AT_FDCWD, process + "/uid_map", lines(uids)));
  return os::write_file(AT_FDCWD, process + "/gid_map", lines(gids));
}

Result<UniqueFd> id_mapped_mount(int directory, const UniqueFd& mapping, const std::string& what) {
  UniqueFd mount(::open_tree(directory, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC));
  if (!mount) return fail_errno("clone the mount of " + what);
  mount_attr attributes{};
  attributes.attr_set = MOUNT_ATTR_IDMAP | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV;
  // The clone of a shared mount (systemd shares them all) is its peer: what is mounted on it in the sandbox would be
  // mounted on the host's directory too, and the other way round.
  attributes.propagation = MS_PRIVATE;
  attributes.userns_fd = static_cast<std::uint64_t>(mapping.get());
  if (::mount_setattr(mount.get(), "", AT_EMPTY_PATH, &attributes, sizeof attributes) != 0) {
    const int number = errno;
    auto error = Error::from_errno(number, "map the owner of " + what);
    if (number == EINVAL) {
      error = Error(ErrorKind::unsupported, "the file system of " + what + " has no id-mapped mounts",
                    "use a directory on ext4, xfs, btrfs or f2fs (tmpfs from Linux 6.3)");
    }
    return std::unexpected(std::move(error));
  }
  return mount;
}

}  // namespace agentos::container
