#include "cli/agent_view.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "agentos/base/text.hpp"
#include "agentos/model/lifecycle.hpp"
#include "cli/report.hpp"

namespace agentos::cli {
namespace {

const boost::json::value* member(const boost::json::value& of, std::string_view key) {
  return of.is_object() ? of.get_object().if_contains(key) : nullptr;
}

std::optional<std::int64_t> as_number(const boost::json::value* value) {
  if (value == nullptr) return std::nullopt;
  if (value->is_int64()) return value->get_int64();
  boost::system::error_code error;
  const auto number = value->to_number<std::int64_t>(error);  // fails where it does not fit, or has a fraction
  return error ? std::nullopt : std::optional(number);
}

std::string as_text(const boost::json::value* value) {
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

}  // namespace

const boost::json::value* AgentView::field(std::string_view key) const {
  return member(*agent_, key);
}

std::string AgentView::text(std::string_view key) const {
  return as_text(field(key));
}
std::optional<std::int64_t> AgentView::number(std::string_view key) const {
  return as_number(field(key));
}
std::optional<Time> AgentView::time(std::string_view key) const {
  return parse_time(text(key));
}

std::optional<std::int64_t> AgentView::usage(std::string_view key) const {
  const auto* usage = field("usage");
  return usage == nullptr ? std::nullopt : as_number(member(*usage, key));
}

std::optional<std::int64_t> AgentView::activity(std::string_view key, std::string_view part) const {
  const auto* value = field("usage");
  for (const auto step : {std::string_view("activity"), key, part}) {
    if (value != nullptr && !step.empty()) value = member(*value, step);
  }
  return as_number(value);
}

bool AgentView::flag(std::string_view key) const {
  const auto* value = field(key);
  return value != nullptr && value->is_bool() && value->get_bool();
}

std::string AgentView::label() const {
  auto given = text("name");
  return given.empty() ? id() : given;
}

bool AgentView::ended() const {
  const auto known = status_named(status());
  return known && is_final(*known);
}

std::optional<std::int64_t> AgentView::owner() const {
  const auto* owner = field("owner");
  return owner == nullptr ? std::nullopt : as_number(member(*owner, "uid"));
}

std::string AgentView::command_line() const {
  std::string line;
  const auto* command = field("command");
  if (command == nullptr || !command->is_array()) return line;
  for (const auto& word : command->get_array()) {
    const auto part = as_text(&word);
    const bool plain = !part.empty() && part.find_first_of(" \t\n'\"\\$`") == std::string::npos;
    if (!line.empty()) line += ' ';
    line += plain ? part : '"' + part + '"';
  }
  return line;
}

const boost::json::value* AgentView::of_workspace(std::string_view key) const {
  const auto* workspace = field("workspace");
  return workspace == nullptr ? nullptr : member(*workspace, key);
}

std::string AgentView::workspace_path() const {
  return as_text(of_workspace("path"));
}

std::optional<WorkspaceMode> AgentView::workspace_mode() const {
  return workspace_mode_named(as_text(of_workspace("mode")));
}

bool AgentView::changed() const {
  const auto* changed = of_workspace("changed");
  return changed != nullptr && changed->is_bool() && changed->get_bool();
}

std::vector<std::string> AgentView::not_enforced() const {
  std::vector<std::string> result;
  const auto* sandbox = field("sandbox");
  const auto* list = sandbox == nullptr ? nullptr : member(*sandbox, "not_enforced");
  if (list == nullptr || !list->is_array()) return result;
  for (const auto& row : list->get_array()) {
    // A sentence, or an object that names what is missing.
    auto words = as_text(&row);
    for (const auto* key : {"name", "what", "feature", "detail"}) {
      if (words.empty()) words = as_text(member(row, key));
    }
    if (!words.empty()) result.push_back(std::move(words));
  }
  return result;
}

int AgentView::shell_status() const {
  if (const auto code = number("exit_code")) return static_cast<int>(*code & 0xFF);
  if (const auto signal = number("signal"); signal && *signal > 0)
    return exit_status::signal_base + static_cast<int>(*signal & 0x7F);
  // No exit record and no signal: it never ran, or was killed with its init.
  return text("started").empty() ? exit_status::agentos_failed : exit_status::signal_base + 9;
}

std::vector<AgentView> agents_of(const boost::json::value& body) {
  std::vector<AgentView> agents;
  if (const auto* list = member(body, "agents"); list != nullptr && list->is_array()) {
    for (const auto& agent : list->get_array()) agents.emplace_back(agent);
  }
  return agents;
}

std::optional<Time> parse_time(std::string_view text) {
  constexpr std::string_view form = "0000-00-00T00:00:00";
  if (text.size() <= form.size() || text.back() != 'Z') return std::nullopt;
  for (std::size_t i = 0; i < form.size(); ++i) {
    const bool digit = text[i] >= '0' && text[i] <= '9';
    if (form[i] == '0' ? !digit : text[i] != form[i]) return std::nullopt;
  }
  const auto number = [&](std::size_t at, std::size_t count) {
    int value = 0;
    for (const char c : text.substr(at, count)) value = value * 10 + (c - '0');
    return value;
  };
  const auto fraction = text.substr(form.size(), text.size() - form.size() - 1);
  std::string digits(fraction.empty() ? "" : fraction.substr(1));
  if (!fraction.empty() &&
      (fraction[0] != '.' || digits.empty() || digits.find_first_not_of("0123456789") != std::string::npos)) {
    return std::nullopt;
  }
  digits.resize(3, '0');
  using namespace std::chrono;
  const year_month_day date(year(number(0, 4)), month(static_cast<unsigned>(number(5, 2))),
                            day(static_cast<unsigned>(number(8, 2))));
  if (!date.ok() || number(11, 2) > 23 || number(14, 2) > 59 || number(17, 2) > 60) return std::nullopt;
  return sys_days(date) + hours(number(11, 2)) + minutes(number(14, 2)) + seconds(number(17, 2)) +
         milliseconds(std::stoi(digits));
}

std::string format_time(Time time) {
  using namespace std::chrono;
  const auto day = floor<days>(time);
  const year_month_day date(day);
  const hh_mm_ss clock(time - day);
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%04d-%02u-%02uT%02d:%02d:%02d.%03dZ", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
                static_cast<int>(clock.seconds().count()), static_cast<int>(clock.subseconds().count()));
  return text.data();
}

std::string age(std::chrono::milliseconds span) {
  const auto seconds = std::max<std::int64_t>(0, span.count() / 1000);
  if (seconds < 60) return std::to_string(seconds) + "s";
  if (seconds < 3600) return std::to_string(seconds / 60) + "m";
  if (seconds < 86400) return std::to_string(seconds / 3600) + "h";
  return std::to_string(seconds / 86400) + "d";
}

Result<std::string> since_time(const std::string& given) {
  if (parse_time(given)) return given;
  const auto ago = parse_duration_ms(given);
  const auto now = std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
  const auto since_epoch = static_cast<std::uint64_t>(now.time_since_epoch().count());
  if (!ago) {
    return fail(ErrorKind::invalid, "--since: '" + printable(given) + "' is not a time",
                "write how long ago, like 90s or 2h, or a time in UTC like 2026-11-23T15:00:00Z");
  }
  return format_time(now - std::chrono::milliseconds(std::min(*ago, since_epoch)));
}

}  // namespace agentos::cli
