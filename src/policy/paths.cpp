#include "policy/paths.hpp"

#include <algorithm>

#include "agentos/base/text.hpp"

namespace agentos::policy {
namespace {

bool is_within(std::string_view path, std::string_view folder) {
  return path.starts_with(folder) && (path.size() == folder.size() || path[folder.size()] == '/');
}

// Names between the slashes; empty: fine.
std::string_view fault_of_names(std::string_view path, std::size_t& names) {
  names = 0;
  for (;;) {
    const auto name = path.substr(0, path.find('/'));
    if (name.empty()) return "has an empty name in it, or ends in '/'";
    if (name == "." || name == "..") return "has '.' or '..' in it";
    if (name.size() > 255) return "has a name longer than 255 bytes in it";
    ++names;
    if (name.size() == path.size()) return {};
    path.remove_prefix(name.size() + 1);
  }
}

}  // namespace

PathFault fault_of_path(std::string_view path, bool hidden) {
  constexpr const char* how = "write './NAME' for what is in the workspace, or an absolute path";
  if (path.empty()) return {"an empty path", how};
  if (path.size() > path_bytes_max) return {"a path longer than 512 bytes", {}};
  if (std::ranges::any_of(path, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }))
    return {"a path with a control character in it", {}};
  if (path.starts_with('~')) return {"'~' is not known here", how};
  if (path.find_first_of("*?[") != std::string_view::npos)
    return {"a path with '*', '?' or '[' in it", "patterns are not known: name a file or a folder"};
  if (path == "." || path == "./")
    return {"the whole workspace", "filesystem.workspace says how the agent sees it: ro, or empty"};
  const bool absolute = path.starts_with('/');
  // So that no word is a path by chance: 'true' and '1' mean something else to other readers of YAML.
  if (!absolute && !path.starts_with("./")) return {"a path that begins with neither '/' nor './'", how};
  const auto names = path.substr(absolute ? 1 : 2);
  std::size_t depth = 0;
  if (const auto fault = fault_of_names(names, depth); !fault.empty())
    return {"a path that " + std::string(fault), "there must be one way only to write it"};
  if (!absolute) {
    if (depth > path_depth_max) return {"a path with more than 16 names in it", {}};
    return {};
  }
  if (!hidden) {
    if (is_within(path, "/usr") || is_within(path, "/etc"))
      return {"what agents see of /usr and /etc is read-only already", "remove it"};
    return {"paths of the host are not yet known in read_only", "write './NAME' for what is in the workspace"};
  }
  for (const std::string_view folder : {"/usr", "/etc"}) {
    if (path == folder) return {"no program runs without " + std::string(folder), "name what is in it"};
    if (is_within(path, folder)) return {};
  }
  return {"agents do not see '" + printable(path.substr(0, path.find('/', 1))) + "' of the host",
          "what can be hidden is in /usr, in /etc or in the workspace"};
}

}  // namespace agentos::policy
