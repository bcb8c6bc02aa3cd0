#pragma once

#include <array>
#include <bitset>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "agentos/base/fd.hpp"
#include "agentos/model/attach.hpp"
#include "input_buffer.hpp"
#include "launch.hpp"

namespace agentos::init {

constexpr std::size_t clients_max = 16;  // attached or control
constexpr std::size_t execs_max = 64;
constexpr std::size_t waiting_max = 8;  // connected, hello not yet seen
constexpr std::size_t connections_max = clients_max + execs_max + waiting_max;
constexpr std::size_t drain_max = std::size_t{1024} * 1024;  // bytes of one stream after the end of its program

// One output stream of a program. It holds one chunk, as the frame that is sent, until every client it is owed to has
// it; before that the program's pipe is not read again. So clients lose nothing, and each stream costs one chunk of
// memory, which it keeps: what is open at once is bounded, and a table of free slots is small.
class Stream {
 public:
  void open(UniqueFd fd, FrameType type);
  void close() { fd_.reset(); }
  [[nodiscard]] bool is_open() const { return static_cast<bool>(fd_); }
  [[nodiscard]] bool wants_read() const { return is_open() && owed.none(); }
  [[nodiscard]] bool done() const { return !is_open() && owed.none(); }
  [[nodiscard]] int fd() const { return fd_.get(); }

  // The next chunk, or empty: nothing now, or the end (then it is closed). Only when wants_read(). With `last` the
  // writer is gone, and nothing now is the end too; so is the end of drain_max bytes.
  [[nodiscard]] std::string_view read(bool last);
  [[nodiscard]] std::string_view frame() const { return {frame_.get(), frame_size_}; }

  std::bitset<connections_max> owed;  // clients that have not yet got the chunk

 private:
  UniqueFd fd_;
  std::size_t frame_size_{};
  std::size_t drained_{};
  std::unique_ptr<char[]> frame_;  // 1 + attach_data_max, from the first open() on
};

// A program that init started: the agent's main process, or an exec. A slot of a fixed table: free until start().
class Process {
 public:
  Process() = default;
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  void start(Launched launched, Program program);
  void release();  // free again
  [[nodiscard]] bool in_use() const { return pid_ > 0; }
  [[nodiscard]] pid_t pid() const { return pid_; }
  [[nodiscard]] bool tty() const { return program_.tty; }

  // Whether it was executed is known from the report; a child that ended without one was killed on its way.
  [[nodiscard]] int report_fd() const { return report_.get(); }
  bool read_report();  // true once: when it becomes known
  [[nodiscard]] bool starting() const { return static_cast<bool>(report_); }
  [[nodiscard]] bool executed() const { return in_use() && !starting() && !failure_; }
  [[nodiscard]] const std::optional<ExecFailure>& failure() const { return failure_; }
  [[nodiscard]] std::string failure_text() const { return explain(*failure_, program_); }

  void end(int wait_status);  // it was reaped
  [[nodiscard]] bool ended() const { return status_.has_value(); }
  [[nodiscard]] int wait_status() const { return *status_; }

  // Bytes for stdin; dropped when nobody can read them any more. Only while has_room().
  [[nodiscard]] bool has_room() const { return !input_ || buffer_.has_room(); }
  void input(std::string_view data);
  void end_input();
  [[nodiscard]] int input_fd() const { return buffer_.pending().empty() ? -1 : input_.get(); }  // wants to write
  void flush_input();

  void resize(std::uint16_t rows, std::uint16_t columns);
  void redraw();            // a new viewer of a tty
  void signal(int number);  // to the foreground process group (tty), or that of the program; kept until it is executed
  void hang_up();           // whoever ran it is gone: SIGHUP, and the end of its input

  std::array<Stream, 2> streams;

 private:
  void kill_group(int number);

  pid_t pid_{};
  Program program_;
  UniqueFd report_, input_, slave_;
  InputBuffer buffer_;
  bool input_ended_{};
  char last_input_{'\n'};
  std::uint64_t pending_signals_{};
  std::optional<ExecFailure> failure_;
  std::optional<int> status_;
};

}  // namespace agentos::init
