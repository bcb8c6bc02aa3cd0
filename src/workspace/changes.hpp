#pragma once

#include <vector>

#include "agentos/base/result.hpp"
#include "workspace/change.hpp"
#include "workspace/selection.hpp"

namespace agentos::workspace {

// What the agent changed, each folder before what is in it, by name within a folder. Reads the layer and what it
// changes in the workspace only: the cost does not depend on the rest of the workspace.
[[nodiscard]] Result<std::vector<Change>> changes(const Layer& layer, const Selection& selection);

// The content of one side of a changed path: of a file, or the target of a link. `root` is Layer::lower or upper.
// exhausted: larger than `limit` bytes.
[[nodiscard]] Result<std::string> content_of(int root, const std::string& path, Kind kind, std::size_t limit);

}  // namespace agentos::workspace
