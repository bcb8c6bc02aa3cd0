#include "policy/paths.hpp"

#include <algorithm>

#include "agentos/base/text.hpp"
#include "agentos/model/places.hpp"

namespace agentos::policy {
namespace {

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

PathFault fault_of_path(std::string_view path) {
  constexpr const char* how = "write './NAME' for what is in the workspace, or a path that begins with '/' or '~/'";
  if (path.empty()) return {"an empty path", how};
  if (path.size() > path_bytes_max) return {"a path longer than 512 bytes", {}};
  if (std::ranges::any_of(path, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }))
    return {"a path with a control character in it", {}};
  if (path.starts_with('~') && !path.starts_with("~/"))
    return {"'~' stands only for the home of whoever starts the agent", "write '~/NAME'"};
  if (path.find_first_of("*?[") != std::string_view::npos)
    return {"a path with '*', '?' or '[' in it", "patterns are not known: name a file or a folder"};
  if (path == "." || path == "./")
    return {"the whole workspace", "filesystem.workspace says how the agent sees it: ro, or empty"};
  const bool absolute = path.starts_with('/');
  const bool of_home = path.starts_with('~');
  // So that no word is a path by chance: 'true' and '1' mean something else to other readers of YAML.
  if (!absolute && !of_home && !path.starts_with("./"))
    return {"a path that begins with none of '/', '~/' and './'", how};
  const auto names = path.substr(absolute ? 1 : 2);
  std::size_t depth = 0;
  if (const auto fault = fault_of_names(names, depth); !fault.empty())
    return {"a path that " + std::string(fault), "there must be one way only to write it"};
  if (!absolute && !of_home && depth > path_depth_max) return {"a path with more than 16 names in it", {}};
  return {};
}

PathFault fault_of_hidden(std::string_view path) {
  if (auto fault = fault_of_path(path); !fault.what.empty()) return fault;
  if (!path.starts_with('/')) return {};
  for (const std::string_view folder : {"/usr", "/etc"}) {
    if (path == folder) return {"no program runs without " + std::string(folder), "name what is in it"};
    if (is_within(path, folder)) return {};
  }
  if (!is_of_the_system(path)) return {};
  return {"agents do not see '" + printable(path.substr(0, path.find('/', 1))) + "' of the host",
          "what can be hidden is in /usr, in /etc, in the workspace and in what is granted"};
}

PathFault fault_of_grant(std::string_view path) {
  if (auto fault = fault_of_path(path); !fault.what.empty()) return fault;
  if (path.starts_with('.')) {
    return {"what is in the workspace is not granted by its path",
            "filesystem.workspace says whether the workspace can be written"};
  }
  if (path.starts_with('~')) return {};
  if (is_within(path, "/usr") || is_within(path, "/etc"))
    return {"what agents see of /usr and /etc is the same for all, and read-only", "remove it"};
  if (const auto fault = fault_of_place(path); !fault.empty())
    return {"'" + printable(path) + "' " + fault, "it is never given to an agent"};
  return {};
}

}  // namespace agentos::policy
