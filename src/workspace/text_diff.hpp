#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "agentos/base/result.hpp"

namespace agentos::workspace {

constexpr std::size_t diff_bytes_max = 4UL * 1024 * 1024;  // of one side
constexpr std::size_t diff_lines_max = 20000;  // of one side, apart from what both begin and end with: about a second

struct TextDiff {
  std::string hunks;  // "@@ -1,3 +1,4 @@" and what follows, with three lines of context, as git prints them
  std::size_t insertions{}, deletions{};  // lines
};

// How two texts differ, by lines. Pure. exhausted: a side is past diff_bytes_max or diff_lines_max.
[[nodiscard]] Result<TextDiff> diff_text(std::string_view before, std::string_view after);

}  // namespace agentos::workspace
