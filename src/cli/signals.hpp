#pragma once

#include <csignal>
#include <initializer_list>
#include <optional>

#include "agentos/base/fd.hpp"
#include "agentos/base/result.hpp"

namespace agentos::cli {

// Signals as something to read. While it lives they do nothing by themselves; a signal that the process was started
// with ignored (nohup) stays ignored.
class SignalInbox {
 public:
  static Result<SignalInbox> open(std::initializer_list<int> signals);
  SignalInbox(SignalInbox&& other) noexcept;
  SignalInbox& operator=(SignalInbox&&) = delete;
  ~SignalInbox();

  [[nodiscard]] int fd() const { return fd_.get(); }
  // Readable while one of SIGINT, SIGTERM, SIGHUP or SIGQUIT waits in the inbox.
  [[nodiscard]] int interrupts() const { return interrupts_.get(); }
  [[nodiscard]] std::optional<int> next();  // nullopt: none is waiting

 private:
  SignalInbox(UniqueFd fd, UniqueFd interrupts, const sigset_t& old)
      : fd_(std::move(fd)), interrupts_(std::move(interrupts)), old_(old) {}
  UniqueFd fd_, interrupts_;
  sigset_t old_;
};

// Ends this process as the signal would have, so that a shell sees it. Returns only when the signal is ignored.
void die_of(int signal);

}  // namespace agentos::cli
