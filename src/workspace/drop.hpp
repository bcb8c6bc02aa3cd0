#pragma once

#include <vector>

#include "workspace/walk.hpp"

namespace agentos::workspace {

// For each entry that is a folder: whether everything in it, and itself, is done.
[[nodiscard]] std::vector<bool> complete_folders(const std::vector<Entry>& entries, const std::vector<bool>& done);

// Takes out of the layer what is in the workspace now (`done`). What stands below an opaque folder, and files with
// several names, go only when all of it is done: until then they are in both and no change.
[[nodiscard]] Result<> drop(const Layer& layer, const std::vector<Entry>& entries, const std::vector<bool>& done);

}  // namespace agentos::workspace
