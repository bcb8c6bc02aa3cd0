#pragma once

#include <string>
#include <string_view>

// Paths in policies: exact files or folders, as the agent sees them. "/usr/bin/gdb" is one of the host's programs,
// "./secrets" one in the workspace.
namespace agentos::policy {

constexpr std::size_t path_bytes_max = 512;
constexpr std::size_t path_depth_max = 16;  // names in a path of the workspace: each above the last is a mount

struct PathFault {
  std::string what, hint;  // empty: none
};

// `hidden`: for filesystem.hidden, else for read_only. Names what is wrong with it.
[[nodiscard]] PathFault fault_of_path(std::string_view path, bool hidden);

}  // namespace agentos::policy
