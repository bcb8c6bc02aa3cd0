#include "process.hpp"

#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

namespace agentos::init {

void Stream::open(UniqueFd fd, FrameType type) {
  fd_ = std::move(fd);
  if (!frame_) frame_ = std::make_unique_for_overwrite<char[]>(1 + attach_data_max);
  frame_[0] = static_cast<char>(type);
  frame_size_ = drained_ = 0;
  owed.reset();
}

std::string_view Stream::read(bool last) {
  AGENTOS_ASSERT(wants_read());
  if (last && drained_ >= drain_max) {
    close();
    return {};
  }
  const ssize_t count = ::read(fd_.get(), frame_.get() + 1, attach_data_max);
  if (count <= 0) {
    // EIO is how a tty ends.
    const bool nothing_now = count < 0 && (errno == EAGAIN || errno == EINTR);
    if (!nothing_now || last) close();
    return {};
  }
  frame_size_ = 1 + static_cast<std::size_t>(count);
  if (last) drained_ += static_cast<std::size_t>(count);
  return frame().substr(1);
}

void Process::start(Launched launched, Program program) {
  AGENTOS_ASSERT(!in_use() && launched.pid > 1);
  pid_ = launched.pid;
  program_ = std::move(program);
  program_.env = {};  // may hold secrets, and is not needed any more
  report_ = std::move(launched.report);
  input_ = std::move(launched.input);
  slave_ = std::move(launched.slave);
  buffer_.clear();
  input_ended_ = false;
  last_input_ = '\n';
  pending_signals_ = 0;
  failure_.reset();
  status_.reset();
  streams[0].open(std::move(launched.output), FrameType::output);
  streams[1].open(std::move(launched.error), FrameType::error_output);
}

void Process::release() {
  pid_ = 0;
  program_ = {};
  for (auto& stream : streams) stream.close();
  report_.reset();
  input_.reset();
  slave_.reset();
}

bool Process::read_report() {
  if (!report_) return false;
  ExecFailure failure;
  const ssize_t count = ::read(report_.get(), &failure, sizeof failure);
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) return false;
  if (count == sizeof failure) {
    failure_ = failure;
    for (auto& stream : streams) stream.close();
  }
  report_.reset();
  for (int number = 1; executed() && number < NSIG; ++number) {
    if ((pending_signals_ >> (number - 1) & 1U) != 0) signal(number);
  }
  return true;
}

void Process::end(int wait_status) {
  report_.reset();
  status_ = wait_status;
  input_.reset();
  slave_.reset();
}

void Process::input(std::string_view data) {
  if (!input_ || input_ended_ || data.empty()) return;
  last_input_ = data.back();
  buffer_.push(data);
  flush_input();
}

void Process::end_input() {
  if (!input_ || input_ended_) return;
  if (!tty()) {
    input_ended_ = true;
    flush_input();
    return;
  }
  // What a person does: the end-of-file character, and after a line begun a second one, since the first only hands over
  // that line. The tty itself stays.
  termios settings{};
  const bool known = ::tcgetattr(input_.get(), &settings) == 0;
  const char character = known && settings.c_cc[VEOF] != 0 ? static_cast<char>(settings.c_cc[VEOF]) : '\x04';
  const bool line_begun = known && (settings.c_lflag & ICANON) != 0 && last_input_ != '\n' && last_input_ != '\r';
  input(std::string(line_begun ? 2 : 1, character));
  last_input_ = '\n';
}

void Process::flush_input() {
  while (input_ && !buffer_.pending().empty()) {
    const auto pending = buffer_.pending();
    const ssize_t count = ::write(input_.get(), pending.data(), pending.size());
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (count <= 0) {  // EPIPE: the program has closed its stdin
      buffer_.clear();
      if (!tty()) input_.reset();
      return;
    }
    buffer_.pop(static_cast<std::size_t>(count));
  }
  if (input_ended_) input_.reset();
}

void Process::resize(std::uint16_t rows, std::uint16_t columns) {
  if (!tty() || !input_ || rows == 0 || columns == 0) return;
  const winsize size{.ws_row = rows, .ws_col = columns, .ws_xpixel = 0, .ws_ypixel = 0};
  ::ioctl(input_.get(), TIOCSWINSZ, &size);  // the kernel sends SIGWINCH when it changes
}

void Process::redraw() {
  if (tty()) signal(SIGWINCH);
}

void Process::signal(int number) {
  if (!in_use() || ended() || failure_) return;
  if (starting()) {  // its process group may not exist
    pending_signals_ |= std::uint64_t{1} << (number - 1);
    return;
  }
  if (tty() && input_) {
    // The kernel finds the group itself, for the signals it offers that for; 0 and 1 would be init's own group and
    // everybody.
    if (::ioctl(input_.get(), TIOCSIG, number) == 0) return;
    const pid_t group = ::tcgetpgrp(input_.get());
    if (group > 1 && ::kill(-group, number) == 0) return;
  }
  kill_group(number);
}

void Process::hang_up() {
  if (!in_use() || ended()) return;
  if (executed()) {
    kill_group(SIGHUP);
  } else {
    signal(SIGHUP);
  }
  if (!tty()) end_input();
}

// The program leads a session, so it cannot leave its group, and until it is reaped nobody else can have this number.
void Process::kill_group(int number) {
  ::kill(-pid_, number);
}

}  // namespace agentos::init
