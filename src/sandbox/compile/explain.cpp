#include <seccomp.h>
#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string_view>

#include "agentos/base/text.hpp"
#include "sandbox/compile/bpf_outcomes.hpp"
#include "sandbox/compile/compile.hpp"
#include "sandbox/compile/seccomp.hpp"
#include "sandbox/compile/system_calls.hpp"

namespace agentos::sandbox {
namespace {

struct Bit {
  std::uint64_t bit;
  std::string_view name;
};

// "read_only nosuid", in the order of the table.
template <std::size_t N>
std::string names_of(std::uint64_t bits, const std::array<Bit, N>& table) {
  std::string text;
  for (const auto& [bit, name] : table) {
    if ((bits & bit) != 0) text += (text.empty() ? "" : " ") + std::string(name);
  }
  return text;
}

constexpr std::array mount_flags{Bit{MountStep::read_only, "ro"},      Bit{MountStep::no_suid, "nosuid"},
                                 Bit{MountStep::no_dev, "nodev"},      Bit{MountStep::no_exec, "noexec"},
                                 Bit{MountStep::optional, "optional"}, Bit{MountStep::of_agent, "of the agent"}};
constexpr std::array landlock_rights{
    Bit{1U << 0, "execute"},    Bit{1U << 1, "write"},     Bit{1U << 2, "read"},       Bit{1U << 3, "list"},
    Bit{1U << 4, "remove-dir"}, Bit{1U << 5, "remove"},    Bit{1U << 6, "make-char"},  Bit{1U << 7, "make-dir"},
    Bit{1U << 8, "make-file"},  Bit{1U << 9, "make-sock"}, Bit{1U << 10, "make-fifo"}, Bit{1U << 11, "make-block"},
    Bit{1U << 12, "make-link"}, Bit{1U << 13, "refer"},    Bit{1U << 14, "truncate"},  Bit{1U << 15, "ioctl"}};
constexpr std::array landlock_scopes{Bit{1U << 0, "abstract-sockets"}, Bit{1U << 1, "signals"}};

std::string_view name_of(MountStep::Kind kind) {
  switch (kind) {
    case MountStep::Kind::directory:
      return "directory";
    case MountStep::Kind::symlink:
      return "link";
    case MountStep::Kind::file:
      return "file";
    case MountStep::Kind::bind:
      return "bind";
    case MountStep::Kind::tmpfs:
      return "tmpfs";
    case MountStep::Kind::proc:
      return "proc";
    case MountStep::Kind::devpts:
      return "devpts";
    case MountStep::Kind::cgroup2:
      return "cgroup2";
    case MountStep::Kind::workspace:
      return "workspace";
    case MountStep::Kind::seal:
      return "seal";
    case MountStep::Kind::hide:
      return "hide";
    case MountStep::Kind::protect:
      return "protect";
    case MountStep::Kind::grant:
      return "grant";
  }
  return "unknown";
}

std::string_view rlimit_name(std::uint32_t resource) {
  switch (resource) {
    case RLIMIT_CORE:
      return "core";
    case RLIMIT_NOFILE:
      return "nofile";
    case RLIMIT_MEMLOCK:
      return "memlock";
    case RLIMIT_SIGPENDING:
      return "sigpending";
    case RLIMIT_MSGQUEUE:
      return "msgqueue";
    case RLIMIT_NICE:
      return "nice";
    case RLIMIT_RTPRIO:
      return "rtprio";
    default:
      return "unknown";
  }
}

void explain_mount(std::string& text, const MountStep& step) {
  text += "  " + std::string(name_of(step.kind)) + " " + printable(step.target);
  const bool has_base = step.kind == MountStep::Kind::hide || step.kind == MountStep::Kind::protect ||
                        step.kind == MountStep::Kind::grant;
  if (has_base && !step.source.empty()) {
    text += "/" + printable(step.source);
  } else if (!step.source.empty() && step.source != step.target) {
    text += (step.kind == MountStep::Kind::file ? " holds \"" : " from ") + printable(step.source) +
            (step.kind == MountStep::Kind::file ? "\"" : "");
  }
  if (const auto flags = names_of(step.flags, mount_flags); !flags.empty()) text += " (" + flags + ")";
  if (!step.data.empty()) text += " " + printable(step.data);
  text += '\n';
}

// Calls that libseccomp of Debian 12 has no name for.
constexpr std::array<std::string_view, 20> newer_names{
    "cachestat",        "fchmodat2",      "map_shadow_stack", "futex_wake",        "futex_wait",
    "futex_requeue",    "statmount",      "listmount",        "lsm_get_self_attr", "lsm_set_self_attr",
    "lsm_list_modules", "mseal",          "setxattrat",       "getxattrat",        "listxattrat",
    "removexattrat",    "open_tree_attr", "file_getattr",     "file_setattr",      "listns"};
static_assert(call::cachestat + newer_names.size() - 1 == call::newest);

}  // namespace

std::string call_name(int number) {
  if (number < 0 || number > call::newest) return {};
  if (number >= call::cachestat && number <= call::newest)
    return std::string(newer_names[static_cast<std::size_t>(number - call::cachestat)]);
  if (number == call::uretprobe) return "uretprobe";
  if (number == call::uprobe) return "uprobe";
  const std::unique_ptr<char, void (*)(void*)> name(::seccomp_syscall_resolve_num_arch(SCMP_ARCH_X86_64, number),
                                                    std::free);
  return name ? name.get() : std::string();
}

std::optional<int> call_named(std::string_view name) {
  for (int number = 0; number <= call::newest; ++number) {
    if (call_name(number) == name) return number;
  }
  return std::nullopt;
}

namespace {

std::string answer_name(std::uint32_t answer) {
  switch (answer & SECCOMP_RET_ACTION_FULL) {
    case SECCOMP_RET_ALLOW:
      return "allowed";
    case SECCOMP_RET_KILL_PROCESS:
      return "killed";
    case SECCOMP_RET_ERRNO: {
      const char* name = ::strerrorname_np(static_cast<int>(answer & SECCOMP_RET_DATA));
      return name == nullptr ? "error " + std::to_string(answer & SECCOMP_RET_DATA) : name;
    }
    default:
      return "other";
  }
}

std::string answers_of(Outcomes& outcomes, int number) {
  std::vector<std::string> answers;
  for (const auto answer : outcomes.of(CallPattern(Bits::exactly(static_cast<std::uint32_t>(number)))))
    answers.push_back(answer_name(answer));
  std::ranges::sort(answers, std::ranges::greater());  // "allowed" in front
  std::string text;
  for (const auto& answer : answers) text += (text.empty() ? "" : " ") + answer;
  return text;
}

}  // namespace

std::string explain_call(const std::vector<sock_filter>& filter, int number) {
  const auto program = SeccompProgram::parse(filter);
  if (!program) return {};
  Outcomes outcomes(*program);
  return answers_of(outcomes, number);
}

std::string explain_filter(const std::vector<sock_filter>& filter) {
  const auto program = SeccompProgram::parse(filter);
  if (!program) return {};
  Outcomes outcomes(*program);
  std::string text;
  for (int number = 0; number <= call::newest; ++number) {
    const std::string name = call_name(number);
    if (name.empty()) continue;
    text += name + ": " + answers_of(outcomes, number) + "\n";
  }
  return text;
}

std::string explain(const Plan& plan) {
  std::string text = "agent " + printable(plan.agent) + " of tenant " + printable(plan.tenant) + ", host name " +
                     printable(plan.hostname) + "\n";
  text += "caller: uid " + std::to_string(plan.caller_uid) + ", gid " + std::to_string(plan.caller_gid) + "\n";
  text += "workspace: " + std::string(name(plan.workspace_mode)) + "\n";
  const auto most = [](std::uint64_t limit) { return limit == 0 ? "any" : std::to_string(limit); };
  if (plan.layer_limit != LayerSpace{})
    text += "  of bytes " + most(plan.layer_limit.bytes) + ", of inodes " + most(plan.layer_limit.inodes) + "\n";
  text += "root file system:\n";
  for (const auto& step : plan.mounts) explain_mount(text, step);
  text += "cgroup:\n";
  for (const auto& setting : plan.cgroup)
    text += "  " + printable(setting.file) + " = " + printable(setting.value) + "\n";
  text += "limits of a process:\n";
  for (const auto& [resource, limit] : plan.rlimits)
    text += "  " + std::string(rlimit_name(resource)) + " = " + std::to_string(limit) + "\n";
  text += "Landlock:" + std::string(plan.landlock.handled_fs == 0 ? " absent\n" : "\n");
  for (const auto& rule : plan.landlock.beneath)
    text += "  " + printable(rule.path) + ": " + names_of(rule.access, landlock_rights) + "\n";
  if (plan.landlock.scoped != 0)
    text += "  only within the agent: " + names_of(plan.landlock.scoped, landlock_scopes) + "\n";
  return text;
}

}  // namespace agentos::sandbox
