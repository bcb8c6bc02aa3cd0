#include "cli/relay.hpp"

#include <fcntl.h>
#include <pty.h>
#include <sys/socket.h>

#include <numeric>
#include <thread>

#include <gtest/gtest.h>

#include "agentos/model/attach.hpp"
#include "os/socket.hpp"

namespace agentos::cli {
namespace {

std::string frame(FrameType type, std::string_view data = {}, int number = 0) {
  Frame frame;
  frame.type = type;
  frame.data = data;
  frame.number = number;
  return frame.encode();
}

struct Pipe {
  Pipe() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) std::abort();
    read.reset(ends[0]);
    write.reset(ends[1]);
  }
  UniqueFd read, write;
};

std::string read_to_end(int fd) {
  std::string all;
  char buffer[65536];
  for (ssize_t count = 0; (count = ::read(fd, buffer, sizeof buffer)) > 0;)
    all.append(buffer, static_cast<std::size_t>(count));
  return all;
}

// Runs a relay in a thread between pipes and a socket whose other end the test plays.
class RelayTest : public ::testing::Test {
 protected:
  RelayTest() {
    auto [ours, theirs] = os::socket_pair(SOCK_SEQPACKET).value();
    init_ = std::move(ours);
    stream_ = std::move(theirs);
  }
  ~RelayTest() override {
    init_.reset();
    if (thread_.joinable()) thread_.join();
  }

  void start(RelaySetup setup = {}) {
    setup.stream = stream_.get();
    if (setup.in == STDIN_FILENO) setup.in = in_.read.get();
    setup.out = out_.write.get();
    setup.err = err_.write.get();
    // Blocks the signals in this thread before the other is made, so that both have them blocked.
    signals_.emplace(SignalInbox::open({SIGINT, SIGTERM, SIGWINCH, SIGPIPE}).value());
    thread_ = std::thread([this, setup = std::move(setup)]() mutable {
      end_ = Relay(std::move(setup), *signals_).run();
      out_.write.reset();
      err_.write.reset();
    });
  }
  RelayEnd finish() {
    thread_.join();
    if (!end_ || !end_->has_value()) throw std::runtime_error("the relay failed");
    return **end_;
  }
  void say(const std::string& packet) { ASSERT_TRUE(os::send_packet(init_.get(), packet)); }
  std::string hear() {
    const auto packet = os::receive_packet(init_.get(), attach_frame_max);
    return packet ? packet->bytes : std::string();
  }

  UniqueFd init_, stream_;
  Pipe in_, out_, err_;
  std::optional<SignalInbox> signals_;
  std::optional<Result<RelayEnd>> end_;
  std::thread thread_;
};

TEST_F(RelayTest, PartsTheStreamsAndReportsTheStatus) {
  start();
  say(frame(FrameType::started));
  say(frame(FrameType::output, "out"));
  say(frame(FrameType::error_output, "err"));
  say(frame(FrameType::output, "put"));
  say(frame(FrameType::exited, {}, 3 << 8));
  const auto end = finish();
  EXPECT_EQ(end.kind, RelayEnd::Kind::exited);
  EXPECT_EQ(WEXITSTATUS(end.number), 3);
  EXPECT_EQ(read_to_end(out_.read.get()), "output");
  EXPECT_EQ(read_to_end(err_.read.get()), "err");
}

TEST_F(RelayTest, PassesInputOnAndItsEnd) {
  start();
  ASSERT_EQ(::write(in_.write.get(), "hello", 5), 5);
  EXPECT_EQ(hear(), frame(FrameType::input, "hello"));
  in_.write.reset();
  say(frame(FrameType::taken));
  EXPECT_EQ(hear(), frame(FrameType::input_end));
  say(frame(FrameType::exited));
  EXPECT_EQ(finish().kind, RelayEnd::Kind::exited);
}

TEST_F(RelayTest, EveryKindOfStdinHasAnEnd) {
  for (const auto* path : {"/dev/null", "/proc/self/status"}) {
    auto [ours, theirs] = os::socket_pair(SOCK_SEQPACKET).value();
    const UniqueFd in(::open(path, O_RDONLY | O_CLOEXEC));
    auto signals = SignalInbox::open({SIGPIPE}).value();
    std::thread init([&, fd = ours.get()] {
      const auto end = frame(FrameType::input_end);
      for (;;) {
        const auto packet = os::receive_packet(fd, attach_frame_max);
        if (!packet || packet->bytes == end) break;
        static_cast<void>(os::send_packet(fd, frame(FrameType::taken)));
      }
      static_cast<void>(os::send_packet(fd, frame(FrameType::exited)));
    });
    const auto end =
        Relay({.stream = theirs.get(), .in = in.get(), .out = out_.write.get(), .err = err_.write.get()}, signals)
            .run();
    init.join();
    ASSERT_TRUE(end);
    EXPECT_EQ(end->kind, RelayEnd::Kind::exited) << path;
  }
}

TEST_F(RelayTest, LosesNothingWhenTheReaderIsSlow) {
  start();
  constexpr std::size_t pieces = 256;
  std::thread writer([this] {
    for (std::size_t i = 0; i < pieces; ++i)
      say(frame(FrameType::output, std::string(attach_data_max, static_cast<char>('a' + i % 26))));
    say(frame(FrameType::exited));
  });
  // The pipe and the socket fill up before a byte is taken.
  pollfd full{init_.get(), POLLOUT, 0};
  while (::poll(&full, 1, 100) != 0) std::this_thread::yield();
  std::string all;
  char buffer[3001];
  while (all.size() < pieces * attach_data_max) {
    const ssize_t count = ::read(out_.read.get(), buffer, sizeof buffer);
    ASSERT_GT(count, 0);
    all.append(buffer, static_cast<std::size_t>(count));
  }
  writer.join();
  EXPECT_EQ(finish().kind, RelayEnd::Kind::exited);
  for (std::size_t i = 0; i < pieces; ++i) {
    ASSERT_EQ(all.find_first_not_of(static_cast<char>('a' + i % 26), i * attach_data_max),
              i + 1 < pieces ? (i + 1) * attach_data_max : std::string::npos);
  }
}

TEST_F(RelayTest, DoesNotReadInputThatNobodyTakes) {
  start({.forward_signals = true});
  const int size = ::fcntl(in_.write.get(), F_GETPIPE_SZ);
  ASSERT_EQ(::fcntl(in_.write.get(), F_SETFL, O_NONBLOCK), 0);
  // Written until nothing moves any more: one packet is on its way and the pipe is full.
  std::size_t written = 0;
  const std::string block(4096, 'x');
  pollfd room{in_.write.get(), POLLOUT, 0};
  while (::poll(&room, 1, written > static_cast<std::size_t>(size) ? 300 : 30'000) > 0) {
    const ssize_t count = ::write(in_.write.get(), block.data(), block.size());
    ASSERT_GT(count, 0);
    written += static_cast<std::size_t>(count);
    ASSERT_LE(written, static_cast<std::size_t>(size) + attach_data_max);
  }
  EXPECT_GT(written, static_cast<std::size_t>(size));
  ::kill(::getpid(), SIGTERM);
  in_.write.reset();
  std::size_t heard = 0;
  bool signalled = false;
  for (;;) {
    const auto packet = hear();
    if (packet == frame(FrameType::input_end)) break;
    if (packet == frame(FrameType::signal, {}, SIGTERM)) {
      EXPECT_LE(heard, attach_data_max) << "a signal does not wait behind input";
      signalled = true;
    } else {
      heard += packet.size() - 1;
    }
    if (signalled) say(frame(FrameType::taken));
  }
  EXPECT_TRUE(signalled);
  EXPECT_EQ(heard, written);
  say(frame(FrameType::exited));
  EXPECT_EQ(finish().kind, RelayEnd::Kind::exited);
}

TEST_F(RelayTest, TellsThatItsReaderIsGone) {
  start();
  out_.read.reset();
  say(frame(FrameType::output, "x"));
  const auto end = finish();
  EXPECT_EQ(end.kind, RelayEnd::Kind::output_failed);
  EXPECT_EQ(end.number, EPIPE);
}

TEST_F(RelayTest, GoesOnWithoutAStderr) {
  start();
  err_.read.reset();
  say(frame(FrameType::error_output, "x"));
  say(frame(FrameType::output, "y"));
  say(frame(FrameType::exited));
  EXPECT_EQ(finish().kind, RelayEnd::Kind::exited);
  EXPECT_EQ(read_to_end(out_.read.get()), "y");
}

TEST_F(RelayTest, ReadsTheLastWordBehindAReset) {
  // Input that init never read makes the kernel report ECONNRESET once; what init said before it must still arrive.
  ASSERT_EQ(::write(in_.write.get(), "unread", 6), 6);
  start();
  pollfd there{init_.get(), POLLIN, 0};
  ASSERT_EQ(::poll(&there, 1, 5000), 1);
  say(frame(FrameType::output, "last"));
  say(frame(FrameType::exited, {}, 7 << 8));
  init_.reset();
  const auto end = finish();
  EXPECT_EQ(end.kind, RelayEnd::Kind::exited);
  EXPECT_EQ(WEXITSTATUS(end.number), 7);
  EXPECT_EQ(read_to_end(out_.read.get()), "last");
}

TEST_F(RelayTest, TellsRefusalAndLoss) {
  start();
  say(frame(FrameType::refused, "no such program", ENOENT));
  const auto refused = finish();
  EXPECT_EQ(refused.kind, RelayEnd::Kind::refused);
  EXPECT_EQ(refused.number, ENOENT);
  EXPECT_EQ(refused.words, "no such program");
}

TEST_F(RelayTest, AStreamWithoutALastWordIsLost) {
  start();
  say(frame(FrameType::output, "x"));
  init_.reset();
  EXPECT_EQ(finish().kind, RelayEnd::Kind::lost);
}

TEST_F(RelayTest, GarbageEndsIt) {
  start();
  say(std::string("\xff garbage"));
  const auto end = finish();
  EXPECT_EQ(end.kind, RelayEnd::Kind::lost);
  EXPECT_NE(end.words, "");
}

TEST_F(RelayTest, ForwardsSignalsAndTellsTheSecondInterrupt) {
  std::atomic<int> again = 0;
  start({.forward_signals = true, .second_interrupt = [&] { ++again; }});
  ::pthread_kill(::pthread_self(), SIGTERM);  // blocked everywhere in this process
  EXPECT_EQ(signals_->next(), SIGTERM) << "a signal for one thread is read by that thread";
  ::kill(::getpid(), SIGTERM);
  EXPECT_EQ(hear(), frame(FrameType::signal, {}, SIGTERM));
  ::kill(::getpid(), SIGINT);
  EXPECT_EQ(hear(), frame(FrameType::signal, {}, SIGINT));
  EXPECT_EQ(again, 0);
  ::kill(::getpid(), SIGINT);
  while (again == 0) std::this_thread::yield();
  say(frame(FrameType::exited, {}, SIGINT));
  EXPECT_EQ(finish().kind, RelayEnd::Kind::exited);
}

TEST_F(RelayTest, WithoutForwardingASignalEndsIt) {
  start();
  ::kill(::getpid(), SIGINT);
  const auto end = finish();
  EXPECT_EQ(end.kind, RelayEnd::Kind::signaled);
  EXPECT_EQ(end.number, SIGINT);
}

class TerminalRelay : public RelayTest {
 protected:
  TerminalRelay() {
    int master = -1, slave = -1;
    if (::openpty(&master, &slave, nullptr, nullptr, nullptr) != 0) std::abort();
    master_.reset(master);
    slave_.reset(slave);
  }
  [[nodiscard]] bool is_raw() const {
    termios mode{};
    return ::tcgetattr(slave_.get(), &mode) == 0 && (mode.c_lflag & (ICANON | ECHO | ISIG)) == 0;
  }
  void start_on_terminal() {
    start({.in = slave_.get(),
           .tty = true,
           .forward_signals = true,
           .detach_keys = DetachKeys::parse("ctrl-p,ctrl-q").value()});
    while (!is_raw()) std::this_thread::yield();
  }
  UniqueFd master_, slave_;
};

TEST_F(TerminalRelay, KeysGoThroughAsTheyAreAndTheModeComesBack) {
  ASSERT_FALSE(is_raw());
  start_on_terminal();
  ASSERT_EQ(::write(master_.get(), "\x03", 1), 1);  // ctrl-c is a key of the program's
  EXPECT_EQ(hear(), frame(FrameType::input, "\x03"));
  say(frame(FrameType::exited));
  EXPECT_EQ(finish().kind, RelayEnd::Kind::exited);
  EXPECT_FALSE(is_raw());
}

TEST_F(TerminalRelay, DetachesByItsKeys) {
  start_on_terminal();
  ASSERT_EQ(::write(master_.get(), "a\x10", 2), 2);
  EXPECT_EQ(hear(), frame(FrameType::input, "a"));
  ASSERT_EQ(::write(master_.get(), "\x11", 1), 1);
  EXPECT_EQ(finish().kind, RelayEnd::Kind::detached);
  EXPECT_FALSE(is_raw());
}

TEST_F(TerminalRelay, ASignalEndsItAndTheModeComesBack) {
  start_on_terminal();
  ::kill(::getpid(), SIGTERM);
  const auto end = finish();
  EXPECT_EQ(end.kind, RelayEnd::Kind::signaled);
  EXPECT_EQ(end.number, SIGTERM);
  EXPECT_FALSE(is_raw());
}

TEST_F(TerminalRelay, ATerminalThatGoesAwayIsAHangUp) {
  start_on_terminal();
  master_.reset();
  const auto end = finish();
  EXPECT_EQ(end.kind, RelayEnd::Kind::signaled);
  EXPECT_EQ(end.number, SIGHUP);
}

TEST_F(TerminalRelay, TheModeComesBackWhenTheStreamIsLost) {
  start_on_terminal();
  init_.reset();
  EXPECT_EQ(finish().kind, RelayEnd::Kind::lost);
  EXPECT_FALSE(is_raw());
}

}  // namespace
}  // namespace agentos::cli
