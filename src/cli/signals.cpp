#include "cli/signals.hpp"

#include <sys/signalfd.h>
#include <unistd.h>

namespace agentos::cli {

Result<SignalInbox> SignalInbox::open(std::initializer_list<int> signals) {
  sigset_t set, interrupts, old;
  ::sigemptyset(&set);
  ::sigemptyset(&interrupts);
  for (const int signal : signals) {
    struct sigaction action{};
    // A blocked signal is kept even where it is ignored, so those must stay out of the set.
    if (::sigaction(signal, nullptr, &action) == 0 && action.sa_handler == SIG_IGN) continue;
    ::sigaddset(&set, signal);
    if (signal == SIGINT || signal == SIGTERM || signal == SIGHUP || signal == SIGQUIT)
      ::sigaddset(&interrupts, signal);
  }
  UniqueFd fd(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  UniqueFd interrupt_fd(::signalfd(-1, &interrupts, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!fd || !interrupt_fd) return fail_errno("signalfd");
  if (::sigprocmask(SIG_BLOCK, &set, &old) != 0) return fail_errno("block signals");
  return SignalInbox(std::move(fd), std::move(interrupt_fd), old);
}

SignalInbox::SignalInbox(SignalInbox&& other) noexcept
    : fd_(std::move(other.fd_)), interrupts_(std::move(other.interrupts_)), old_(other.old_) {}

SignalInbox::~SignalInbox() {
  if (!fd_) return;
  while (next()) {
  }
  ::sigprocmask(SIG_SETMASK, &old_, nullptr);
}

std::optional<int> SignalInbox::next() {
  signalfd_siginfo info{};
  if (::read(fd_.get(), &info, sizeof info) != static_cast<ssize_t>(sizeof info)) return std::nullopt;
  return static_cast<int>(info.ssi_signo);
}

void die_of(int signal) {
  struct sigaction action{};
  action.sa_handler = SIG_DFL;
  ::sigaction(signal, &action, nullptr);
  sigset_t set;
  ::sigemptyset(&set);
  ::sigaddset(&set, signal);
  ::sigprocmask(SIG_UNBLOCK, &set, nullptr);
  ::raise(signal);
}

}  // namespace agentos::cli
