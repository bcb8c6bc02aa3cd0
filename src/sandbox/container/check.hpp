#pragma once

#include "agentos/base/result.hpp"
#include "agentos/model/plan.hpp"

namespace agentos::container {

// Whether root may execute this plan, whoever sent it. agentosd is not trusted: were it taken over, what it could still
// ask for is what passes here. Pure. The facts that need a descriptor (caller, workspace) are checked in start().
[[nodiscard]] Result<> check(const Plan& plan);

}  // namespace agentos::container
