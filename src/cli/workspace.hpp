#pragma once

#include <optional>
#include <string>

#include "agentos/base/fd.hpp"
#include "agentos/base/result.hpp"
#include "agentos/model/workspace.hpp"

namespace agentos::cli {

// The folder an agent works in, opened with the caller's rights: agentosd and spawnd are given the descriptor, never a
// path to open.
struct Workspace {
  UniqueFd fd;
  std::string path;  // absolute, without links: what the descriptor is
  std::optional<WorkspaceMode> mode;
};

// "DIR", "DIR:MODE" or ":MODE" as the user wrote it; without DIR the current folder. Only a word that is a mode is
// taken for one, so that folders may have a ':' in their names.
[[nodiscard]] Result<Workspace> open_workspace(const std::string& argument);

}  // namespace agentos::cli
