#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <boost/asio/awaitable.hpp>

#include "agentos/base/result.hpp"
#include "agentos/model/agent.hpp"
#include "os/cgroup.hpp"

// What agentosd does with an agent's cgroup, whose knobs spawnd gave to its user.
namespace agentos::process {

// Freezes or thaws, and waits until the kernel says that it is so. Not within a few seconds (a process sits in the
// kernel): it is undone, and the error is `unavailable`.
boost::asio::awaitable<Result<void>> set_frozen(const os::Cgroup& cgroup, bool frozen);
[[nodiscard]] Result<> thaw_now(const os::Cgroup& cgroup);  // does not wait
[[nodiscard]] bool is_frozen(const os::Cgroup& cgroup);

// SIGKILL to every process in it, also when it is frozen.
[[nodiscard]] Result<> kill_all(const os::Cgroup& cgroup);
// Completes when no process is left, at most after a few seconds.
boost::asio::awaitable<bool> emptied(const os::Cgroup& cgroup);

[[nodiscard]] Usage usage_of(const os::Cgroup& cgroup);
[[nodiscard]] bool was_out_of_memory(const os::Cgroup& cgroup);

// The process in it that is PID 1 of a pid namespace.
struct InitProcess {
  pid_t pid{};
  std::uint64_t start_time{};
  std::uint32_t uid{};
};
// From the text of /proc/PID/status: the uid of a process that is PID 1 of a pid namespace; nullopt: it is not. The
// first line holds the process's name, in which the kernel escapes line ends.
[[nodiscard]] std::optional<std::uint32_t> uid_of_init(std::string_view status);
[[nodiscard]] std::optional<InitProcess> find_init(const os::Cgroup& cgroup);

}  // namespace agentos::process
