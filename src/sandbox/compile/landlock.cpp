#include "sandbox/compile/landlock.hpp"

#include <linux/landlock.h>

namespace agentos::sandbox {
namespace {

// Of newer kernels than Debian 12's headers (Documentation/userspace-api/landlock.rst).
constexpr std::uint64_t truncate_file = 1U << 14;  // ABI 3
constexpr std::uint64_t ioctl_device = 1U << 15;   // ABI 5
constexpr std::uint64_t scope_abstract_unix = 1U;  // ABI 6
constexpr std::uint64_t scope_signal = 1U << 1;

constexpr std::uint64_t read_all =
    LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;
constexpr std::uint64_t write_file = LANDLOCK_ACCESS_FS_WRITE_FILE | truncate_file;
constexpr std::uint64_t write_all = write_file | LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE |
                                    LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG |
                                    LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO |
                                    LANDLOCK_ACCESS_FS_MAKE_SYM | LANDLOCK_ACCESS_FS_REFER;
// Nobody makes device nodes.
constexpr std::uint64_t never = LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_BLOCK;

std::uint64_t known_to(std::uint32_t abi) {
  std::uint64_t rights = read_all | write_all | never;
  if (abi < 3) rights &= ~truncate_file;
  if (abi >= 5) rights |= ioctl_device;
  return rights;
}

}  // namespace

LandlockRules landlock_rules(std::uint32_t abi, const SandboxRequest& request) {
  LandlockRules rules;
  if (abi < 2) return rules;
  rules.handled_fs = known_to(abi);
  if (abi >= 6) rules.scoped = scope_abstract_unix | scope_signal;
  const auto grant = [&](const std::string& path, std::uint64_t access) {
    rules.beneath.push_back({access & rules.handled_fs, path});
  };
  grant("/", read_all);
  for (const char* path : {"/tmp", "/var/tmp", "/home/agent", "/dev/shm"}) grant(path, write_all);
  grant(request.workspace, write_all);
  // Of a file spawnd leaves out what is for folders.
  for (const auto& [granted, origin] : request.policy.grants.value_or(policy::Grants())) {
    if (granted.access == policy::Access::write) grant(granted.path, write_all);
  }
  grant("/dev", write_file | ioctl_device);
  grant("/proc", write_file);  // /proc/self/comm, oom_score_adj, ...
  return rules;
}

}  // namespace agentos::sandbox
