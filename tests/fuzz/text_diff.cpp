#include "workspace/text_diff.hpp"

#include <charconv>
#include <string>
#include <vector>

#include "fuzz.hpp"

namespace {

using namespace agentos;

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const auto line = text.substr(0, text.find('\n') == text.npos ? text.npos : text.find('\n') + 1);
    lines.emplace_back(line);
    text.remove_prefix(line.size());
  }
  return lines;
}

// What patch(1) would make of it.
std::string patched(std::string_view before, std::string_view hunks) {
  const auto olds = lines_of(before);
  const auto steps = lines_of(hunks);
  std::string result;
  std::size_t next = 0;
  for (std::size_t at = 0; at < steps.size(); ++at) {
    const std::string& step = steps[at];
    if (step.starts_with("@@ -")) {
      std::size_t first{}, count = 1;
      const auto* end = step.data() + step.size();
      const auto number = std::from_chars(step.data() + 4, end, first);
      if (*number.ptr == ',') std::from_chars(number.ptr + 1, end, count);
      for (const auto until = count == 0 ? first : first - 1; next < until;) result += olds.at(next++);
      continue;
    }
    if (step.starts_with('\\')) continue;
    auto line = step.substr(1);
    if (at + 1 < steps.size() && steps[at + 1].starts_with('\\')) line.pop_back();
    if (step[0] != '+') AGENTOS_ASSERT(olds.at(next++) == line);
    if (step[0] != '-') result += line;
  }
  while (next < olds.size()) result += olds[next++];
  return result;
}

}  // namespace

// Two texts of an agent's, one behind the other with a zero byte between: the difference makes the one from the other.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto text = fuzz::text_of(data, size);
  const auto zero = text.find('\0');
  if (zero == text.npos || size > 20'000) return 0;  // the time it takes grows with the square of the lines
  const auto before = text.substr(0, zero), after = text.substr(zero + 1);
  const auto diff = workspace::diff_text(before, after);
  AGENTOS_ASSERT(diff && diff->hunks.empty() == (before == after));
  AGENTOS_ASSERT(patched(before, diff->hunks) == after);
  return 0;
}
