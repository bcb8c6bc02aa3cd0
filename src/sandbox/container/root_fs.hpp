#pragma once

#include <span>
#include <vector>

#include "agentos/model/plan.hpp"
#include "sandbox/container/report.hpp"

namespace agentos::container {

// Builds the new root from the steps and makes it the root of this mount namespace; the old one is gone.
// The mounts are detached; those of the grants are in the order of their steps.
void build_root(const std::vector<MountStep>& steps, int workspace_mount, std::span<const int> grant_mounts,
                const Reporter& reporter);

}  // namespace agentos::container
