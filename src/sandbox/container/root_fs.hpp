#pragma once

#include <span>
#include <vector>

#include "agentos/model/plan.hpp"
#include "sandbox/container/report.hpp"
#include "sandbox/container/templates.hpp"

namespace agentos::container {

// What a root is built from, beside its steps: detached mounts.
struct RootParts {
  std::span<const BuiltPart> built;  // in the place of some of the steps, in their order
  std::span<const int> sources;      // of the other bind steps, in their order; -1: optional and not there
  std::span<const int> grants;       // in the order of their steps
  int workspace{-1};
  int host_proc{-1};
};

// What a bind step shows, with all that is mounted below it, as a detached mount. Empty: it is optional, and not there.
[[nodiscard]] Result<UniqueFd> open_source(const MountStep& step);

// In a copy of the workshop's empty namespace: builds the new root and makes it the root of this process, over the
// empty one. There is nothing else in the namespace afterwards.
void build_root(const std::vector<MountStep>& steps, const RootParts& parts, const Reporter& reporter);

// Mounts what the steps build at `place` in the workshop, read-only. In a process that ends afterwards: it stays in the
// workshop, and this allocates.
void build_part(const std::vector<MountStep>& steps, const Workshop& workshop, const char* place,
                const Reporter& reporter);

}  // namespace agentos::container
