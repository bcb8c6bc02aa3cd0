#include "cli/relay.hpp"

#include <sys/socket.h>

#include <array>
#include <cerrno>

#include "agentos/model/attach.hpp"

namespace agentos::cli {
namespace {

constexpr std::size_t packet_max = attach_data_max + 64;  // from init: data, or the words of a refusal
constexpr std::size_t queue_max = 64;                     // packets; input comes in only while there is none
constexpr std::size_t typed_max = attach_data_max / 4;    // read at once from a terminal
constexpr std::chrono::seconds again_within{2};
constexpr int background_check_ms = 1000;

std::string packet(FrameType type, int number = 0) {
  Frame frame;
  frame.type = type;
  frame.number = number;
  return frame.encode();
}

std::string resize_packet(WindowSize size) {
  Frame frame;
  frame.type = FrameType::resize;
  frame.rows = size.rows;
  frame.columns = size.columns;
  return frame.encode();
}

}  // namespace

Relay::Relay(RelaySetup setup, SignalInbox& signals)
    : setup_(std::move(setup)), signals_(signals), out_(setup_.out), err_(setup_.err), buffer_(packet_max) {
  in_terminal_ = ::isatty(setup_.in) == 1;
}

void Relay::end(RelayEnd::Kind kind, int number, std::string words) {
  if (!end_) end_ = RelayEnd{kind, number, std::move(words)};
}

Result<RelayEnd> Relay::run() {
  if (setup_.tty && in_terminal_) raw_.emplace(AGENTOS_TRY(RawMode::enter(setup_.in)));
  if (const auto size = window_size(); setup_.tty && setup_.redraw && size && size->columns > 1) {
    queue_.push_back(resize_packet({size->rows, static_cast<std::uint16_t>(size->columns - 1)}));
    queue_.push_back(resize_packet(*size));
  }
  while (!end_) {
    const bool take_output = out_.idle() && err_.idle();
    const bool want_input = in_open_ && queue_.empty() && has_input_room();
    const bool take_input = want_input && may_read_input();
    const auto stream_events = static_cast<short>((take_output ? POLLIN : 0) | (queue_.empty() ? 0 : POLLOUT));
    // A descriptor that nothing is wanted of stays out, or a hang-up would make the loop spin.
    std::array<pollfd, 5> fds{pollfd{stream_events != 0 ? setup_.stream : -1, stream_events, 0},
                              pollfd{take_input ? setup_.in : -1, POLLIN, 0},
                              pollfd{queue_.size() < queue_max ? signals_.fd() : -1, POLLIN, 0},
                              pollfd{out_.idle() ? -1 : out_.fd(), POLLOUT, 0},
                              pollfd{err_.idle() ? -1 : err_.fd(), POLLOUT, 0}};
    const int ready = ::poll(fds.data(), fds.size(), want_input && !take_input ? background_check_ms : -1);
    if (ready < 0 && errno != EINTR) return fail_errno("poll");
    if (ready <= 0) continue;
    if (fds[3].revents != 0) flush(out_, true);
    if (fds[4].revents != 0) flush(err_, false);
    if ((fds[0].revents & POLLOUT) != 0 || (!queue_.empty() && fds[0].revents != 0)) send_queued();
    if (take_output && (fds[0].revents & ~POLLOUT) != 0) read_stream();
    if (fds[1].revents != 0 && !end_) read_input();
    if (fds[2].revents != 0) {
      if (const auto signal = signals_.next(); signal && !end_) take_signal(*signal);
    }
  }
  raw_.reset();
  return std::move(*end_);
}

// Keys are read also while nobody takes them, as of a paused agent: they may be those that detach.
bool Relay::has_input_room() const {
  return raw_ ? input_.size() <= 2 * typed_max : input_taken_;
}

bool Relay::may_read_input() const {
  return !in_terminal_ || !is_in_background(setup_.in);
}

void Relay::read_input() {
  std::array<char, attach_data_max> bytes;
  const ssize_t count = ::read(setup_.in, bytes.data(), raw_ ? typed_max : bytes.size());
  if (count < 0 && (errno == EINTR || errno == EAGAIN)) return;
  if (count <= 0) {
    in_open_ = false;
    if (raw_) return end(RelayEnd::Kind::signaled, SIGHUP);  // a raw terminal has no end of file: it is gone
    queue_.push_back(packet(FrameType::input_end));
    return;
  }
  std::string typed(bytes.data(), static_cast<std::size_t>(count));
  if (raw_) typed = setup_.detach_keys.filter(typed);
  input_ += typed;
  send_input();
  if (raw_ && setup_.detach_keys.complete()) end(RelayEnd::Kind::detached);
}

// One frame at a time, so that the stream always has room for a signal and nothing waits behind input.
void Relay::send_input() {
  if (input_.empty() || !input_taken_) return;
  Frame frame;
  frame.type = FrameType::input;
  frame.data = input_;
  queue_.push_back(frame.encode());
  input_.clear();
  input_taken_ = false;
  send_queued();
}

void Relay::send_queued() {
  while (!queue_.empty()) {
    const auto& next = queue_.front();
    if (::send(setup_.stream, next.data(), next.size(), MSG_DONTWAIT | MSG_NOSIGNAL) < 0) {
      if (errno == EINTR) continue;
      if (errno == EAGAIN) return;
      // The other side is gone; what it said last is still to be read.
      queue_.clear();
      in_open_ = false;
      return;
    }
    queue_.pop_front();
  }
}

void Relay::read_stream() {
  const ssize_t count = ::recv(setup_.stream, buffer_.data(), buffer_.size(), MSG_DONTWAIT | MSG_TRUNC);
  // ECONNRESET: init closed with input unread; the kernel tells so once, before what is still to be read.
  if (count < 0 && (errno == EAGAIN || errno == EINTR || errno == ECONNRESET)) return;
  if (count <= 0) return end(RelayEnd::Kind::lost);
  if (static_cast<std::size_t>(count) > buffer_.size()) return end(RelayEnd::Kind::lost, 0, "oversized frame");
  const auto frame = Frame::decode({buffer_.data(), static_cast<std::size_t>(count)});
  if (!frame) return end(RelayEnd::Kind::lost, 0, frame.error().message());
  switch (frame->type) {
    case FrameType::output:
      out_.put(frame->data);
      return flush(out_, true);
    case FrameType::error_output:
      err_.put(frame->data);
      return flush(err_, false);
    case FrameType::exited:
      return end(RelayEnd::Kind::exited, frame->number);
    case FrameType::refused:
      return end(RelayEnd::Kind::refused, frame->number, std::string(frame->data));
    case FrameType::taken:
      input_taken_ = true;
      return send_input();
    default:
      return;  // started
  }
}

void Relay::flush(Outlet& outlet, bool is_output) {
  const int failure = outlet.flush();
  if (failure == 0 || !is_output) return;  // without a stderr the rest still has a use
  if (failure == EIO && raw_) return end(RelayEnd::Kind::signaled, SIGHUP);
  end(RelayEnd::Kind::output_failed, failure);
}

void Relay::take_signal(int signal) {
  switch (signal) {
    case SIGWINCH:
      return send_window_size();
    case SIGTSTP:
      return suspend();
    case SIGCONT:
    case SIGPIPE:
      return;
    default:
      break;
  }
  if (raw_ || !setup_.forward_signals) return end(RelayEnd::Kind::signaled, signal);
  if (signal == SIGINT && interrupted_again()) {
    if (setup_.second_interrupt) return setup_.second_interrupt();
    signal = SIGKILL;
  }
  queue_.push_back(packet(FrameType::signal, signal));
  send_queued();
}

bool Relay::interrupted_again() {
  const auto now = std::chrono::steady_clock::now();
  const auto before = std::exchange(interrupted_, now);
  return before && now - *before < again_within;
}

// ^Z is a key of the program in the sandbox; this is a SIGTSTP that somebody sent.
void Relay::suspend() {
  if (raw_) raw_->leave();
  ::raise(SIGSTOP);
  if (!raw_) return;
  if (auto again = raw_->enter_again(); !again) return end(RelayEnd::Kind::signaled, SIGHUP);
  send_window_size();
}

void Relay::send_window_size() {
  const auto size = window_size();
  if (!setup_.tty || !size) return;
  queue_.push_back(resize_packet(*size));
  send_queued();
}

}  // namespace agentos::cli
