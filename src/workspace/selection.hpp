#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "agentos/base/result.hpp"

namespace agentos::workspace {

// Paths that a person names: files or whole folders. Without any: everything.
class Selection {
 public:
  Selection() = default;  // everything
  // As given on a command line, relative to the workspace or absolute inside it (`workspace`: its absolute path).
  // Purely by text: no file is looked at. A path outside the workspace, or with "..", is ErrorKind::invalid.
  [[nodiscard]] static Result<Selection> parse(const std::vector<std::string>& paths, std::string_view workspace);

  [[nodiscard]] bool everything() const { return paths_.empty(); }
  [[nodiscard]] bool contains(std::string_view path) const;  // it is named, or is below a folder that is
  [[nodiscard]] const std::set<std::string, std::less<>>& paths() const { return paths_; }

 private:
  std::set<std::string, std::less<>> paths_;
};

// "a/b/c" -> "a/b"; "a" -> "".
[[nodiscard]] constexpr std::string_view parent_of(std::string_view path) {
  const auto slash = path.rfind('/');
  return slash == std::string_view::npos ? std::string_view() : path.substr(0, slash);
}
[[nodiscard]] constexpr std::string_view name_of(std::string_view path) {
  return path.substr(path.rfind('/') + 1);  // npos + 1: the whole
}

}  // namespace agentos::workspace
