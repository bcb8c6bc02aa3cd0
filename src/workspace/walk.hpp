#pragma once

#include <sys/stat.h>

#include <cstddef>
#include <string>
#include <vector>

#include "agentos/base/result.hpp"
#include "workspace/change.hpp"
#include "workspace/selection.hpp"

namespace agentos::workspace {

constexpr std::size_t no_entry = static_cast<std::size_t>(-1);

// One path of the layer, or one of the workspace that the layer hides; also those that are no change.
struct Entry {
  Change change;
  struct stat upper{}, lower{};  // valid where the side has a kind, or is a whiteout
  bool selected{};               // named by who asks
  bool in_upper{};               // false: only in the workspace, below a deleted or replaced folder
  bool whiteout{};
  bool opaque{};                    // a folder that hides the workspace's of the same path
  std::size_t hidden_by{no_entry};  // the outermost opaque folder above it, or itself
  std::size_t linked_to{no_entry};  // the first entry that is the same file of the layer
  bool copied_up{};                 // came from the workspace, perhaps from another path
  bool may_be_gone{};               // and the folder it is in has changed in the workspace, not by a commit
};

enum class Access : std::uint8_t {
  look,   // changes nothing
  write,  // removes what an interrupted commit left, and makes readable what the layer's modes hide from their owner
};

// Every entry of the layer, each folder before what is in it, by name within a folder. What is not selected is not
// compared: it counts as modified. exhausted: more than max_entries.
[[nodiscard]] Result<std::vector<Entry>> walk(const Layer& layer, const Selection& selection, Access access);

// The name under which commit makes a file before it takes its place.
[[nodiscard]] std::string temporary_name(const Layer& layer);

// On a folder of the layer into whose counterpart a commit has begun to write.
constexpr const char* written_mark = "agentos.written";

}  // namespace agentos::workspace
