#include "workspace/selection.hpp"

#include "agentos/base/text.hpp"

namespace agentos::workspace {

Result<Selection> Selection::parse(const std::vector<std::string>& paths, std::string_view workspace) {
  Selection selection;
  bool everything = false;
  for (const auto& given : paths) {
    std::string_view rest = given;
    if (given.empty() || given.find('\0') != std::string::npos) return fail(ErrorKind::invalid, "an empty path");
    if (rest.starts_with('/')) {
      const bool inside = rest.starts_with(workspace) && (rest.size() == workspace.size() || workspace.ends_with('/') ||
                                                          rest[workspace.size()] == '/');
      if (!inside) {
        return fail(ErrorKind::invalid, printable(given) + " is not in the agent's workspace " + printable(workspace));
      }
      rest.remove_prefix(workspace.size());
    }
    std::string path;
    while (!rest.empty()) {
      const auto part = rest.substr(0, rest.find('/'));
      rest.remove_prefix(std::min(rest.size(), part.size() + 1));
      if (part.empty() || part == ".") continue;
      if (part == "..") {
        return fail(ErrorKind::invalid, printable(given) + ": a path with '..' in it",
                    "name it from the workspace, " + printable(workspace));
      }
      path += (path.empty() ? "" : "/") + std::string(part);
    }
    everything = everything || path.empty();
    selection.paths_.insert(std::move(path));
  }
  if (everything) selection.paths_.clear();
  return selection;
}

bool Selection::contains(std::string_view path) const {
  if (everything()) return true;
  for (; !path.empty(); path = parent_of(path)) {
    if (paths_.contains(path)) return true;
  }
  return false;
}

}  // namespace agentos::workspace
