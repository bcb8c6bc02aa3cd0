#pragma once

#include <termios.h>

#include <cstdint>
#include <optional>

#include "agentos/base/result.hpp"

namespace agentos::cli {

struct WindowSize {
  std::uint16_t rows{24}, columns{80};
};
// Of the terminal that is stdout or stdin; nullopt when neither is one (or it does not know).
[[nodiscard]] std::optional<WindowSize> window_size();

// A terminal in raw mode: every key goes to the program behind it. The old mode comes back with the destructor, and
// also when the process dies of a defect (SIGSEGV, SIGABRT, ...).
class RawMode {
 public:
  static Result<RawMode> enter(int fd);
  RawMode(RawMode&& other) noexcept;
  RawMode& operator=(RawMode&&) = delete;
  ~RawMode() { leave(); }

  void leave();
  Result<> enter_again();

 private:
  RawMode(int fd, const termios& old) : fd_(fd), old_(old) {}
  int fd_;
  termios old_;
  bool raw_{};
};

// Whether reading from this terminal would stop the process (SIGTTIN): it is a terminal, and another job has it.
[[nodiscard]] bool is_in_background(int fd);

}  // namespace agentos::cli
