#include "workspace/text_diff.hpp"

#include <algorithm>
#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

#include <dtl/dtl.hpp>

namespace agentos::workspace {
namespace {

constexpr std::size_t context = 3;

// With their line ends: a last line without one differs from the same line with one.
std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const auto end = text.find('\n');
    const auto line = text.substr(0, end == std::string_view::npos ? end : end + 1);
    lines.push_back(line);
    text.remove_prefix(line.size());
  }
  return lines;
}

struct Step {
  char sign;  // ' ', '-' or '+'
  std::string_view line;
};

using Lines = std::span<const std::string_view>;

// The shortest way from one to the other, deletions before insertions.
std::vector<Step> compare(Lines before, Lines after) {
  std::unordered_map<std::string_view, std::uint32_t> numbers;
  const auto numbered = [&](Lines lines) {
    std::vector<std::uint32_t> result;
    for (const auto line : lines)
      result.push_back(numbers.try_emplace(line, static_cast<std::uint32_t>(numbers.size())).first->second);
    return result;
  };
  dtl::Diff<std::uint32_t> diff(numbered(before), numbered(after), true);
  diff.compose();
  std::vector<Step> steps;
  std::size_t old_line = 0, new_line = 0;
  std::vector<Step> insertions;
  const auto flush = [&] {
    steps.insert(steps.end(), insertions.begin(), insertions.end());
    insertions.clear();
  };
  const auto script = diff.getSes().getSequence();
  for (const auto& [number, step] : script) {
    if (step.type == dtl::SES_ADD) {
      insertions.push_back({'+', after[new_line++]});
    } else if (step.type == dtl::SES_DELETE) {
      steps.push_back({'-', before[old_line++]});
    } else {
      flush();
      steps.push_back({' ', before[old_line++]});
      ++new_line;
    }
  }
  flush();
  return steps;
}

void put_line(std::string& to, const Step& step) {
  to += step.sign;
  to += step.line;
  if (!step.line.ends_with('\n')) to += "\n\\ No newline at end of file\n";
}

// "12,3"; where it has no lines, the line before it.
std::string range(std::size_t first, std::size_t count) {
  if (count == 1) return std::to_string(first + 1);
  return std::to_string(count == 0 ? first : first + 1) + "," + std::to_string(count);
}

// `offset`: lines that both begin with and that are not among the steps.
std::string hunks_of(const std::vector<Step>& steps, std::size_t offset) {
  std::string text;
  std::size_t old_line = offset, new_line = offset, at = 0;
  const auto is_change = [](const Step& step) { return step.sign != ' '; };
  while (at < steps.size()) {
    const auto change = static_cast<std::size_t>(
        std::find_if(steps.begin() + static_cast<std::ptrdiff_t>(at), steps.end(), is_change) - steps.begin());
    if (change == steps.size()) break;
    const auto first = std::max(at, change - std::min(change, context));
    old_line += first - at;
    new_line += first - at;
    // Changes with no more than twice the context between them are told together.
    std::size_t last = change;
    for (std::size_t i = change; i < steps.size() && i <= last + 2 * context; ++i) {
      if (is_change(steps[i])) last = i;
    }
    const auto end = std::min(steps.size(), last + 1 + context);
    std::string body;
    std::size_t olds = 0, news = 0;
    for (std::size_t i = first; i < end; ++i) {
      put_line(body, steps[i]);
      olds += steps[i].sign != '+' ? 1 : 0;
      news += steps[i].sign != '-' ? 1 : 0;
    }
    text += "@@ -" + range(old_line, olds) + " +" + range(new_line, news) + " @@\n" + body;
    old_line += olds;
    new_line += news;
    at = end;
  }
  return text;
}

}  // namespace

Result<TextDiff> diff_text(std::string_view before, std::string_view after) {
  if (before.size() > diff_bytes_max || after.size() > diff_bytes_max)
    return fail(ErrorKind::exhausted, "larger than " + std::to_string(diff_bytes_max) + " bytes");
  const auto olds = lines_of(before);
  const auto news = lines_of(after);
  const auto shorter = std::min(olds.size(), news.size());
  std::size_t head = 0, tail = 0;
  while (head < shorter && olds[head] == news[head]) ++head;
  while (tail < shorter - head && olds[olds.size() - 1 - tail] == news[news.size() - 1 - tail]) ++tail;
  if (std::max(olds.size(), news.size()) - head - tail > diff_lines_max)
    return fail(ErrorKind::exhausted, "more than " + std::to_string(diff_lines_max) + " lines differ");
  // With as much of what is common as the hunks show.
  const auto skip = head - std::min(head, context);
  const auto rest = tail - std::min(tail, context);
  const auto steps = compare(Lines(olds).subspan(skip, olds.size() - skip - rest),
                             Lines(news).subspan(skip, news.size() - skip - rest));
  TextDiff diff;
  diff.hunks = hunks_of(steps, skip);
  diff.insertions = static_cast<std::size_t>(std::ranges::count(steps, '+', &Step::sign));
  diff.deletions = static_cast<std::size_t>(std::ranges::count(steps, '-', &Step::sign));
  return diff;
}

}  // namespace agentos::workspace
