#include "sandbox/compile/compile.hpp"

#include <algorithm>

#include "agentos/base/text.hpp"
#include "agentos/model/places.hpp"
#include "policy/grants.hpp"
#include "sandbox/compile/landlock.hpp"
#include "sandbox/compile/limits.hpp"
#include "sandbox/compile/mounts.hpp"
#include "sandbox/compile/seccomp.hpp"

namespace agentos::sandbox {
namespace {

constexpr std::size_t tenant_max = 32;  // spawnd's limits
constexpr std::size_t mounts_max = 256;

Result<> check_request(const SandboxRequest& request) {
  const auto bad_name = [](const char* what, const std::string& text) {
    return fail(ErrorKind::invalid, std::string(what) + " '" + printable(text) + "' is not a name",
                "use a-z, 0-9, '-' and '_', at most 63");
  };
  if (!is_name(request.agent)) return bad_name("agent id", request.agent);
  if (!is_name(request.tenant)) return bad_name("tenant", request.tenant);
  if (request.tenant.size() > tenant_max) {
    return fail(ErrorKind::invalid, "tenant '" + request.tenant + "' is longer than 32 characters",
                "rename it in agentos.yaml: its name is part of the names of its units");
  }
  if (!request.name.empty() && !is_name(request.name)) return bad_name("agent name", request.name);
  const auto is_agents = [](std::uint32_t id) {
    return id >= UidPool::first && id - UidPool::first < UidPool::slots * UidPool::range;
  };
  constexpr std::uint32_t no_id = ~0U;
  if (is_agents(request.caller_uid) || is_agents(request.caller_gid) || request.caller_uid == no_id ||
      request.caller_gid == no_id) {
    return fail(ErrorKind::forbidden, "the caller's ids belong to agents, and an agent starts no other");
  }
  return check_workspace(request.workspace);
}

// What no sandbox can do without.
Result<> check_host(const HostFacts& facts) {
  struct Need {
    bool there;
    const char* what;
    const char* remedy;
  };
  const Need needs[]{
      {!facts.cgroup_root.empty(), "cgroup v2 is not mounted",
       "mount -t cgroup2 none /sys/fs/cgroup, or boot with systemd.unified_cgroup_hierarchy=1"},
      {facts.clone_into_cgroup, "the kernel cannot start a process in a cgroup (CLONE_INTO_CGROUP)",
       "use Linux 5.14 or newer"},
      {facts.cgroup_kill, "the kernel has no cgroup.kill", "use Linux 5.14 or newer"},
      {facts.cgroup_freeze, "the kernel has no cgroup.freeze", "use Linux 5.14 or newer"},
      {facts.user_namespace, "user namespaces cannot be made", "sysctl -w user.max_user_namespaces=15000"},
      {facts.seccomp_filter, "the kernel takes no seccomp filter", "use a kernel with CONFIG_SECCOMP_FILTER=y"},
  };
  for (const auto& need : needs) {
    if (!need.there)
      return fail(ErrorKind::unsupported, std::string("this host cannot confine agents: ") + need.what, need.remedy);
  }
  return {};
}

Result<> check_mode(WorkspaceMode mode, const HostFacts& facts) {
  if (!has_layer(mode) || facts.overlay) return {};
  return fail(
      ErrorKind::unsupported,
      "this host cannot keep what an agent writes apart (overlayfs over id-mapped mounts), as workspace mode '" +
          std::string(name(mode)) + "' wants",
      "use Linux 5.19 or newer with overlayfs, and ext4, xfs or btrfs below /var/lib; or let the agent write to "
      "the directory itself: --workspace DIR:bind");
}

std::unexpected<Error> refuse_grant(const policy::Stated<policy::Grant>& grant, const std::string& why) {
  return fail(ErrorKind::invalid,
              grant.origin.text() + ": " + policy::key_of(grant.value.access) + ": '" + printable(grant.value.path) +
                  "' " + why,
              "start the agent in another folder, or under another policy");
}

// What is granted has its own rule, and so has the workspace: where one lies in the other it must be clear which holds.
Result<> check_grants(const SandboxRequest& request) {
  const policy::Grants none;
  const auto& grants = request.policy.grants ? *request.policy.grants : none;
  const std::string workspace = "'" + printable(request.workspace) + "'";
  for (const auto& grant : grants) {
    const auto& path = grant.value.path;
    if (const auto fault = fault_of_place(path); !fault.empty()) return refuse_grant(grant, fault);
    if (is_within(path, request.workspace))
      return refuse_grant(grant, "lies in the workspace " + workspace + ", which has its own rule");
    if (grant.value.access == policy::Access::write && is_within(request.workspace, path))
      return refuse_grant(grant, "holds the workspace " + workspace + ", which has its own rule");
  }
  for (const auto& hidden : request.policy.hidden) {
    if (!hidden.value.starts_with('/') || !is_within(request.workspace, hidden.value)) continue;
    return fail(ErrorKind::invalid,
                hidden.origin.text() + ": filesystem.hidden: '" + printable(hidden.value) + "' hides the workspace " +
                    workspace,
                "start the agent in another folder, or under another policy");
  }
  return {};
}

// The same for every agent, and dear to make.
const Result<std::vector<sock_filter>>& filter_of(policy::Seccomp set) {
  static const auto agent = make_filter();
  if (set == policy::Seccomp::agent) return agent;
  static const auto strict = make_filter(policy::Seccomp::strict);
  return strict;
}

Result<> check_size(const Plan& plan, const policy::Policy& rules) {
  if (rules.hidden.empty() && rules.read_only.empty() && !rules.grants) return {};
  SpawndRequest message;
  message.kind = SpawndRequest::Kind::start;
  message.plan = plan;
  if (plan.mounts.size() <= mounts_max && message.encode().size() <= plan_message_max) return {};
  return fail(ErrorKind::exhausted, "the policy names more paths than fit into one plan",
              "name folders instead of what is in them");
}

std::string hostname_of(const SandboxRequest& request) {
  std::string hostname = request.name.empty() ? request.agent : request.name;
  std::ranges::replace(hostname, '_', '-');  // RFC 1123
  return hostname;
}

}  // namespace

Result<Plan> compile(const SandboxRequest& request, const HostFacts& facts, Report& not_enforced) {
  AGENTOS_TRY(check_request(request));
  AGENTOS_TRY(check_host(facts));
  AGENTOS_TRY(check_mode(request.workspace_mode, facts));
  AGENTOS_TRY(check_grants(request));
  const auto& rules = request.policy;
  const auto& filter = filter_of(rules.seccomp ? rules.seccomp->value : policy::Seccomp::agent);
  if (!filter) return std::unexpected(filter.error());
  Plan plan;
  plan.tenant = request.tenant;
  plan.agent = request.agent;
  plan.hostname = hostname_of(request);
  plan.caller_uid = request.caller_uid;
  plan.caller_gid = request.caller_gid;
  plan.workspace_mode = request.workspace_mode;
  plan.cgroup = AGENTOS_TRY(cgroup_settings(request.limits, facts, not_enforced,
                                            rules.on_missing ? rules.on_missing->value : policy::OnMissing::refuse));
  plan.layer_limit = AGENTOS_TRY(layer_limit(request, facts, not_enforced));
  plan.mounts = mount_steps(request, facts, plan.hostname);
  plan.rlimits = rlimit_settings();
  plan.landlock = landlock_rules(facts.landlock_abi, request);
  plan.seccomp = *filter;
  if (plan.landlock.handled_fs == 0) {
    not_enforced.push_back({"Landlock",
                            "mounts and file owners alone keep the agent from writing outside its own directories",
                            "use Linux 5.19 or newer with landlock in its lsm= list"});
  }
  AGENTOS_TRY(check_size(plan, rules));
  return plan;
}

}  // namespace agentos::sandbox
