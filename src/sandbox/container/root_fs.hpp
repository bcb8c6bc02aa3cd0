#pragma once

#include <vector>

#include "agentos/model/plan.hpp"
#include "sandbox/container/report.hpp"

namespace agentos::container {

// Builds the new root from the steps and makes it the root of this mount namespace; the old one is gone.
void build_root(const std::vector<MountStep>& steps, int workspace_mount, const Reporter& reporter);

}  // namespace agentos::container
