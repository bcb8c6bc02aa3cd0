#pragma once

#include <string>
#include <string_view>

// Paths in policies: exact files or folders, as the agent sees them. "/usr/bin/gdb" is one of the host, "./secrets" one
// in the workspace, "~/.cache/pip" one in the home of whoever starts the agent.
namespace agentos::policy {

constexpr std::size_t path_bytes_max = 512;
constexpr std::size_t path_depth_max = 16;  // names in a path of the workspace: each above the last is a mount

struct PathFault {
  std::string what, hint;  // empty: none
};

// Names what is wrong with how it is written, whatever it is for.
[[nodiscard]] PathFault fault_of_path(std::string_view path);
// With what it is for: an entry of filesystem.hidden, or a path of the host to be granted.
[[nodiscard]] PathFault fault_of_hidden(std::string_view path);
[[nodiscard]] PathFault fault_of_grant(std::string_view path);

}  // namespace agentos::policy
