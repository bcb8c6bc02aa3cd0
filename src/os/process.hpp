#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string_view>

#include "agentos/base/fd.hpp"
#include "agentos/base/result.hpp"

namespace agentos::os {

// When the process began: field 22 of /proc/PID/stat, clock ticks since boot. Together with the pid it names a process
// for the life of this boot.
[[nodiscard]] Result<std::uint64_t> start_time(pid_t pid);
// The same from the text of that file, in which the process's name is any bytes that it likes.
[[nodiscard]] Result<std::uint64_t> start_time_in(std::string_view stat);

// A pidfd of the process that has this pid and this start time; not_found when it is gone or another one has the pid.
[[nodiscard]] Result<UniqueFd> open_pidfd(pid_t pid, std::uint64_t expected_start_time);

}  // namespace agentos::os
