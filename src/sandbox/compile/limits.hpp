#pragma once

#include <vector>

#include "agentos/model/host_facts.hpp"
#include "agentos/model/init_spec.hpp"
#include "agentos/model/limits.hpp"
#include "agentos/model/plan.hpp"
#include "sandbox/compile/compile.hpp"

namespace agentos::sandbox {

// What is written into the agent's cgroup. invalid: a limit makes no sense. unsupported: one was asked for whose
// controller this host does not have, and the policy refuses then; else it is added to the report, as are defaults that
// the host cannot enforce.
[[nodiscard]] Result<std::vector<CgroupSetting>> cgroup_settings(
    const Limits& limits, const HostFacts& facts, Report& not_enforced,
    policy::OnMissing on_missing = policy::OnMissing::refuse);

// Per process, the same on every host and for agentos-init.
[[nodiscard]] std::vector<RlimitSetting> rlimit_settings();

// What the policy adds for the agent's own processes: agentos-init sets it when it starts them.
[[nodiscard]] std::vector<ProgramLimit> program_limits(const policy::Policy& policy);

}  // namespace agentos::sandbox
