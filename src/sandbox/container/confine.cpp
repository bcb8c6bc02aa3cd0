#include "sandbox/container/confine.hpp"

#include <fcntl.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>

namespace agentos::container {
namespace {

// struct landlock_ruleset_attr as of ABI 6; older kernels take the longer form while its tail is zero.
struct RulesetAttributes {
  std::uint64_t handled_access_fs;
  std::uint64_t handled_access_net;
  std::uint64_t scoped;
};

// The kernel takes no other rights for what is not a directory (landlock_add_rule(2)).
constexpr std::uint64_t truncate_file = 1U << 14;  // ABI 3
constexpr std::uint64_t of_files =
    LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE | truncate_file;

}  // namespace

void set_limits(const std::vector<RlimitSetting>& rlimits, const Reporter& reporter) {
  for (const auto& setting : rlimits) {
    const auto resource = static_cast<__rlimit_resource_t>(setting.resource);
    rlimit limit{};
    if (::getrlimit(resource, &limit) != 0) reporter.fail("read resource limit");
    limit.rlim_cur = limit.rlim_max = std::min<rlim_t>(setting.limit, limit.rlim_max);
    if (::setrlimit(resource, &limit) != 0) reporter.fail("set resource limit");
  }
}

void restrict_with_landlock(const LandlockRules& rules, int init_binary, const Reporter& reporter) {
  if (rules.handled_fs == 0) return;  // the plan was compiled for a host without Landlock, and says so
  const RulesetAttributes attributes{rules.handled_fs, 0, rules.scoped};
  const auto ruleset = static_cast<int>(::syscall(SYS_landlock_create_ruleset, &attributes, sizeof attributes, 0));
  if (ruleset < 0) reporter.fail("create Landlock rules");
  for (const auto& rule : rules.beneath) {
    const int path = ::open(rule.path.c_str(), O_PATH | O_CLOEXEC | O_NOFOLLOW);
    if (path < 0) reporter.fail("open for Landlock", rule.path.c_str());
    struct statx status{};
    if (::statx(path, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_TYPE, &status) != 0)
      reporter.fail("look at, for Landlock,", rule.path.c_str());
    landlock_path_beneath_attr beneath{};
    beneath.allowed_access = S_ISDIR(status.stx_mode) ? rule.access : rule.access & of_files;
    beneath.parent_fd = path;
    if (::syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &beneath, 0) != 0) {
      reporter.fail("add Landlock rule for", rule.path.c_str());
    }
    ::close(path);
  }
  // agentos-init is a file of the host, outside the new root: this very inode may be executed.
  landlock_path_beneath_attr init{};
  init.allowed_access = LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE;
  init.parent_fd = init_binary;
  if (::syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &init, 0) != 0) {
    reporter.fail("add Landlock rule for agentos-init");
  }
  if (::syscall(SYS_landlock_restrict_self, ruleset, 0) != 0) reporter.fail("restrict with Landlock");
  ::close(ruleset);
}

void drop_capabilities(const Reporter& reporter) {
  constexpr std::uint64_t kept =
      (1ULL << CAP_SETUID) | (1ULL << CAP_SETGID) | (1ULL << CAP_SETPCAP) | (1ULL << CAP_KILL);
  if (::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0) reporter.fail("clear ambient capabilities");
  for (int capability = 0; ::prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0; ++capability) {
    if ((kept >> static_cast<unsigned>(capability) & 1U) == 0 && ::prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0) {
      reporter.fail("drop a capability from the bounding set");
    }
  }
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2]{};
  data[0].effective = data[0].permitted = static_cast<std::uint32_t>(kept);
  if (::syscall(SYS_capset, &header, data) != 0) reporter.fail("drop capabilities");
}

void install_filter(const std::vector<sock_filter>& filter, const Reporter& reporter) {
  const sock_fprog program{static_cast<unsigned short>(filter.size()), const_cast<sock_filter*>(filter.data())};
  if (::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) != 0) reporter.fail("install the seccomp filter");
}

}  // namespace agentos::container
