#pragma once

#include <string>
#include <string_view>

#include "workspace/change.hpp"

namespace agentos::cli {

// How one change is told, as git tells it, so that `git apply` takes it where it is of text files and links. What git
// does not know (folders, attributes, times) stands in lines that begin with '#', which it passes over.
struct Patch {
  std::string text;                       // the bytes as they are, not fit for a terminal
  std::size_t insertions{}, deletions{};  // lines
  bool counted{};                         // the lines could be counted: it is text, and not too much
};
[[nodiscard]] Patch patch_of(const workspace::Layer& layer, const workspace::Change& change);

// A name as git writes it: as it is, or in quotes with escapes where it has bytes that would break a line or fool a
// reader.
[[nodiscard]] std::string quoted(std::string_view path);

// For a terminal: escape sequences made visible; with colours where `colour`.
[[nodiscard]] std::string for_terminal(std::string_view patch, bool colour);

}  // namespace agentos::cli
