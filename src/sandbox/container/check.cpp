#include "sandbox/container/check.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <span>
#include <string_view>
#include <vector>

#include "agentos/base/text.hpp"
#include "agentos/model/places.hpp"
#include "sandbox/compile/etc_entries.hpp"
#include "sandbox/compile/filter_invariants.hpp"
#include "sandbox/container/grants.hpp"

namespace agentos::container {
namespace {

constexpr std::size_t mounts_max = 256;
constexpr std::size_t rules_max = 256;
constexpr std::size_t settings_max = 64;  // of the cgroup, and as many resource limits
constexpr std::uint32_t flags_known = (MountStep::of_agent << 1U) - 1;
constexpr std::size_t path_max = 1024;
constexpr std::size_t content_max = 16 * 1024;

constexpr std::array cgroup_files{"cpu.weight", "cpu.max",   "memory.high",      "memory.max", "memory.swap.max",
                                  "pids.max",   "io.weight", "memory.oom.group", "memory.low"};

// What of the host may be seen inside. Everything here is world-readable and only root can change it, so root may
// follow the paths. Never: /home, /root, /var, /run, /proc, /boot, device nodes other than the harmless six.
constexpr std::array sources{"/usr",
                             "/bin",
                             "/sbin",
                             "/lib",
                             "/lib32",
                             "/lib64",
                             "/libx32",
                             "/dev/null",
                             "/dev/zero",
                             "/dev/full",
                             "/dev/random",
                             "/dev/urandom",
                             "/dev/tty",
                             "/sys/devices/system/cpu",
                             "/sys/devices/system/node",
                             "/sys/kernel/mm/transparent_hugepage"};
bool is_clean_path(std::string_view path) {
  if (!path.starts_with('/') || path.size() > path_max || path.find('\0') != std::string_view::npos) return false;
  if (path == "/") return true;
  if (path.ends_with('/')) return false;
  std::size_t begin = 1;
  while (begin <= path.size()) {
    const auto end = std::min(path.find('/', begin), path.size());
    const auto part = path.substr(begin, end - begin);
    if (part.empty() || part == "." || part == "..") return false;
    begin = end + 1;
  }
  return true;
}

// Takes away only, makes nothing, and follows no link: so it may lie in the workspace.
Result<> check_narrowing(const MountStep& step, std::span<const MountStep* const> grants, std::string_view workspace) {
  const bool inside = step.kind == MountStep::Kind::protect || !step.source.empty();
  const bool in_workspace = !workspace.empty() && step.target == workspace;
  const bool in_grant = step.kind == MountStep::Kind::hide && std::ranges::any_of(grants, [&](const MountStep* grant) {
                          return granted_path(*grant) == step.target;
                        });
  if (inside && ((!in_workspace && !in_grant) || !is_clean_path("/" + step.source) || step.source.size() > path_max ||
                 step.source.empty())) {
    return fail(ErrorKind::forbidden, "'" + printable(step.source) + "' is not a path in the workspace or a grant");
  }
  if (!inside && (step.target == "/" || (!workspace.empty() && is_within(workspace, step.target)) ||
                  (!workspace.empty() && is_within(step.target, workspace)))) {
    return fail(ErrorKind::forbidden, "'" + printable(step.target) + "' cannot be hidden");
  }
  return {};
}

Result<> check_source(std::string_view source) {
  const bool etc = source.starts_with("/etc/") && sandbox::is_etc_entry(source.substr(5));
  const bool listed = std::ranges::any_of(sources, [&](const char* path) { return source == path; });
  if (!is_clean_path(source) || (!etc && !listed)) {
    return fail(ErrorKind::forbidden, "source '" + printable(source) + "' is not one that agents may see");
  }
  return {};
}

// What the caller has given, and only where no agent has anything else. `before` are the grants that it may lie in.
Result<> check_grant(const MountStep& step, std::span<const MountStep* const> before, std::string_view workspace) {
  const auto path = granted_path(step);
  if (!is_clean_path(path) || (!step.source.empty() && !is_clean_path("/" + step.source)))
    return fail(ErrorKind::invalid, "'" + printable(path) + "' is not a clean absolute path");
  if (const auto fault = fault_of_place(path); !fault.empty())
    return fail(ErrorKind::forbidden, "'" + printable(path) + "' is never granted: it " + fault);
  if (!workspace.empty()) return fail(ErrorKind::forbidden, "something is granted behind the workspace");
  if (before.size() >= grants_max)
    return fail(ErrorKind::exhausted, "more than " + std::to_string(grants_max) + " grants");
  constexpr std::uint32_t plain = MountStep::no_suid | MountStep::no_dev;
  if ((step.flags & plain) != plain) return fail(ErrorKind::forbidden, "a grant without nosuid and nodev");
  bool base = step.source.empty();
  for (const auto* other : before) {
    const auto place = granted_path(*other);
    if (is_within(place, path))
      return fail(ErrorKind::forbidden, "'" + printable(path) + "' would cover another grant");
    if (step.source.empty() && is_within(path, place))
      return fail(ErrorKind::forbidden, "'" + printable(path) + "' lies in a grant and does not say so");
    base = base || place == step.target;
  }
  if (!base) return fail(ErrorKind::forbidden, "'" + printable(step.target) + "' is not granted");
  return {};
}

Result<> check_mounts(const std::vector<MountStep>& mounts, WorkspaceMode mode) {
  if (mounts.size() > mounts_max) return fail(ErrorKind::exhausted, "more than 256 mount steps");
  std::string_view workspace;
  std::vector<const MountStep*> grants;
  const auto in_grant = [&](const MountStep& step, std::uint32_t flags) {
    return std::ranges::any_of(grants, [&](const MountStep* grant) {
      return (grant->flags & MountStep::read_only) == flags && is_within(step.target, granted_path(*grant));
    });
  };
  for (const auto& step : mounts) {
    if (!is_clean_path(step.target))
      return fail(ErrorKind::invalid, "target '" + printable(step.target) + "' is not a clean absolute path");
    if (step.data.size() > path_max || step.source.size() > content_max)
      return fail(ErrorKind::exhausted, "mount step too long");
    if ((step.flags & ~flags_known) != 0) return fail(ErrorKind::invalid, "mount step with unknown flags");
    if (step.data.find('\0') != std::string::npos) return fail(ErrorKind::invalid, "mount options hold a zero byte");
    if (step.source.find('\0') != std::string::npos && step.kind != MountStep::Kind::file) {
      return fail(ErrorKind::invalid, "mount source holds a zero byte");
    }
    // What the workspace holds is the agent's: from then on nothing is made beneath it.
    const bool narrows = step.kind == MountStep::Kind::hide || step.kind == MountStep::Kind::protect;
    if (!narrows && !workspace.empty() && is_within(step.target, workspace)) {
      return fail(ErrorKind::forbidden, "target '" + printable(step.target) + "' lies in the workspace");
    }
    // What is granted is the caller's, so nothing is made there either; a workspace may lie in what is read-only.
    if (!narrows && step.kind != MountStep::Kind::grant &&
        (in_grant(step, 0) || (step.kind != MountStep::Kind::workspace && in_grant(step, MountStep::read_only)))) {
      return fail(ErrorKind::forbidden, "target '" + printable(step.target) + "' lies in what is granted");
    }
    if (step.mode > 0777 && step.mode != 01777) return fail(ErrorKind::forbidden, "mode with setuid or setgid");
    constexpr std::uint32_t no_privilege = MountStep::no_suid;
    switch (step.kind) {
      case MountStep::Kind::bind:
        AGENTOS_TRY(check_source(step.source));
        if ((step.flags & no_privilege) == 0) return fail(ErrorKind::forbidden, "bind without nosuid");
        if (!step.source.starts_with("/dev/") && (step.flags & MountStep::read_only) == 0) {
          return fail(ErrorKind::forbidden, "'" + printable(step.source) + "' would be writable");
        }
        break;
      case MountStep::Kind::tmpfs:
      case MountStep::Kind::proc:
      case MountStep::Kind::cgroup2:
        if ((step.flags & (no_privilege | MountStep::no_dev)) != (no_privilege | MountStep::no_dev)) {
          return fail(ErrorKind::forbidden, "mount on '" + printable(step.target) + "' without nosuid and nodev");
        }
        break;
      case MountStep::Kind::workspace:
        if (!workspace.empty() || step.target == "/" ||
            (step.flags & (no_privilege | MountStep::no_dev)) != (no_privilege | MountStep::no_dev)) {
          return fail(ErrorKind::forbidden, "workspace mount that is second, on / or without nosuid and nodev");
        }
        if (mode == WorkspaceMode::read_only && (step.flags & MountStep::read_only) == 0) {
          return fail(ErrorKind::forbidden, "a workspace that is to be read-only would be writable");
        }
        workspace = step.target;
        break;
      case MountStep::Kind::grant:
        AGENTOS_TRY(check_grant(step, grants, workspace));
        grants.push_back(&step);
        break;
      case MountStep::Kind::hide:
      case MountStep::Kind::protect:
        AGENTOS_TRY(check_narrowing(step, grants, workspace));
        break;
      case MountStep::Kind::directory:
      case MountStep::Kind::symlink:
      case MountStep::Kind::file:
      case MountStep::Kind::devpts:
      case MountStep::Kind::seal:
        break;
    }
  }
  if (mounts.empty() || mounts.back().kind != MountStep::Kind::seal || mounts.back().target != "/") {
    return fail(ErrorKind::forbidden, "the root file system is not sealed at the end");
  }
  return {};
}

}  // namespace

Result<> check(const Plan& plan) {
  if (!is_name(plan.tenant) || plan.tenant.size() > 32 || !is_name(plan.agent)) {
    return fail(ErrorKind::invalid, "tenant or agent is not a name");
  }
  if (!is_name(plan.hostname)) return fail(ErrorKind::invalid, "host name is not a name");
  if (!has_layer(plan.workspace_mode) && plan.layer_limit != LayerSpace{}) {
    return fail(ErrorKind::invalid, "a limit of a layer where there is none");
  }
  if (auto mounts = check_mounts(plan.mounts, plan.workspace_mode); !mounts) return mounts;
  if (plan.cgroup.size() > settings_max || plan.rlimits.size() > settings_max)
    return fail(ErrorKind::exhausted, "more than 64 limits of one kind");
  for (const auto& setting : plan.cgroup) {
    if (std::ranges::find(cgroup_files, setting.file) == cgroup_files.end() || setting.value.size() > 64) {
      return fail(ErrorKind::forbidden, "'" + printable(setting.file) + "' is not a limit that a plan may set");
    }
  }
  for (const auto& setting : plan.rlimits) {
    if (setting.resource >= RLIM_NLIMITS) return fail(ErrorKind::invalid, "unknown resource limit");
  }
  if (plan.landlock.beneath.size() > rules_max) return fail(ErrorKind::exhausted, "more than 256 Landlock rules");
  for (const auto& rule : plan.landlock.beneath) {
    if (!is_clean_path(rule.path)) return fail(ErrorKind::invalid, "Landlock path is not a clean absolute path");
  }
  return sandbox::check_filter(plan.seccomp);
}

}  // namespace agentos::container
