#include "daemon/features.hpp"

#include <boost/json/array.hpp>

#include "sandbox/compile/limits.hpp"

namespace agentos::daemon {
namespace {

namespace json = boost::json;
using State = Feature::State;

constexpr const char* controllers_remedy =
    "boot with systemd.unified_cgroup_hierarchy=1 (or cgroup_no_v1=all), so that controllers are in cgroup2";

std::string_view name(State state) {
  switch (state) {
    case State::enforced:
      return "enforced";
    case State::degraded:
      return "degraded";
    case State::absent:
      return "absent";
  }
  return "absent";
}

Feature needed(std::string name, bool present, std::string detail, std::string remedy) {
  return {std::move(name), present ? State::enforced : State::absent, std::move(detail),
          present ? "" : std::move(remedy)};
}

// Agents run without it, with less.
Feature wanted(std::string name, bool present, std::string with, std::string without, std::string remedy) {
  return {std::move(name), present ? State::enforced : State::degraded, present ? std::move(with) : std::move(without),
          present ? "" : std::move(remedy)};
}

Feature controller(const HostFacts& facts, const std::string& name, const std::string& files) {
  return wanted("cgroup2 " + name, facts.has_controller(name), files + " bind",
                files + " cannot be set; asking for them is refused", controllers_remedy);
}

}  // namespace

std::vector<Feature> features_of(const HostFacts& facts) {
  std::vector<Feature> features;
  features.push_back(needed("user namespaces", facts.user_namespace, "each agent has its own range of host uids",
                            "sysctl user.max_user_namespaces=15000"));
  features.push_back(
      needed("cgroup2", !facts.cgroup_root.empty(),
             facts.cgroup_root.empty() ? "agents cannot be held together" : "mounted at " + facts.cgroup_root,
             "mount -t cgroup2 none /sys/fs/cgroup"));
  features.push_back(controller(facts, "cpu", "--cpus and --cpu-weight"));
  features.push_back(controller(facts, "memory", "--memory and --memory-high"));
  features.push_back(controller(facts, "pids", "--pids"));
  features.push_back(controller(facts, "io", "--io-weight"));
  features.push_back(
      needed("cgroup.kill", facts.cgroup_kill, "terminate leaves no process behind", "use Linux 5.14 or later"));
  features.push_back(needed("cgroup.freeze", facts.cgroup_freeze, "pause and resume", "use Linux 5.2 or later"));
  features.push_back(needed("clone into cgroup", facts.clone_into_cgroup,
                            "an agent is in its cgroup from its first moment", "use Linux 5.7 or later"));
  features.push_back(needed("id-mapped mounts", facts.id_mapped_mounts, "the workspace keeps its owner",
                            "use Linux 5.12 or later and a file system that has them (ext4, xfs, btrfs)"));
  features.push_back(wanted("workspace layers", facts.overlay, "what an agent writes waits to be committed",
                            "agents start only with --workspace DIR:bind or DIR:ro",
                            "use Linux 5.19 or later with overlayfs, and ext4, xfs or btrfs below /var/lib"));
  features.push_back(wanted("workspace quotas", facts.layer_quota, "filesystem.workspace.quota binds",
                            "filesystem.workspace.quota cannot be set; asking for it is refused",
                            std::string(sandbox::layer_quota_remedy)));
  features.push_back(needed("seccomp", facts.seccomp_filter, "system calls are on an allow-list",
                            "use a kernel with CONFIG_SECCOMP_FILTER=y"));
  features.push_back(wanted("Landlock", facts.landlock_abi > 0, "ABI " + std::to_string(facts.landlock_abi),
                            "the second fence around the file system is missing; mounts alone hold",
                            "boot with lsm=landlock,... (see /sys/kernel/security/lsm)"));
  features.push_back(wanted("BPF LSM", facts.bpf_lsm, "file and exec events can be audited",
                            "file and exec events cannot be audited", "boot with lsm=...,bpf"));
  features.push_back(wanted("cgroup BPF", facts.bpf_cgroup, "network rules can be attached to an agent",
                            "network rules cannot be attached to an agent; it has loopback only anyway",
                            "use a kernel with CONFIG_CGROUP_BPF=y"));
  features.push_back(wanted("activity", facts.meter,
                            "what agents execute, connect to and send is counted" +
                                std::string(facts.meter_scripts ? "" : "; scripts are known by name only"),
                            "what agents do is not counted", "use Linux 6.1 or later with CONFIG_DEBUG_INFO_BTF=y"));
  features.push_back(wanted("systemd", facts.systemd, "tenants are units: systemctl and systemd-cgls show them",
                            "tenants are plain cgroups", ""));
  return features;
}

Feature policies_feature(const Policies& policies) {
  const auto faults = policies.faults();
  if (!policies.find("default")) {
    return {"policies", State::absent, "no good policy 'default': agents start only with --policy NAME",
            faults.empty() ? "write " + policies.folders().policies + "/default.yaml, see agentos-policy(5)"
                           : "mend " + faults.front()};
  }
  if (!faults.empty()) {
    return {"policies", State::degraded, faults.front() + (faults.size() > 1 ? ", and others" : ""),
            "mend the file: agentos policy check FILE shows what is wrong"};
  }
  return {"policies", State::enforced,
          std::to_string(policies.policies().size()) + " policies, " + std::to_string(policies.tenants().size()) +
              " tenants with ceilings",
          ""};
}

json::object feature_json(const Feature& feature) {
  return {
      {"name", feature.name}, {"state", name(feature.state)}, {"detail", feature.detail}, {"remedy", feature.remedy}};
}

json::object host_json(const HostFacts& facts) {
  json::array controllers, features;
  for (const auto& controller : facts.controllers) controllers.emplace_back(controller);
  for (const auto& feature : features_of(facts)) features.push_back(feature_json(feature));
  return {{"kernel", facts.kernel},
          {"cgroup_root", facts.cgroup_root},
          {"slice", facts.slice},
          {"controllers", std::move(controllers)},
          {"systemd", facts.systemd},
          {"landlock_abi", facts.landlock_abi},
          {"memory_total", facts.memory_total},
          {"cpus", facts.cpus},
          {"features", std::move(features)}};
}

}  // namespace agentos::daemon
