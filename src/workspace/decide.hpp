#pragma once

#include <string_view>
#include <vector>

#include "workspace/selection.hpp"
#include "workspace/walk.hpp"

namespace agentos::workspace {

enum class Verdict : std::uint8_t {
  keep,      // not asked for: stays in the layer
  nothing,   // is as in the workspace already: only dropped from the layer
  commit,    //
  left_out,  // dropped from the layer without being committed: a socket or device
  unwanted,  // held back: cannot be committed, see Change::obstacle
  guarded,   // held back: protected, and not allowed by name
  conflict,  // held back, see Change::conflict
  depends,   // held back: a folder it needs or holds something that is held back
};
[[nodiscard]] constexpr bool is_held(Verdict verdict) {
  return verdict >= Verdict::unwanted;
}

// What becomes of each entry. Pure. `allowed`: protected paths that may be committed (nothing is allowed by an
// empty one). `force`: also where there is a conflict.
[[nodiscard]] std::vector<Verdict> decide(const std::vector<Entry>& entries, const Selection& allowed, bool force);

}  // namespace agentos::workspace
