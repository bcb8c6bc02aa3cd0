#pragma once

#include "workspace/walk.hpp"

namespace agentos::workspace {

// Fills in whether and how `entry` differs from its counterpart: two folders, by their descriptors (attributes, mode
// and times of the folders themselves).
[[nodiscard]] Result<> compare_folders(Entry& entry, int upper, int lower);
// Two that are no folders, in these. Reads content where sizes are equal.
[[nodiscard]] Result<> compare_files(Entry& entry, int upper_parent, int lower_parent, const std::string& name);

}  // namespace agentos::workspace
