#pragma once

#include <optional>
#include <vector>

#include "agentos/base/fd.hpp"
#include "agentos/base/result.hpp"
#include "workspace/decide.hpp"

namespace agentos::workspace {

struct CommitRequest {
  Selection selection;
  Selection allowed{};  // protected paths that may be committed; nothing is allowed by an empty one
  bool force{};         // also where there is a conflict: the agent's wins
  bool dry_run{};       // decide and tell only
};

// What became of one change that was asked for.
struct Outcome {
  Change change;
  Verdict verdict{};
  std::optional<Error> failure{};  // of one that was to be committed or left out
};

// Puts the agent's changes into the workspace and drops from the layer what is there then. Each path is old or new at
// any moment, whatever ends the process or takes the power, and nothing leaves the layer before it is on the disk; the
// next commit goes on where this one stopped. The agent must have ended.
// conflict: another commit or discard of this layer is at work. A path that fails does not stop the others, but
// exhausted (no space) does.
[[nodiscard]] Result<std::vector<Outcome>> commit(const Layer& layer, const CommitRequest& request);

// Held while a commit or discard is at work in a layer.
[[nodiscard]] Result<UniqueFd> lock_layer(const Layer& layer);

}  // namespace agentos::workspace
