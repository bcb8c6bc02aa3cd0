#pragma once

#include <span>
#include <string>
#include <vector>

#include "agentos/base/result.hpp"
#include "policy/policy.hpp"

namespace agentos::policy {

// What is allowed by all of the ceilings (policies of administrators and of the tenant, in any order) and asked for by
// the wishes (a user's file, then what the command line says). Of limits the smallest holds, hidden and read-only paths
// add up, what may pass from the environment is what all let pass, and of the host's paths those that all grant are
// granted, but for what is hidden. A wish above what is before it is refused, never
// lowered: each reason names both places. What nobody set is as without a policy: the strictest choice where there is a
// choice. invalid: one reason a line.
[[nodiscard]] Result<Policy> compose(std::span<const Policy> ceilings, std::span<const Policy> wishes = {});

// Why these variables, which the caller gave by name, may not enter. Empty: they may.
[[nodiscard]] std::vector<std::string> refusals(const Policy& policy, std::span<const std::string> variables);

// Names that enter from the caller's environment by themselves.
[[nodiscard]] std::vector<std::string> passed_names(const Policy& policy);

constexpr const char* built_in = "built in";

}  // namespace agentos::policy
