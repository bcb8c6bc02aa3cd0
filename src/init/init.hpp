#pragma once

#include <poll.h>

#include <array>
#include <cstdint>

#include "agentos/base/fd.hpp"
#include "agentos/model/exit_record.hpp"
#include "agentos/model/init_spec.hpp"
#include "connections.hpp"
#include "log.hpp"
#include "process.hpp"

namespace agentos::init {

// What init is given, beside the InitSpec.
struct Descriptors {
  UniqueFd listener, log_0, log_1, exit_record, client;
};

[[nodiscard]] std::int64_t monotonic_ms();

// PID 1 of a sandbox: one poll loop over fixed tables. All that a hostile agent can do to it is to fill its own pipes,
// end, and make orphans; all that a hostile client can do is to send packets, which Conversation judges.
class Init {
 public:
  Init(const InitSpec& spec, const Credentials& agent, Descriptors descriptors);

  // Starts the agent and serves until it has ended and everybody has been told. All signals must be blocked.
  void run(Program program);

 private:
  struct Source {
    enum class Kind : std::uint8_t { report, output, input, signals, connection, listener };
    Kind kind{};
    std::size_t index{};   // of the process or connection
    std::size_t stream{};  // output
  };
  static constexpr std::size_t processes_max = 1 + execs_max;
  static constexpr std::size_t sources_max = 4 * processes_max + connections_max + 2;

  void start_main(Program program);
  std::size_t watch();  // fills polls_ and sources_
  void add(int fd, short events, Source source);
  [[nodiscard]] int wait_ms();
  void handle(const Source& source, short events);

  void read_output(Process& process, Stream& stream);
  void read_signals();
  void reap();
  void accept();
  void receive(std::size_t index, short events);
  void answer(std::size_t index, Ask ask);
  void attach(std::size_t index, const ask::Attach& ask);
  void execute(std::size_t index, Program program);

  // ending.cpp
  void report_start(Process& process);
  void settle();
  void ended(Process& process, int wait_status);
  [[nodiscard]] bool is_last(const Process& process) const;
  void finish(Process& process);
  void kill_rest();
  void write_exit_record(ExitRecord record);
  void give_up_on_slow_clients();
  [[nodiscard]] std::int64_t give_up_at() const;
  [[nodiscard]] bool over();

  [[nodiscard]] Process& main() { return processes_[0]; }

  Credentials agent_;
  bool is_pid_1_;
  UniqueFd listener_, exit_record_, signals_;
  Log log_;
  std::array<Process, processes_max> processes_;
  Connections connections_;
  std::array<pollfd, sources_max> polls_;
  std::array<Source, sources_max> sources_;
  std::array<char, attach_frame_max + 1> packet_;
  std::size_t watched_{};
  bool reap_again_{true};
  bool alone_{};                             // the main process has ended and no child is left
  bool finished_{};                          // and its last words are said
  std::int64_t ended_at_{}, progress_at_{};  // monotonic ms
};

}  // namespace agentos::init
