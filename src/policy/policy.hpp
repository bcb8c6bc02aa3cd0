#pragma once

#include <array>
#include <chrono>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agentos/model/limits.hpp"
#include "agentos/model/workspace.hpp"

// What an agent may do, as data. One file of an administrator, of a tenant or of a user is a Policy, and so is what
// they come to together (compose()). What is not set is not limited by that file.
namespace agentos::policy {

// Where something was said: a file's line and column; or, with line 0, another place, such as "--memory".
struct Origin {
  std::string file;
  int line{}, column{};

  auto operator<=>(const Origin&) const = default;
  [[nodiscard]] std::string text() const;  // "FILE:LINE:COLUMN"
};

template <class T>
struct Stated {
  T value{};
  Origin origin;
  auto operator<=>(const Stated&) const = default;
};
template <class T>
using Setting = std::optional<Stated<T>>;

// Every setting has an order in which less allows less. So of several the smallest holds.
struct Bytes {
  std::uint64_t count{};
  auto operator<=>(const Bytes&) const = default;
};
struct Count {
  std::uint64_t count{};
  auto operator<=>(const Count&) const = default;
};
struct Percent {  // of one CPU
  std::uint32_t percent{};
  auto operator<=>(const Percent&) const = default;
};
struct Weight {  // 1..10000
  std::uint32_t weight{};
  auto operator<=>(const Weight&) const = default;
};
enum class Level : std::uint8_t { container };
enum class User : std::uint8_t { agent };
enum class Seccomp : std::uint8_t { strict, agent };
enum class OnMissing : std::uint8_t { refuse, warn };

// Files and folders of the host that an agent gets at their own path, beside its workspace. Less is a folder less.
enum class Access : std::uint8_t { read, write };
struct Grant {
  std::string path;  // absolute; as it is written also "~/..." for the caller's home: see at_home()
  Access access{};
  bool optional{};   // "PATH?": where it is not there the agent starts without it
  std::string link;  // "~/..." as it was written: at that place of its own home the agent finds a link to it
  auto operator<=>(const Grant&) const = default;
};
using Grants = std::vector<Stated<Grant>>;  // sorted, each path once

// Limits of each process by setrlimit(2).
enum class Rlimit : std::uint8_t { nofile, nproc, fsize, memlock, stack, as, core };
constexpr std::size_t rlimit_count = 7;

// NAME in environment.pass, or with a trailing '*' every name that begins so. A name enters from the caller's
// environment by itself; what '*' stands for only where it is asked for by name.
using Pass = std::vector<Stated<std::string>>;

struct Variable {
  std::string name, value;
  auto operator<=>(const Variable&) const = default;
};

struct Policy {
  Setting<Level> level;

  // Sorted, each once. What is read-only is in the workspace ("./a"); hidden are paths of the host too.
  std::vector<Stated<std::string>> read_only, hidden;
  std::optional<Grants> grants;  // unset: of an administrator's policy none, of others what that grants
  Setting<WorkspaceMode> workspace;
  Setting<Bytes> layer_bytes;  // of what the agent writes over its workspace
  Setting<Count> layer_inodes;

  Setting<User> user;
  Setting<Seccomp> seccomp;
  std::array<Setting<Count>, rlimit_count> rlimits;  // by Rlimit

  Setting<Percent> cpu;
  Setting<Bytes> memory, memory_high;
  Setting<Weight> io;
  Setting<Count> pids;
  Setting<OnMissing> on_missing;

  std::optional<Pass> pass;           // unset: whatever the user names
  std::vector<Stated<Variable>> set;  // sorted by name, each name once

  Setting<Weight> weight;                   // scheduling: share of a busy CPU
  Setting<std::chrono::milliseconds> wall;  // from its start to its end
  Setting<std::chrono::milliseconds> idle;  // without using the CPU or writing anything

  bool of_tenant{};  // its file grants nothing, it only bounds what policies grant
  // Of a tenant's file: the policies that may be named. Unset: all.
  std::optional<std::vector<Stated<std::string>>> policies;

  bool operator==(const Policy&) const = default;
};

// Calls f(key, member) for each setting that is one value with an order, in the order of the format. `member` takes a
// Policy, const or not, and returns that setting of it.
template <class F>
void each_setting(F&& f) {
  f("level", [](auto& of) -> auto& { return of.level; });
  f("filesystem.workspace", [](auto& of) -> auto& { return of.workspace; });
  f("filesystem.workspace.quota.bytes", [](auto& of) -> auto& { return of.layer_bytes; });
  f("filesystem.workspace.quota.inodes", [](auto& of) -> auto& { return of.layer_inodes; });
  f("process.user", [](auto& of) -> auto& { return of.user; });
  f("process.seccomp", [](auto& of) -> auto& { return of.seccomp; });
  f("process.limits.nofile", [](auto& of) -> auto& { return of.rlimits[0]; });
  f("process.limits.nproc", [](auto& of) -> auto& { return of.rlimits[1]; });
  f("process.limits.fsize", [](auto& of) -> auto& { return of.rlimits[2]; });
  f("process.limits.memlock", [](auto& of) -> auto& { return of.rlimits[3]; });
  f("process.limits.stack", [](auto& of) -> auto& { return of.rlimits[4]; });
  f("process.limits.as", [](auto& of) -> auto& { return of.rlimits[5]; });
  f("process.limits.core", [](auto& of) -> auto& { return of.rlimits[6]; });
  f("resources.cpu", [](auto& of) -> auto& { return of.cpu; });
  f("resources.memory", [](auto& of) -> auto& { return of.memory; });
  f("resources.memory_high", [](auto& of) -> auto& { return of.memory_high; });
  f("resources.io", [](auto& of) -> auto& { return of.io; });
  f("resources.pids", [](auto& of) -> auto& { return of.pids; });
  f("resources.on_missing", [](auto& of) -> auto& { return of.on_missing; });
  f("scheduling.weight", [](auto& of) -> auto& { return of.weight; });
  f("limits.wall", [](auto& of) -> auto& { return of.wall; });
  f("limits.idle", [](auto& of) -> auto& { return of.idle; });
}

// As it is written in a policy.
[[nodiscard]] std::string text(Level value);
[[nodiscard]] std::string text(User value);
[[nodiscard]] std::string text(Seccomp value);
[[nodiscard]] std::string text(OnMissing value);
[[nodiscard]] std::string text(WorkspaceMode value);
[[nodiscard]] std::string text(Bytes value);  // exact: "512MiB" or "1000"
[[nodiscard]] std::string text(Count value);
[[nodiscard]] std::string text(Percent value);
[[nodiscard]] std::string text(Weight value);
[[nodiscard]] std::string text(std::chrono::milliseconds value);

// Of these limits of a process, the one in bytes are written with a unit.
[[nodiscard]] constexpr bool is_in_bytes(Rlimit limit) {
  return limit != Rlimit::nofile && limit != Rlimit::nproc;
}

// What of it the agent's record and cgroup know.
[[nodiscard]] Limits limits_of(const Policy& policy);
// The same as a policy: each limit that was asked for, said at `origin` plus the name of the command line's option.
[[nodiscard]] Policy asked_for(const Limits& limits);

// "NAME" or "PREFIX*" of environment.pass covers a name, or another entry.
[[nodiscard]] bool covers(std::string_view entry, std::string_view other);
[[nodiscard]] bool passes(const Policy& policy, std::string_view name);

}  // namespace agentos::policy
