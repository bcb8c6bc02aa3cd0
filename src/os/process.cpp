#include "os/process.hpp"

#include <sys/syscall.h>
#include <unistd.h>

#include <charconv>
#include <string>

#include "os/file.hpp"

namespace agentos::os {

Result<std::uint64_t> start_time(pid_t pid) {
  return start_time_in(AGENTOS_TRY(read_file(AT_FDCWD, "/proc/" + std::to_string(pid) + "/stat", 4096)));
}

Result<std::uint64_t> start_time_in(std::string_view stat) {
  // The command in field 2 may hold spaces and parentheses: count from the last one.
  std::string_view rest = stat;
  const auto command_end = rest.rfind(')');
  if (command_end == std::string_view::npos) return fail(ErrorKind::internal, "malformed /proc/PID/stat");
  rest.remove_prefix(command_end + 1);
  for (int field = 3; field <= 22; ++field) {
    const auto space = rest.find(' ');
    if (space == std::string_view::npos) return fail(ErrorKind::internal, "short /proc/PID/stat");
    rest.remove_prefix(space + 1);
  }
  std::uint64_t value{};
  if (std::from_chars(rest.data(), rest.data() + rest.size(), value).ec != std::errc{}) {
    return fail(ErrorKind::internal, "malformed start time in /proc/PID/stat");
  }
  return value;
}

Result<UniqueFd> open_pidfd(pid_t pid, std::uint64_t expected_start_time) {
  UniqueFd fd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  if (!fd) return fail_errno("open process " + std::to_string(pid));
  // Compared after the pidfd is held: were the pid reused before, the times differ; it cannot be reused since.
  if (AGENTOS_TRY(start_time(pid)) != expected_start_time) {
    return fail(ErrorKind::not_found, "process " + std::to_string(pid) + " is another one now");
  }
  return fd;
}

}  // namespace agentos::os
