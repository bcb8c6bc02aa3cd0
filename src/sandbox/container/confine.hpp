#pragma once

#include <vector>

#include "agentos/model/plan.hpp"
#include "sandbox/container/report.hpp"

namespace agentos::container {

// In this order, each irreversible for the process and all it starts.
void set_limits(const std::vector<RlimitSetting>& rlimits, const Reporter& reporter);
void restrict_with_landlock(const LandlockRules& rules, int init_binary, const Reporter& reporter);
// Leaves what agentos-init needs to start programs as the agent: CAP_SETUID, SETGID, SETPCAP, KILL in its user
// namespace.
void drop_capabilities(const Reporter& reporter);
void install_filter(const std::vector<sock_filter>& filter, const Reporter& reporter);

}  // namespace agentos::container
