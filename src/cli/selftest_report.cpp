#include "cli/selftest_report.hpp"

#include <algorithm>
#include <charconv>

#include <boost/json/array.hpp>

#include "agentos/base/text.hpp"
#include "cli/table.hpp"

namespace agentos::cli {
namespace {

constexpr std::size_t fields_of_a_case = 7;

std::string group_named(std::string_view letter) {
  if (letter == "a") return "identity";
  if (letter == "b") return "descriptors";
  if (letter == "d") return "system calls";
  if (letter == "e") return "terminals and IPC";
  return std::string(letter);
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (;;) {
    const auto end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

template <class T>
std::optional<T> number_of(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

Result<SelftestReport> SelftestReport::parse(std::string_view lines) {
  SelftestReport report;
  bool complete = false;
  for (const auto line : split(lines, '\n')) {
    const auto fields = split(line, '\t');
    if (fields.size() == 2 && fields[0] == "end") {
      complete = number_of<std::size_t>(fields[1]) == report.cases_.size() && !report.cases_.empty();
    } else if (fields.size() == fields_of_a_case && !complete && (fields[2] == "held" || fields[2] == "open")) {
      report.cases_.push_back({.group = group_named(fields[0]),
                               .name = std::string(fields[1]),
                               .expected = std::string(fields[3]),
                               .found = std::string(fields[4]),
                               .mechanism = std::string(fields[5]),
                               .held = fields[2] == "held",
                               .call = number_of<int>(fields[6].substr(0, fields[6].find(' ')))});
    } else if (!line.empty()) {
      return fail(ErrorKind::invalid, "the probe said '" + printable(line.substr(0, 200)) + "'",
                  "install the programs of one version");
    }
  }
  if (complete) return report;
  return fail(ErrorKind::invalid,
              "the probe did not come to its end: it told of " + std::to_string(report.cases_.size()) + " cases",
              "'agentos run' should work first: see agentos doctor");
}

std::size_t SelftestReport::open() const {
  return static_cast<std::size_t>(std::ranges::count(cases_, false, &Case::held));
}

void SelftestReport::explain_calls(const std::map<int, std::string>& reasons) {
  for (auto& one : cases_) {
    const auto reason = one.call ? reasons.find(*one.call) : reasons.end();
    if (reason != reasons.end()) one.mechanism += ": " + reason->second;
  }
}

std::string SelftestReport::text() const {
  Table table({"STATE", "GROUP", "CASE", "EXPECTED", "FOUND", "MECHANISM"});
  for (const auto& one : cases_) {
    // Of what is open the mechanism is the one that is missing.
    table.add({one.held ? "held" : "OPEN", one.group, one.name, one.expected, one.found, one.mechanism});
  }
  std::string text =
      table.text() + "\n" + std::to_string(cases_.size() - open()) + " held, " + std::to_string(open()) + " open\n";
  for (const auto& one : cases_) {
    if (!one.held) text += "OPEN: " + printable(one.group) + ": " + printable(one.name) + "\n";
  }
  return text;
}

boost::json::object SelftestReport::json() const {
  boost::json::array list;
  for (const auto& one : cases_) {
    boost::json::array expected;
    for (const auto alternative : split(one.expected, '|')) expected.emplace_back(alternative);
    list.push_back(boost::json::object{{"group", one.group},
                                       {"name", one.name},
                                       {"state", one.held ? "held" : "open"},
                                       {"expected", std::move(expected)},
                                       {"found", one.found},
                                       {"mechanism", one.mechanism}});
  }
  return {{"held", cases_.size() - open()}, {"open", open()}, {"cases", std::move(list)}};
}

}  // namespace agentos::cli
