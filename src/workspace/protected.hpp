#pragma once

#include <string_view>

#include "workspace/change.hpp"

namespace agentos::workspace {

// Why a file of this path is held back from a commit: a program outside the sandbox would run it or take orders from
// it. Empty: it is not. `kind` is what is to be there. Pure; upper and lower case are the same, as on some file
// systems.
[[nodiscard]] std::string_view protection_of(std::string_view path, Kind kind);

// Whether a link at `path` with this target leads out of the workspace, as far as the text tells. Pure.
[[nodiscard]] bool leads_out(std::string_view path, std::string_view target);

}  // namespace agentos::workspace
