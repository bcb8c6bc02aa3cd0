#pragma once

#include <string>

#include "agentos/base/result.hpp"
#include "agentos/model/agent.hpp"
#include "agentos/model/host_facts.hpp"
#include "policy/policy.hpp"
#include "process/agents.hpp"
#include "sandbox/compile/compile.hpp"

namespace agentos::daemon {

struct Compiled {
  Plan plan;
  sandbox::Report not_enforced;
};
// The plan of this agent under this policy, the same for a start and for a question about it.
[[nodiscard]] Result<Compiled> compile(const Agent& agent, const policy::Policy& policy, const HostFacts& facts);

// The same as the process manager wants it.
[[nodiscard]] Result<process::Agents::Planned> plan(const Agent& agent, const policy::Policy& policy,
                                                    const HostFacts& facts);

}  // namespace agentos::daemon
