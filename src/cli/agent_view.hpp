#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/value.hpp>

#include "agentos/base/result.hpp"
#include "agentos/model/workspace.hpp"

namespace agentos::cli {

using Time = std::chrono::sys_time<std::chrono::milliseconds>;

// Reads an Agent of the API. A field that is absent or null gives an empty value: an older or newer agentosd is no
// reason to fail.
class AgentView {
 public:
  explicit AgentView(const boost::json::value& agent) : agent_(&agent) {}  // outlives this
  explicit AgentView(const boost::json::value&&) = delete;

  [[nodiscard]] std::string text(std::string_view key) const;
  [[nodiscard]] std::optional<std::int64_t> number(std::string_view key) const;
  [[nodiscard]] std::optional<std::int64_t> usage(std::string_view key) const;
  // usage.activity.KEY, or usage.activity.KEY.PART.
  [[nodiscard]] std::optional<std::int64_t> activity(std::string_view key, std::string_view part = {}) const;
  [[nodiscard]] std::optional<Time> time(std::string_view key) const;
  [[nodiscard]] bool flag(std::string_view key) const;

  [[nodiscard]] std::string id() const { return text("id"); }
  [[nodiscard]] std::string label() const;  // the name, or the id where there is none
  [[nodiscard]] std::string status() const { return text("status"); }
  [[nodiscard]] bool ended() const;
  [[nodiscard]] std::optional<std::int64_t> owner() const;  // uid
  [[nodiscard]] std::string workspace_path() const;
  [[nodiscard]] std::string command_line() const;  // arguments with spaces in quotes
  [[nodiscard]] std::vector<std::string> not_enforced() const;
  [[nodiscard]] std::optional<WorkspaceMode> workspace_mode() const;
  // Whether its layer holds something that nobody has committed or discarded, as far as was looked.
  [[nodiscard]] bool changed() const;
  // Of an agent that has ended, as a shell would report it: see exit_status.
  [[nodiscard]] int shell_status() const;

 private:
  [[nodiscard]] const boost::json::value* field(std::string_view key) const;
  [[nodiscard]] const boost::json::value* of_workspace(std::string_view key) const;  // null where there is none
  const boost::json::value* agent_;
};

// The agents of a list answer.
[[nodiscard]] std::vector<AgentView> agents_of(const boost::json::value& body);

// RFC 3339 in UTC: 2026-11-23T15:28:03.123Z, fraction optional.
[[nodiscard]] std::optional<Time> parse_time(std::string_view text);
// The value of --since, "10m" (ago) or a time, as the API takes it.
[[nodiscard]] Result<std::string> since_time(const std::string& given);
[[nodiscard]] std::string format_time(Time time);
[[nodiscard]] std::string age(std::chrono::milliseconds span);  // "5s", "12m", "3h", "4d": one unit, rounded down

}  // namespace agentos::cli
