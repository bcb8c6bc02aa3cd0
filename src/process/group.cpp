#include "process/group.hpp"

#include <fcntl.h>

#include <charconv>
#include <chrono>
#include <functional>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "os/file.hpp"
#include "os/process.hpp"

namespace agentos::process {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
constexpr auto patience = 3s;

// The kernel wakes who polls cgroup.events when a value in it has changed since it was read.
asio::awaitable<bool> event_is(const os::Cgroup& cgroup, std::string_view key, std::uint64_t value) {
  const auto executor = co_await asio::this_coro::executor;
  const int file = ::openat(cgroup.fd(), "cgroup.events", O_RDONLY | O_CLOEXEC);
  if (file < 0) co_return false;
  asio::posix::stream_descriptor events(executor, file);
  asio::steady_timer deadline(executor, patience);
  using namespace asio::experimental::awaitable_operators;
  for (;;) {
    char buffer[256];
    const ssize_t size = ::pread(file, buffer, sizeof buffer, 0);
    const std::string wanted = std::string(key) + " " + std::to_string(value) + "\n";
    if (size > 0 && std::string_view(buffer, static_cast<std::size_t>(size)).contains(wanted)) co_return true;
    if (size < 0) co_return false;  // the cgroup is gone
    const auto woken =
        co_await (events.async_wait(asio::posix::stream_descriptor::wait_error, asio::as_tuple(asio::use_awaitable)) ||
                  deadline.async_wait(asio::as_tuple(asio::use_awaitable)));
    if (woken.index() == 1 || std::get<0>(std::get<0>(woken))) co_return false;
  }
}

std::string_view line_of(std::string_view text, std::string_view key) {
  const auto start = text.find("\n" + std::string(key) + ":");
  if (start == std::string_view::npos) return {};
  text.remove_prefix(start + key.size() + 2);
  return text.substr(0, text.find('\n'));
}

std::optional<InitProcess> init_of(pid_t pid) {
  const auto began = os::start_time(pid);
  const auto status = os::read_file(AT_FDCWD, "/proc/" + std::to_string(pid) + "/status", 16 * 1024);
  if (!began || !status) return std::nullopt;
  const auto uid = uid_of_init(*status);
  return uid ? std::optional(InitProcess{pid, *began, *uid}) : std::nullopt;
}

std::optional<std::uint64_t> known(const Result<std::uint64_t>& number) {
  return number ? std::optional(*number) : std::nullopt;
}

}  // namespace

asio::awaitable<Result<void>> set_frozen(const os::Cgroup& cgroup, bool frozen) {
  const std::string_view value = frozen ? "1" : "0";
  if (auto written = cgroup.write("cgroup.freeze", value); !written) {
    co_return std::unexpected(std::move(written).error().within(frozen ? "freeze" : "thaw"));
  }
  if (co_await event_is(cgroup, "frozen", frozen ? 1 : 0)) co_return Result<void>{};
  if (!frozen) co_return fail(ErrorKind::unavailable, "the agent's processes did not thaw in time", "try again");
  static_cast<void>(cgroup.write("cgroup.freeze", "0"));
  co_return fail(ErrorKind::unavailable, "the agent's processes did not freeze in time",
                 "one of them waits in the kernel, for a disk or a network file system: try again");
}

Result<> thaw_now(const os::Cgroup& cgroup) {
  return cgroup.write("cgroup.freeze", "0");
}

bool is_frozen(const os::Cgroup& cgroup) {
  return known(cgroup.number("cgroup.freeze")) == 1U;
}

Result<> kill_all(const os::Cgroup& cgroup) {
  return cgroup.write("cgroup.kill", "1");
}

asio::awaitable<bool> emptied(const os::Cgroup& cgroup) {
  co_return co_await event_is(cgroup, "populated", 0);
}

Usage usage_of(const os::Cgroup& cgroup) {
  return {.cpu_usec = known(cgroup.number("cpu.stat", "usage_usec")),
          .memory_current = known(cgroup.number("memory.current")),
          .memory_peak = known(cgroup.number("memory.peak")),
          .pids_current = known(cgroup.number("pids.current")),
          .pids_peak = known(cgroup.number("pids.peak")),
          .activity = {}};
}

bool was_out_of_memory(const os::Cgroup& cgroup) {
  return known(cgroup.number("memory.events", "oom_kill")).value_or(0) > 0;
}

std::optional<std::uint32_t> uid_of_init(std::string_view status) {
  if (!line_of(status, "NSpid").ends_with("\t1")) return std::nullopt;
  auto uids = line_of(status, "Uid");
  while (uids.starts_with('\t')) uids.remove_prefix(1);
  std::uint32_t uid{};
  if (std::from_chars(uids.data(), uids.data() + uids.size(), uid).ec != std::errc{}) return std::nullopt;
  return uid;
}

std::optional<InitProcess> find_init(const os::Cgroup& cgroup) {
  const auto processes = cgroup.read("cgroup.procs");
  if (!processes) return std::nullopt;
  const char* at = processes->data();
  const char* const end = at + processes->size();
  while (at < end) {
    pid_t pid{};
    const auto [after, error] = std::from_chars(at, end, pid);
    if (error != std::errc{}) break;
    if (auto init = init_of(pid)) return init;
    at = after + 1;
  }
  return std::nullopt;
}

}  // namespace agentos::process
