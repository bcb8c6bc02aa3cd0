// How programs begin and end: the half of Init that is not about waiting and reading.
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <ctime>

#include "agentos/model/exit_record.hpp"
#include "init.hpp"

namespace agentos::init {
namespace {

constexpr std::int64_t stuck_ms = 2'000;      // a client has not taken anything, once the agent has ended
constexpr std::int64_t farewell_ms = 30'000;  // clients take something now and then
constexpr int farewell_buffer = 4 << 20;

ExitRecord record_of(int wait_status) {
  if (WIFSIGNALED(wait_status)) return {.kind = ExitRecord::Kind::signaled, .code = WTERMSIG(wait_status)};
  return {.kind = ExitRecord::Kind::exited, .code = WEXITSTATUS(wait_status)};
}

}  // namespace

std::int64_t monotonic_ms() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return std::int64_t{now.tv_sec} * 1000 + now.tv_nsec / 1'000'000;
}

void Init::start_main(Program program) {
  auto launched = launch(program, agent_);
  if (launched) {
    main().start(*std::move(launched), std::move(program));
    return;
  }
  write_exit_record({.kind = ExitRecord::Kind::not_executed, .code = launched.error().number()});
  for (std::size_t i = 0; i < connections_max; ++i)
    connections_.drop(i, launched.error().number(), launched.error().message());
  finished_ = true;
}

void Init::report_start(Process& process) {
  if (!process.read_report() || !process.executed()) return;
  for (std::size_t i = 0; i < connections_max; ++i) {
    if (connections_.watches(i, process)) connections_.send(i, {.type = FrameType::started, .data = {}});
  }
}

void Init::ended(Process& process, int wait_status) {
  report_start(process);
  process.end(wait_status);
  if (&process != &main()) return;
  // At once: whatever happens to init from here on, how the agent ended is known.
  write_exit_record(process.failure()
                        ? ExitRecord{.kind = ExitRecord::Kind::not_executed, .code = process.failure()->number}
                        : record_of(wait_status));
}

void Init::write_exit_record(ExitRecord record) {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  record.time_ns = std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
  const auto bytes = record.encode();
  // Nobody to tell when the disk is full; agentosd then reports an agent without a record.
  [[maybe_unused]] const auto written = ::pwrite(exit_record_.get(), bytes.data(), bytes.size(), 0);
}

// What follows from all that one pass has handled.
void Init::settle() {
  for (std::size_t i = 0; i < connections_max; ++i) {
    if (connections_[i].is(Conversation::Kind::waiting) && monotonic_ms() >= connections_[i].hello_by) {
      connections_.drop(i, ETIMEDOUT, "no hello came");
    }
  }
  connections_.deliver_held();
  if (main().ended() && !alone_) kill_rest();
  if (connections_.progressed()) progress_at_ = monotonic_ms();
  if (alone_) give_up_on_slow_clients();
  for (auto& process : processes_) {
    if (!process.in_use() || !process.ended() || !is_last(process)) continue;
    for (auto& stream : process.streams) {
      while (stream.wants_read()) read_output(process, stream);
    }
    if (std::ranges::all_of(process.streams, &Stream::done)) finish(process);
  }
}

// The main process is the agent; what it leaves behind ends with it. As PID 1 this reaches every process of the sandbox
// and nothing else, and a fork cannot slip through: the kernel holds forks off while it signals all.
void Init::kill_rest() {
  if (is_pid_1_) {
    ::kill(-1, SIGKILL);
    return;
  }
  for (const auto& process : processes_) {
    if (process.in_use() && (&process == &main() || !process.ended())) ::kill(-process.pid(), SIGKILL);
  }
}

void Init::give_up_on_slow_clients() {
  const std::int64_t now = monotonic_ms();
  if (ended_at_ == 0) {
    ended_at_ = progress_at_ = now;
    // What is left in the agent's pipes then mostly fits, and a client that is slow, or waits for a person, reads it
    // when init has long gone. The kernel cuts the size to what the host allows.
    for (std::size_t i = 0; i < connections_max; ++i) {
      if (connections_[i].socket)
        ::setsockopt(connections_[i].socket.get(), SOL_SOCKET, SO_SNDBUF, &farewell_buffer, sizeof farewell_buffer);
      if (connections_.owes(i)) connections_.flush(i);
    }
  }
  if (now < give_up_at()) return;
  for (std::size_t i = 0; i < connections_max; ++i) {
    if (connections_.owes(i)) connections_.close(i);
  }
}

std::int64_t Init::give_up_at() const {
  return std::min(progress_at_ + stuck_ms, ended_at_ + farewell_ms);
}

// All output of an ended program has been taken.
void Init::finish(Process& process) {
  const std::string words = process.failure() ? process.failure_text() : std::string();
  const Frame frame = process.failure()
                          ? Frame{.type = FrameType::refused, .data = words, .number = process.failure()->number}
                          : Frame{.type = FrameType::exited, .data = {}, .number = process.wait_status()};
  connections_.finish(process, frame);
  if (&process != &main()) {
    process.release();
    return;
  }
  if (finished_) return;
  finished_ = true;
  log_.notice();
  for (std::size_t i = 0; i < connections_max; ++i) {
    if (connections_[i].is(Conversation::Kind::waiting)) connections_.drop(i, ESRCH, "the agent has ended");
  }
}

bool Init::over() {
  if (!finished_) return false;
  for (std::size_t i = 1; i < processes_.size(); ++i) {
    if (processes_[i].in_use()) return false;
  }
  for (std::size_t i = 0; i < connections_max; ++i) {
    if (connections_.owes(i)) return false;
  }
  return true;
}

}  // namespace agentos::init
