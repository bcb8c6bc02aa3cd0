#include "daemon/planning.hpp"

#include "sandbox/compile/limits.hpp"

namespace agentos::daemon {

Result<Compiled> compile(const Agent& agent, const policy::Policy& policy, const HostFacts& facts) {
  const sandbox::SandboxRequest request{.agent = agent.id,
                                        .name = agent.name,
                                        .tenant = agent.tenant,
                                        .caller_uid = agent.owner_uid,
                                        .caller_gid = agent.owner_gid,
                                        .workspace = agent.workspace,
                                        .workspace_mode = agent.workspace_mode,
                                        .limits = agent.limits,
                                        .policy = policy};
  Compiled compiled;
  compiled.plan = AGENTOS_TRY(sandbox::compile(request, facts, compiled.not_enforced));
  return compiled;
}

Result<process::Agents::Planned> plan(const Agent& agent, const policy::Policy& policy, const HostFacts& facts) {
  auto compiled = AGENTOS_TRY(compile(agent, policy, facts));
  process::Agents::Planned planned{std::move(compiled.plan), {}, sandbox::program_limits(policy)};
  for (const auto& row : compiled.not_enforced) planned.not_enforced.push_back(row.feature);
  return planned;
}

}  // namespace agentos::daemon
