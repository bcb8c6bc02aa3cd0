#pragma once

#include <string>

#include "agentos/base/fd.hpp"
#include "agentos/base/result.hpp"

namespace agentos::cli {

// The folder an agent works in, opened with the caller's rights: agentosd and spawnd are given the descriptor, never a
// path to open.
struct Workspace {
  UniqueFd fd;
  std::string path;  // absolute, without links: what the descriptor is
};

// `path` as the user wrote it; empty: the current folder.
[[nodiscard]] Result<Workspace> open_workspace(const std::string& path);

}  // namespace agentos::cli
