#pragma once

#include <span>
#include <vector>

#include "agentos/model/plan.hpp"
#include "sandbox/container/report.hpp"
#include "sandbox/container/templates.hpp"

namespace agentos::container {

// Builds the new root from the steps, with `parts` (in their order) in the place of theirs, and makes it the root of
// this mount namespace; the old one is gone. The mounts are detached; those of the grants are in the order of their
// steps.
void build_root(const std::vector<MountStep>& steps, std::span<const BuiltPart> parts, int workspace_mount,
                std::span<const int> grant_mounts, const Reporter& reporter);

// Mounts what the steps build at `place` in the workshop, read-only. In a process that ends afterwards: it stays in the
// workshop, and this allocates.
void build_part(const std::vector<MountStep>& steps, const Workshop& workshop, const char* place,
                const Reporter& reporter);

}  // namespace agentos::container
