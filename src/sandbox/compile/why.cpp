#include "sandbox/compile/why.hpp"

#include <linux/landlock.h>

#include <algorithm>
#include <vector>

#include "agentos/base/text.hpp"
#include "agentos/model/places.hpp"
#include "policy/compose.hpp"
#include "policy/grants.hpp"
#include "sandbox/compile/seccomp.hpp"
#include "sandbox/compile/seccomp_sets.hpp"

namespace agentos::sandbox {
namespace {

using Kind = MountStep::Kind;

const policy::Origin nowhere{policy::built_in, 0, 0};

std::string place_of(const MountStep& step) {
  const bool has_base = step.kind == Kind::hide || step.kind == Kind::protect || step.kind == Kind::grant;
  return has_base && !step.source.empty() ? step.target + "/" + step.source : step.target;
}

bool is_mount(const MountStep& step) {
  return step.kind != Kind::directory && step.kind != Kind::symlink && step.kind != Kind::file &&
         !(step.kind == Kind::seal && step.target == "/");
}

// The path with the plan's own links followed, as often as the kernel would.
std::string follow_links(const Plan& plan, std::string path) {
  for (int turns = 0; turns < 40; ++turns) {
    const auto link = std::ranges::find_if(
        plan.mounts, [&](const MountStep& step) { return step.kind == Kind::symlink && is_within(path, step.target); });
    if (link == plan.mounts.end()) break;
    const auto parent = link->target.substr(0, link->target.rfind('/'));
    const auto rest = path.substr(link->target.size());
    const auto followed = path_inside((link->source.starts_with('/') ? "" : parent + "/") + link->source + rest, "/");
    if (!followed) break;
    path = *followed;
  }
  return path;
}

// The line of the policy that names this path.
policy::Origin line_of(const std::vector<policy::Stated<std::string>>& list, const MountStep& step) {
  const auto found = std::ranges::find_if(list, [&](const auto& line) {
    return line.value == place_of(step) || (!step.source.empty() && line.value == "./" + step.source);
  });
  return found == list.end() ? nowhere : found->origin;
}

// What is at a path that no mount covers: the root file system, of which the plan makes every part.
Answer in_root(const Plan& plan, const std::string& path, Operation operation) {
  const auto holds = [&](const MountStep& step) { return is_within(step.target, path); };
  if (path != "/" && std::ranges::none_of(plan.mounts, holds))
    return {false, "nothing of the host is at this path", nowhere};
  if (operation == Operation::read) return {true, "made for the agent", nowhere};
  return {false, operation == Operation::write ? "the root file system is read-only" : "this is no program", nowhere};
}

Answer by_mount(const MountStep& mount, const policy::Policy& policy, Operation operation) {
  const bool read_only = (mount.flags & MountStep::read_only) != 0;
  const auto& mode = policy.workspace;
  switch (mount.kind) {
    case Kind::hide:
      return {false, "hidden by the policy", line_of(policy.hidden, mount)};
    case Kind::protect:
      if (operation == Operation::write) return {false, "read-only by the policy", line_of(policy.read_only, mount)};
      return {true, "in the workspace", nowhere};
    case Kind::grant: {
      const auto* grant = policy.grants ? policy::grant_of(*policy.grants, place_of(mount)) : nullptr;
      const auto origin = grant == nullptr ? nowhere : grant->origin;
      if (operation == Operation::write && read_only) return {false, "granted by the policy, to be read only", origin};
      return {true, "granted by the policy, where it is there and the caller may", origin};
    }
    case Kind::workspace:
      if (operation == Operation::write && (read_only || (mode && mode->value == WorkspaceMode::read_only)))
        return {false, "the workspace is read-only", mode ? mode->origin : nowhere};
      return {true, "in the workspace", mode ? mode->origin : nowhere};
    case Kind::seal:
      if (operation == Operation::write) return {false, "sealed: kernel settings are read-only", nowhere};
      return {operation == Operation::read, "the kernel's own files", nowhere};
    case Kind::bind:
      if (mount.source == "/dev/null" && (mount.flags & MountStep::no_dev) != 0)
        return {false, "masked: it would tell of the host or command it", nowhere};
      if (operation == Operation::write && read_only)
        return {false, "a read-only mount of the host's " + mount.source, nowhere};
      break;
    default:
      if (operation == Operation::write && read_only) return {false, "this mount is read-only", nowhere};
      break;
  }
  if (operation == Operation::execute && (mount.flags & MountStep::no_exec) != 0)
    return {false, "nothing can be executed on this mount (noexec)", nowhere};
  return {true, mount.kind == Kind::bind ? "of the host" : "the agent's own", nowhere};
}

bool landlock_lets(const LandlockRules& rules, const std::string& path, Operation operation) {
  const std::uint64_t wanted = operation == Operation::read    ? LANDLOCK_ACCESS_FS_READ_FILE
                               : operation == Operation::write ? LANDLOCK_ACCESS_FS_WRITE_FILE
                                                               : LANDLOCK_ACCESS_FS_EXECUTE;
  if ((rules.handled_fs & wanted) == 0) return true;
  return std::ranges::any_of(rules.beneath, [&](const LandlockRule& rule) {
    return is_within(path, rule.path) && (rule.access & wanted) != 0;
  });
}

}  // namespace

Answer why_path(const Plan& plan, const policy::Policy& policy, std::string_view asked, Operation operation) {
  const std::string path = follow_links(plan, std::string(asked));
  // The last mount that holds the path is the one that is seen: later ones lie on top.
  const MountStep* covering = nullptr;
  for (const auto& step : plan.mounts) {
    if (is_mount(step) && is_within(path, place_of(step))) covering = &step;
  }
  Answer answer = covering == nullptr ? in_root(plan, path, operation) : by_mount(*covering, policy, operation);
  if (answer.allowed && !landlock_lets(plan.landlock, path, operation))
    answer = {false, "Landlock lets agents not do this here", nowhere};
  return answer;
}

Answer why_call(const Plan& plan, const policy::Policy& policy, int number) {
  const auto set = std::ranges::find_if(
      call_sets(), [&](const CallSet& one) { return std::ranges::find(one.calls, number) != one.calls.end(); });
  const auto answers = explain_call(plan.seccomp, number);
  const bool strict = policy.seccomp && policy.seccomp->value == policy::Seccomp::strict;
  const std::string name = strict ? "strict" : "agent";
  std::string reason = "the set '" + name + "' answers " + answers;
  if (answers.starts_with("allowed")) {
    reason = answers == "allowed" ? "the set '" + name + "' lets it pass"
                                  : "by its arguments: the set '" + name + "' answers " + answers;
  }
  if (set != call_sets().end()) reason += "; it is one of '" + std::string(set->name) + "'";
  return {answers.starts_with("allowed"), std::move(reason), policy.seccomp ? policy.seccomp->origin : nowhere};
}

std::optional<Operation> operation_named(std::string_view name) {
  if (name == "read") return Operation::read;
  if (name == "write") return Operation::write;
  if (name == "exec") return Operation::execute;
  return std::nullopt;
}

std::optional<std::string> path_inside(std::string_view path, std::string_view workspace) {
  std::string whole = path.starts_with('/') ? std::string(path) : std::string(workspace) + "/" + std::string(path);
  if (whole.size() > 4096 || whole.find('\0') != std::string::npos) return std::nullopt;
  std::vector<std::string_view> names;
  for (std::string_view rest = whole; !rest.empty();) {
    const auto name = rest.substr(0, rest.find('/'));
    rest.remove_prefix(std::min(rest.size(), name.size() + 1));
    if (name.empty() || name == ".") continue;
    if (name != "..") {
      names.push_back(name);
    } else if (names.empty()) {
      return std::nullopt;
    } else {
      names.pop_back();
    }
  }
  std::string clean;
  for (const auto name : names) clean += "/" + std::string(name);
  return clean.empty() ? "/" : clean;
}

}  // namespace agentos::sandbox
