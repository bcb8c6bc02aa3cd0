#pragma once

#include "agentos/base/result.hpp"
#include "workspace/change.hpp"
#include "workspace/selection.hpp"

namespace agentos::workspace {

// Drops from the layer what the agent did to these paths: each is then again as it is in the workspace, which is not
// touched. The agent must have ended. not_found: there is nothing of a path in the layer. conflict: another commit or
// discard of this layer is at work. Stopped in the middle, each path is dropped or not; do it again.
[[nodiscard]] Result<> discard(const Layer& layer, const Selection& selection);

}  // namespace agentos::workspace
