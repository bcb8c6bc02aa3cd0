#pragma once

#include <vector>

#include "workspace/walk.hpp"

// What can only be said of all entries together. Pure.
namespace agentos::workspace {

// Finds the names that are one file in the layer (Entry::linked_to), and calls those modified that are as the
// workspace's but are not one file there.
void link_entries(std::vector<Entry>& entries);

// A file that was copied up has another path than before when the agent renamed or linked it; without that, what it was
// copied from has been removed from the workspace since. Each renaming leaves a whiteout, so files without a
// counterpart are said to be gone only as far as there are more of them than whiteouts of files.
void find_gone(std::vector<Entry>& entries);

}  // namespace agentos::workspace
