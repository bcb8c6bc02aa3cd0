#pragma once

#include <poll.h>
#include <unistd.h>

#include <chrono>
#include <deque>
#include <functional>
#include <string>
#include <vector>

#include "cli/detach_keys.hpp"
#include "cli/outlet.hpp"
#include "cli/signals.hpp"
#include "cli/terminal.hpp"

namespace agentos::cli {

struct RelaySetup {
  int stream{-1};  // the attach stream, borrowed; see model/attach.hpp
  int in{STDIN_FILENO}, out{STDOUT_FILENO}, err{STDERR_FILENO};
  bool tty{};                // the program has a terminal: ours becomes raw when `in` is one
  bool redraw{};             // nudge the window size first, so that a full-screen program paints itself anew
  bool forward_signals{};    // else they end the relay; with a raw terminal they always do
  DetachKeys detach_keys{};  // looked for when the terminal is raw
  // At the second SIGINT within 2 s. Without it the program is sent SIGKILL then.
  std::function<void()> second_interrupt{};
};

struct RelayEnd {
  enum class Kind {
    exited,         // number: wait status
    refused,        // number: errno of why the program could not be executed; words
    detached,       // by the keys
    signaled,       // number: the signal that ended the relay; the program goes on
    output_failed,  // number: errno of writing to `out`
    lost,           // the stream ended without a last word; words may say why
  };
  Kind kind{};
  int number{};
  std::string words;
};

// Carries bytes between the standard streams and a program in a sandbox until either ends. Lossless: it reads from
// neither side before the other has taken what was read before.
class Relay {
 public:
  Relay(RelaySetup setup, SignalInbox& signals);
  [[nodiscard]] Result<RelayEnd> run();

 private:
  [[nodiscard]] bool may_read_input() const;
  [[nodiscard]] bool has_input_room() const;
  void read_input();
  void send_input();
  void read_stream();
  void send_queued();
  void take_signal(int signal);
  [[nodiscard]] bool interrupted_again();
  void suspend();
  void send_window_size();
  void flush(Outlet& outlet, bool is_output);
  void end(RelayEnd::Kind kind, int number = 0, std::string words = {});

  RelaySetup setup_;
  SignalInbox& signals_;
  Outlet out_, err_;
  std::optional<RawMode> raw_;
  std::string input_;              // read, and to be sent when what was sent before is taken
  std::deque<std::string> queue_;  // packets for the stream
  std::vector<char> buffer_;
  bool in_terminal_{}, in_open_{true};
  bool input_taken_{true};  // what was sent last
  std::optional<std::chrono::steady_clock::time_point> interrupted_;
  std::optional<RelayEnd> end_;
};

}  // namespace agentos::cli
