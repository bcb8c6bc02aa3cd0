#pragma once

#include <vector>

#include "agentos/model/host_facts.hpp"
#include "agentos/model/limits.hpp"
#include "agentos/model/plan.hpp"
#include "sandbox/compile/compile.hpp"

namespace agentos::sandbox {

// What is written into the agent's cgroup. invalid: a limit makes no sense. unsupported: one was asked for whose
// controller this host does not have. Defaults that it cannot enforce are added to the report.
[[nodiscard]] Result<std::vector<CgroupSetting>> cgroup_settings(const Limits& limits, const HostFacts& facts,
                                                                 Report& not_enforced);

// Per process, the same on every host.
[[nodiscard]] std::vector<RlimitSetting> rlimit_settings();

}  // namespace agentos::sandbox
