#include "agentos/model/agent.hpp"

#include <algorithm>
#include <array>
#include <type_traits>

namespace agentos {
namespace {

constexpr std::uint8_t record_version = 4;  // 1: every workspace was bound; 2: no policies; 3: nothing was counted
constexpr std::string_view base32 = "0123456789abcdefghjkmnpqrstvwxyz";
constexpr std::size_t id_digits = 12;

template <class A>
auto numbers_of(A& activity) {
  return std::array{&activity.forks,        &activity.threads,        &activity.execs,
                    &activity.exits,        &activity.connects,       &activity.sent_bytes,
                    &activity.sent_packets, &activity.received_bytes, &activity.received_packets,
                    &activity.events,       &activity.dropped,        &activity.withheld};
}

// One list of fields serves both directions, so that they cannot drift apart.
struct Put {
  Writer& to;
  template <class T>
  void field(const std::optional<T>& value) {
    to.put(value.has_value());
    if (value) field(*value);
  }
  void field(const TimePoint& value) { to.put(static_cast<std::int64_t>(value.time_since_epoch().count())); }
  void field(const ExitRecord& value) { to.put(value.encode()); }
  template <class T>
  void field(const T& value) {
    to.put(value);
  }
  void field(const Activity& value) {
    for (const auto number : numbers_of(value)) to.put(*number);
  }
  void field(Status value) { to.put(value); }
  void field(WorkspaceMode value) { to.put(value); }
  void field(const std::chrono::milliseconds& value) { to.put(static_cast<std::int64_t>(value.count())); }
};

struct Get {
  Reader& from;
  template <class T>
  void field(std::optional<T>& value) {
    if (from.get_bool()) field(value.emplace());
  }
  void field(TimePoint& value) { value = TimePoint(std::chrono::milliseconds(from.get<std::int64_t>())); }
  void field(ExitRecord& value) {
    if (auto record = ExitRecord::decode(from.get_text())) {
      value = *record;
    } else {
      from.refuse();
    }
  }
  void field(std::string& value) { value = from.get_string(); }
  void field(std::vector<std::string>& value) { value = from.get_strings(); }
  void field(Activity& value) {
    for (const auto number : numbers_of(value)) *number = from.get<std::uint64_t>();
  }
  void field(bool& value) { value = from.get_bool(); }
  void field(Status& value) { value = from.get_enum(Status::rejected); }
  void field(WorkspaceMode& value) { value = from.get_enum(WorkspaceMode::bind); }
  void field(std::chrono::milliseconds& value) { value = std::chrono::milliseconds(from.get<std::int64_t>()); }
  template <class T>
    requires(std::is_integral_v<T> && !std::is_same_v<T, bool>)
  void field(T& value) {
    value = from.get<T>();
  }
};

template <class Direction, class Record>
void each_field(Direction direction, Record& agent, std::uint8_t version) {
  const auto all = [&](auto&... fields) { (direction.field(fields), ...); };
  all(agent.id, agent.name, agent.type, agent.tenant, agent.owner_uid, agent.owner_gid, agent.goal, agent.status,
      agent.reason);
  all(agent.budget.tokens, agent.budget.microdollars, agent.capabilities);
  all(agent.sandbox.level, agent.sandbox.uid_base, agent.sandbox.cgroup, agent.sandbox.not_enforced);
  all(agent.workspace, agent.command);
  if (version >= 2) all(agent.workspace_mode);
  all(agent.limits.memory_max, agent.limits.memory_high, agent.limits.cpu_max, agent.limits.cpu_weight,
      agent.limits.pids_max, agent.limits.io_weight);
  if (version >= 3) all(agent.policy, agent.wall);
  all(agent.tty, agent.with_stdin, agent.remove_on_exit);
  all(agent.process.pid, agent.process.start_time, agent.process.boot_id, agent.exit);
  all(agent.usage.cpu_usec, agent.usage.memory_current, agent.usage.memory_peak, agent.usage.pids_current,
      agent.usage.pids_peak);
  if (version >= 4) all(agent.usage.activity);
  all(agent.created, agent.updated, agent.started, agent.ended, agent.kill_at);
}

}  // namespace

std::string Agent::encode() const {
  Writer to;
  to.put(record_version);
  each_field(Put{to}, *this, record_version);
  return std::move(to).take();
}

Result<Agent> Agent::decode(std::string_view bytes) {
  Reader from(bytes);
  const auto version = from.get<std::uint8_t>();
  if (version == 0 || version > record_version) {
    return fail(ErrorKind::invalid, "agent record of version " + std::to_string(version),
                "it was written by a newer agentos: install that one again");
  }
  Agent agent;
  agent.workspace_mode = WorkspaceMode::bind;
  each_field(Get{from}, agent, version);
  if (!from.finished()) return fail(ErrorKind::invalid, "malformed agent record");
  return agent;
}

bool is_agent_id(std::string_view text) {
  // The first digit stays 0 until the year 2248, so that few names people choose look like an id.
  return text.size() == 1 + id_digits && text.starts_with("a0") &&
         std::ranges::all_of(text.substr(1), [](char digit) { return base32.contains(digit); });
}

std::string AgentIds::next(TimePoint now, std::uint32_t random) {
  const auto wanted = static_cast<std::uint64_t>(now.time_since_epoch().count()) << 12U | (random & 0xFFFU);
  last_ = std::max(wanted, last_ + 1);
  std::string id(1 + id_digits, 'a');
  for (std::size_t digit = 0; digit < id_digits; ++digit) id[id_digits - digit] = base32[last_ >> (5 * digit) & 31U];
  return id;
}

}  // namespace agentos
