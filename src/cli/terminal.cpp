#include "cli/terminal.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <csignal>
#include <utility>

namespace agentos::cli {
namespace {

constexpr int fatal[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT};

// For the handler of fatal signals, which may use nothing else. -1: nothing to restore.
volatile sig_atomic_t crash_fd = -1;
termios crash_mode;

void on_crash(int signal) {
  if (crash_fd >= 0) ::tcsetattr(crash_fd, TCSANOW, &crash_mode);  // async-signal-safe (POSIX)
  ::raise(signal);                                                 // SA_RESETHAND: now it ends the process
}

void restore_on_crash(int fd, const termios& mode) {
  crash_mode = mode;
  crash_fd = fd;
  struct sigaction action{};
  action.sa_handler = on_crash;
  action.sa_flags = SA_RESETHAND | SA_NODEFER;
  for (const int signal : fatal) ::sigaction(signal, &action, nullptr);
}

// A job in the background may set the mode only where SIGTTOU is blocked; to leave a terminal raw would be worse.
void set_mode(int fd, const termios& mode) {
  sigset_t block, old;
  ::sigemptyset(&block);
  ::sigaddset(&block, SIGTTOU);
  ::sigprocmask(SIG_BLOCK, &block, &old);
  ::tcsetattr(fd, TCSADRAIN, &mode);
  ::sigprocmask(SIG_SETMASK, &old, nullptr);
}

}  // namespace

std::optional<WindowSize> window_size() {
  for (const int fd : {STDOUT_FILENO, STDIN_FILENO}) {
    winsize size{};
    if (::ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_row > 0 && size.ws_col > 0)
      return WindowSize{size.ws_row, size.ws_col};
  }
  return std::nullopt;
}

Result<RawMode> RawMode::enter(int fd) {
  termios old{};
  if (::tcgetattr(fd, &old) != 0) return fail_errno("read the terminal's mode");
  RawMode mode(fd, old);
  AGENTOS_TRY(mode.enter_again());
  return mode;
}

RawMode::RawMode(RawMode&& other) noexcept : fd_(other.fd_), old_(other.old_), raw_(std::exchange(other.raw_, false)) {}

Result<> RawMode::enter_again() {
  termios raw = old_;
  ::cfmakeraw(&raw);
  restore_on_crash(fd_, old_);
  if (::tcsetattr(fd_, TCSADRAIN, &raw) != 0) return fail_errno("set the terminal's mode");
  raw_ = true;
  return {};
}

void RawMode::leave() {
  if (!std::exchange(raw_, false)) return;
  set_mode(fd_, old_);
  crash_fd = -1;
}

bool is_in_background(int fd) {
  const pid_t foreground = ::tcgetpgrp(fd);
  return foreground >= 0 && foreground != ::getpgrp();
}

}  // namespace agentos::cli
