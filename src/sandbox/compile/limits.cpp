#include "sandbox/compile/limits.hpp"

#include <sys/resource.h>

#include <array>
#include <string>
#include <string_view>

#include "agentos/base/text.hpp"

namespace agentos::sandbox {
namespace {

constexpr std::uint64_t default_pids = 4096;       // as systemd gives a service on a machine of middle size
constexpr std::uint64_t least_memory = 8U << 20U;  // below it nothing but agentos-init starts
constexpr std::uint64_t least_pids = 2;            // agentos-init and the agent
constexpr std::uint32_t cpu_period = 100'000;      // microseconds, the kernel's default

struct Controller {
  std::string_view name;
  std::string_view feature;  // what its absence takes away by default
  std::string_view meaning;
};
constexpr std::array controllers{
    Controller{"memory", "memory limit",
               "the agent can use all memory of the host, and out of memory may hit another process"},
    Controller{"pids", "process limit", "the agent can start as many processes as the host can hold"},
    Controller{"cpu", "CPU share", "CPU time is shared by process, not by agent"},
    Controller{"io", "I/O share", "disk time is shared by process, not by agent"},
};

std::string remedy(std::string_view controller) {
  return "boot with cgroup_no_v1=" + std::string(controller) +
         " on the kernel command line, so that cgroup v2 has the controller '" + std::string(controller) +
         "' (agentos doctor shows it)";
}

std::unexpected<Error> senseless(std::string_view limit, std::string why) {
  return fail(ErrorKind::invalid, "limit " + std::string(limit) + " " + std::move(why));
}

Result<> check(const Limits& limits) {
  for (const auto& [limit, name] :
       {std::pair{limits.memory_max, "memory_max"}, std::pair{limits.memory_high, "memory_high"}}) {
    if (limit && *limit < least_memory) return senseless(name, "is below " + format_bytes(least_memory));
  }
  if (limits.memory_max && limits.memory_high && *limits.memory_high > *limits.memory_max) {
    return senseless("memory_high", "is above memory_max");
  }
  if (limits.cpu_max && *limits.cpu_max == 0) return senseless("cpu_max", "is 0");
  if (limits.pids_max && *limits.pids_max < least_pids) return senseless("pids_max", "is below 2");
  for (const auto& [limit, name] :
       {std::pair{limits.cpu_weight, "cpu_weight"}, std::pair{limits.io_weight, "io_weight"}}) {
    if (limit && (*limit < 1 || *limit > 10'000)) return senseless(name, "is not in 1..10000");
  }
  return {};
}

}  // namespace

Result<std::vector<CgroupSetting>> cgroup_settings(const Limits& limits, const HostFacts& facts, Report& not_enforced,
                                                   policy::OnMissing on_missing) {
  AGENTOS_TRY(check(limits));
  std::vector<CgroupSetting> settings;
  std::string_view missing;  // controller of a limit that was asked for
  std::vector<std::string_view> not_set;
  const auto ask = [&](std::string_view controller, const char* file, const auto& limit, auto&& text) {
    if (!limit) return;
    if (facts.has_controller(controller))
      settings.push_back({file, text(*limit)});
    else {
      missing = controller;
      not_set.push_back(file);
    }
  };
  const auto number = [](auto value) { return std::to_string(value); };
  const auto quota = [](std::uint32_t percent) {
    return std::to_string(std::uint64_t{percent} * (cpu_period / 100)) + " " + std::to_string(cpu_period);
  };
  ask("memory", "memory.max", limits.memory_max, number);
  ask("memory", "memory.high", limits.memory_high, number);
  ask("cpu", "cpu.max", limits.cpu_max, quota);
  ask("cpu", "cpu.weight", limits.cpu_weight, number);
  ask("pids", "pids.max", limits.pids_max, number);
  ask("io", "io.weight", limits.io_weight, number);
  if (!missing.empty() && on_missing == policy::OnMissing::refuse) {
    return fail(ErrorKind::unsupported,
                "this host cannot enforce a limit that was asked for: cgroup v2 has no controller '" +
                    std::string(missing) + "'",
                remedy(missing));
  }
  for (const auto file : not_set) {
    not_enforced.push_back({std::string(file), "the policy sets it and only warns where it cannot be enforced",
                            remedy(file.substr(0, file.find('.')))});
  }
  if (facts.has_controller("memory")) settings.push_back({"memory.oom.group", "1"});  // an agent ends as a whole
  // A limit on memory is one on all of it; without this the rest would go to swap.
  if (limits.memory_max && facts.swap_limits) settings.push_back({"memory.swap.max", "0"});
  if (facts.has_controller("pids") && !limits.pids_max) settings.push_back({"pids.max", std::to_string(default_pids)});
  for (const auto& [name, feature, meaning] : controllers) {
    if (!facts.has_controller(name)) not_enforced.push_back({std::string(feature), std::string(meaning), remedy(name)});
  }
  return settings;
}

Result<LayerSpace> layer_limit(const SandboxRequest& request, const HostFacts& facts, Report& not_enforced) {
  const auto& rules = request.policy;
  const LayerSpace most{rules.layer_bytes ? rules.layer_bytes->value.count : 0,
                        rules.layer_inodes ? rules.layer_inodes->value.count : 0};
  if (most == LayerSpace{} || request.workspace_mode == WorkspaceMode::read_only) return LayerSpace{};
  const bool warns = rules.on_missing && rules.on_missing->value == policy::OnMissing::warn;
  if (request.workspace_mode == WorkspaceMode::bind) {
    constexpr auto remedy = "start it with --workspace DIR:overlay";
    if (!warns) {
      return fail(ErrorKind::forbidden,
                  "the policy limits what the agent may write (filesystem.workspace.quota), and in a workspace of mode "
                  "'bind' nothing can",
                  remedy);
    }
    not_enforced.push_back({"workspace quota", "the agent writes to its workspace itself", remedy});
    return LayerSpace{};
  }
  if (facts.layer_quota) return most;
  if (!warns) {
    return fail(ErrorKind::unsupported,
                "this host cannot enforce filesystem.workspace.quota: the file system of layers has no project quotas",
                std::string(layer_quota_remedy));
  }
  not_enforced.push_back({"workspace quota", "the policy sets it and only warns where it cannot be enforced",
                          std::string(layer_quota_remedy)});
  return LayerSpace{};
}

std::vector<RlimitSetting> rlimit_settings() {
  return {
      // With a pipe in core_pattern the kernel ignores a limit of 0 and starts the host's collector as root; at 1 it
      // gives up
      // (do_coredump in fs/coredump.c).
      {RLIMIT_CORE, 1},           {RLIMIT_NOFILE, 65'536}, {RLIMIT_MEMLOCK, 1U << 20U}, {RLIMIT_SIGPENDING, 16'384},
      {RLIMIT_MSGQUEUE, 819'200}, {RLIMIT_NICE, 0},        {RLIMIT_RTPRIO, 0},
      // No RLIMIT_NPROC unless the policy has one: pids.max is the limit that is meant.
  };
}

std::vector<ProgramLimit> program_limits(const policy::Policy& policy) {
  // Not core: it can only be 0, which every agent has by rlimit_settings().
  constexpr std::array<std::uint32_t, policy::rlimit_count - 1> resources{RLIMIT_NOFILE,  RLIMIT_NPROC, RLIMIT_FSIZE,
                                                                          RLIMIT_MEMLOCK, RLIMIT_STACK, RLIMIT_AS};
  std::vector<ProgramLimit> limits;
  for (std::size_t at = 0; at < resources.size(); ++at) {
    if (policy.rlimits[at]) limits.push_back({resources[at], policy.rlimits[at]->value.count});
  }
  return limits;
}

}  // namespace agentos::sandbox
