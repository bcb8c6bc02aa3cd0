#pragma once

#include <string_view>
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

// What the agent may write over its workspace, from the policy. unsupported: it asks for that, this host cannot, and it
// does not say to warn only. forbidden: the same of a workspace that is written to itself.
[[nodiscard]] Result<LayerSpace> layer_limit(const SandboxRequest& request, const HostFacts& facts,
                                             Report& not_enforced);

constexpr std::string_view layer_quota_remedy =
    "keep /var/lib/agentos-spawnd on ext4 (tune2fs -O project,quota DEVICE while it is not mounted) or xfs, and mount "
    "it "
    "with the option prjquota; then restart agentos-spawnd";

// Per process, the same on every host and for agentos-init.
[[nodiscard]] std::vector<RlimitSetting> rlimit_settings();

// What the policy adds for the agent's own processes: agentos-init sets it when it starts them.
[[nodiscard]] std::vector<ProgramLimit> program_limits(const policy::Policy& policy);

}  // namespace agentos::sandbox
