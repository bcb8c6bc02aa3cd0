#pragma once

#include <string>
#include <string_view>

#include "agentos/base/fd.hpp"

namespace agentos::cli {

// Where output goes: takes a piece at a time and writes it as the reader can take it, without ever blocking the loop.
class Outlet {
 public:
  // `fd` is borrowed. Its O_NONBLOCK flag is left alone: the shell and other programs share it.
  explicit Outlet(int fd);

  void put(std::string_view bytes) { pending_.append(bytes); }
  [[nodiscard]] bool idle() const { return pending_.empty(); }
  [[nodiscard]] int fd() const { return own_ ? own_.get() : fd_; }
  // Writes what can be written now. 0, or the errno of a failure (what was pending is then dropped).
  int flush();

 private:
  int fd_;
  UniqueFd own_;
  bool socket_{};
  std::string pending_;
};

}  // namespace agentos::cli
