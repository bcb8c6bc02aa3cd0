#include "daemon/agent_json.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>

#include <boost/json/array.hpp>

namespace agentos::daemon {
namespace {

namespace json = boost::json;

template <class T>
json::value or_null(const std::optional<T>& value) {
  if (!value) return nullptr;
  return json::value(*value);
}

json::value or_null(const std::optional<TimePoint>& time) {
  if (!time) return nullptr;
  return json::value(format_time(*time));
}

json::array strings(const std::vector<std::string>& list) {
  json::array array;
  for (const auto& element : list) array.emplace_back(element);
  return array;
}

template <class T>
void put_if(json::object& to, std::string_view key, const std::optional<T>& value) {
  if (value) to[key] = *value;
}

json::object limits_of(const Limits& limits) {
  json::object result;
  put_if(result, "memory_max", limits.memory_max);
  put_if(result, "memory_high", limits.memory_high);
  put_if(result, "cpu_max", limits.cpu_max);
  put_if(result, "cpu_weight", limits.cpu_weight);
  put_if(result, "pids_max", limits.pids_max);
  put_if(result, "io_weight", limits.io_weight);
  return result;
}

json::value quota_of(const std::optional<LayerState>& layer) {
  if (!layer || layer->limit == LayerSpace{}) return nullptr;
  const auto limit = [](std::uint64_t most) { return most == 0 ? json::value() : json::value(most); };
  return json::object{{"bytes", limit(layer->limit.bytes)},
                      {"inodes", limit(layer->limit.inodes)},
                      {"used_bytes", layer->used.bytes},
                      {"used_inodes", layer->used.inodes}};
}

json::value activity_of(const std::optional<Activity>& activity) {
  if (!activity) return nullptr;
  return json::object{
      {"forks", activity->forks},
      {"threads", activity->threads},
      {"execs", activity->execs},
      {"exits", activity->exits},
      {"connects", activity->connects},
      {"sent", json::object{{"bytes", activity->sent_bytes}, {"packets", activity->sent_packets}}},
      {"received", json::object{{"bytes", activity->received_bytes}, {"packets", activity->received_packets}}},
      {"events", activity->events},
      {"dropped", activity->dropped},
      {"withheld", activity->withheld}};
}

json::object budget_of(const Budget& budget) {
  json::object result;
  put_if(result, "tokens", budget.tokens);
  put_if(result, "microdollars", budget.microdollars);
  return result;
}

}  // namespace

json::object to_json(const Agent& agent, const Usage& usage, const std::optional<LayerState>& layer) {
  json::object result;
  result["id"] = agent.id;
  result["name"] = agent.name;
  result["type"] = agent.type;
  result["tenant"] = agent.tenant;
  result["owner"] = json::object{{"uid", agent.owner_uid}};
  result["goal"] = agent.goal;
  result["status"] = name(agent.status);
  result["reason"] = agent.reason;
  result["command"] = strings(agent.command);
  result["workspace"] = json::object{{"path", agent.workspace},
                                     {"mode", name(agent.workspace_mode)},
                                     {"changed", layer ? json::value(!layer->empty) : json::value()},
                                     {"quota", quota_of(layer)}};
  result["limits"] = limits_of(agent.limits);
  if (agent.wall) result["limits"].as_object()["wall_ms"] = agent.wall->count();
  result["policy"] = agent.policy;
  result["capabilities"] = strings(agent.capabilities);
  result["budget"] = budget_of(agent.budget);
  result["sandbox"] =
      json::object{{"level", agent.sandbox.level},
                   {"uid_base", agent.sandbox.uid_base == 0 ? json::value() : json::value(agent.sandbox.uid_base)},
                   {"cgroup", agent.sandbox.cgroup.empty() ? json::value() : json::value(agent.sandbox.cgroup)},
                   {"not_enforced", strings(agent.sandbox.not_enforced)}};
  const bool has_process = agent.process.pid != 0 && !is_final(agent.status);
  result["pid"] = has_process ? json::value(agent.process.pid) : json::value();
  result["tty"] = agent.tty;
  result["exit_code"] = agent.exit ? json::value(agent.exit->shell_status()) : json::value();
  const bool by_signal = agent.exit && agent.exit->kind == ExitRecord::Kind::signaled;
  result["signal"] = by_signal ? json::value(agent.exit->code) : json::value();
  result["created"] = format_time(agent.created);
  result["updated"] = format_time(agent.updated);
  result["started"] = or_null(agent.started);
  result["ended"] = or_null(agent.ended);
  result["usage"] = json::object{{"cpu_usec", or_null(usage.cpu_usec)},
                                 {"memory_current", or_null(usage.memory_current)},
                                 {"memory_peak", or_null(usage.memory_peak)},
                                 {"pids_current", or_null(usage.pids_current)},
                                 {"activity", activity_of(usage.activity)}};
  return result;
}

std::string format_time(TimePoint time) {
  using namespace std::chrono;
  const auto day = floor<days>(time);
  const year_month_day date(day);
  const hh_mm_ss clock(time - day);
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%04d-%02u-%02uT%02ld:%02ld:%02ld.%03ldZ", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                static_cast<long>(clock.hours().count()), static_cast<long>(clock.minutes().count()),
                static_cast<long>(clock.seconds().count()), static_cast<long>(clock.subseconds().count()));
  return text.data();
}

std::int64_t nanoseconds_of(TimePoint time) {
  using namespace std::chrono;
  constexpr auto least = ceil<milliseconds>(nanoseconds::min()), most = floor<milliseconds>(nanoseconds::max());
  return nanoseconds(std::clamp<milliseconds>(time.time_since_epoch(), least, most)).count();
}

std::optional<TimePoint> parse_time(std::string_view text) {
  using namespace std::chrono;
  // The separators of "yyyy-mm-ddThh:mm:ss", then an optional fraction, then Z.
  if (text.size() < 20 || text.back() != 'Z' || text[4] != '-' || text[7] != '-' || text[10] != 'T' ||
      text[13] != ':' || text[16] != ':') {
    return std::nullopt;
  }
  const auto number = [&](std::size_t at, std::size_t size) -> int {
    int value = -1;
    const auto [end, error] = std::from_chars(text.data() + at, text.data() + at + size, value);
    return error == std::errc{} && end == text.data() + at + size ? value : -1;
  };
  int milli = 0;
  if (text.size() > 20) {
    const std::size_t digits = text.size() - 21;
    if (text[19] != '.' || digits == 0 || digits > 9 || number(20, digits) < 0) return std::nullopt;
    const std::string padded = std::string(text.substr(20, digits)) + "00";
    milli = (padded[0] - '0') * 100 + (padded[1] - '0') * 10 + (padded[2] - '0');
  }
  const int hour = number(11, 2), minute = number(14, 2), second = number(17, 2);
  const year_month_day date(year(number(0, 4)), month(static_cast<unsigned>(number(5, 2))),
                            day(static_cast<unsigned>(number(8, 2))));
  if (number(0, 4) < 0 || !date.ok() || hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 ||
      second > 60) {
    return std::nullopt;
  }
  return sys_days(date) + hours(hour) + minutes(minute) + seconds(second) + milliseconds(milli);
}

}  // namespace agentos::daemon
