#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agentos/base/codec.hpp"
#include "agentos/base/result.hpp"
#include "agentos/model/activity.hpp"
#include "agentos/model/exit_record.hpp"
#include "agentos/model/lifecycle.hpp"
#include "agentos/model/limits.hpp"
#include "agentos/model/workspace.hpp"

namespace agentos {

using TimePoint = std::chrono::sys_time<std::chrono::milliseconds>;

// What an agent has used. A field is empty where the kernel does not tell (a controller is missing, the cgroup is
// gone).
struct Usage {
  std::optional<std::uint64_t> cpu_usec;
  std::optional<std::uint64_t> memory_current, memory_peak;  // bytes
  std::optional<std::uint64_t> pids_current, pids_peak;
  std::optional<Activity> activity;

  bool operator==(const Usage&) const = default;
};

// What an agent may spend. Nothing spends from it yet: an empty field is no limit.
struct Budget {
  std::optional<std::uint64_t> tokens;
  std::optional<std::uint64_t> microdollars;

  bool operator==(const Budget&) const = default;
};

// Where and how an agent runs; filled when it is started.
struct Sandbox {
  std::string level{"container"};
  std::uint32_t uid_base{};               // first host uid of its range
  std::string cgroup;                     // absolute path
  std::vector<std::string> not_enforced;  // one line each, for people

  bool operator==(const Sandbox&) const = default;
};

// The init of the sandbox as the host sees it. Pid and start time name it for the life of one boot.
struct ProcessIdentity {
  std::int32_t pid{};  // 0: none yet
  std::uint64_t start_time{};
  std::string boot_id;

  bool operator==(const ProcessIdentity&) const = default;
};

// Everything that is remembered of an agent. The environment is not: it may hold secrets.
struct Agent {
  std::string id;
  std::string name;  // empty: none was given
  std::string type{"command"};
  std::string tenant;
  std::uint32_t owner_uid{}, owner_gid{};
  std::string goal;
  Status status{Status::submitted};
  std::string reason;  // why it has this status, where there is a reason
  Budget budget;
  std::vector<std::string> capabilities;
  Sandbox sandbox;
  std::string workspace;  // absolute path, the same outside and inside
  WorkspaceMode workspace_mode{};
  std::vector<std::string> command;
  Limits limits;
  std::string policy;                             // the name of the administrator's policy it was started with
  std::optional<std::chrono::milliseconds> wall;  // from `started` on: then it is terminated
  bool tty{};
  bool with_stdin{};
  bool remove_on_exit{};
  ProcessIdentity process;
  std::optional<ExitRecord> exit;
  Usage usage;  // the final one
  TimePoint created{}, updated{};
  std::optional<TimePoint> started, ended;
  std::optional<TimePoint> kill_at;  // stopping: when the grace is over

  [[nodiscard]] std::string encode() const;  // versioned: a later agentos reads what an earlier one stored
  static Result<Agent> decode(std::string_view bytes);
};

// An agent went from one status to another; `agent` is as it is after it.
struct AgentEvent {
  Agent agent;
  Status from{};
};

// 'a', then 12 characters of Crockford's base 32: 48 bits of milliseconds since 1970 and 12 random bits. Sorts by
// creation.
[[nodiscard]] bool is_agent_id(std::string_view text);

// Ids that rise strictly, also when two are made in one millisecond or the clock is set back.
class AgentIds {
 public:
  [[nodiscard]] std::string next(TimePoint now, std::uint32_t random);

 private:
  std::uint64_t last_{};
};

}  // namespace agentos
