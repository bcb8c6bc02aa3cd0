#include "started_init.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <filesystem>

#include <gtest/gtest.h>

#include "os/file.hpp"
#include "os/socket.hpp"

namespace agentos::init_tests {
namespace {

constexpr int patience_s = 60;  // for emulated machines under load

template <class T>
T must(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().message());
  return *std::move(result);
}

void must(bool ok, const char* doing) {
  if (!ok) throw std::runtime_error(std::string(doing) + ": " + std::strerror(errno));
}

}  // namespace

int Received::exit_code() const {
  return status && WIFEXITED(*status) ? WEXITSTATUS(*status) : -1;
}
int Received::signal() const {
  return status && WIFSIGNALED(*status) ? WTERMSIG(*status) : 0;
}

Client::Client(UniqueFd socket) : socket_(std::move(socket)) {
  const timeval patience{.tv_sec = patience_s, .tv_usec = 0};
  ::setsockopt(socket_.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  ::setsockopt(socket_.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
}

void Client::send(FrameType type, std::string_view data, int number) {
  const bool is_input = type == FrameType::input || type == FrameType::input_end;
  while (is_input && !taken_ && take(received_)) {
  }
  taken_ = taken_ && type != FrameType::input;
  send_packet(Frame{.type = type, .data = data, .number = number}.encode());
}

void Client::resize(std::uint16_t rows, std::uint16_t columns) {
  send_packet(Frame{.type = FrameType::resize, .data = {}, .rows = rows, .columns = columns}.encode());
}

void Client::send_packet(std::string_view packet) {
  EXPECT_EQ(::send(fd(), packet.data(), packet.size(), MSG_NOSIGNAL), static_cast<ssize_t>(packet.size()))
      << std::strerror(errno);
}

bool Client::is_taken() {
  pollfd something{.fd = fd(), .events = POLLIN, .revents = 0};
  while (!taken_ && ::poll(&something, 1, 300) == 1 && take(received_)) {
  }
  return taken_;
}

std::string Client::receive() {
  std::string packet(attach_frame_max, '\0');
  const ssize_t size = ::recv(fd(), packet.data(), packet.size(), 0);
  EXPECT_TRUE(size >= 0 || errno == ECONNRESET) << "nothing came: " << std::strerror(errno);
  packet.resize(static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
  return packet;
}

bool Client::take(Received& into) {
  const auto packet = receive();
  if (packet.empty()) return false;
  const auto frame = Frame::decode(packet);
  if (!frame) {
    ADD_FAILURE() << frame.error().message();
    return false;
  }
  switch (frame->type) {
    case FrameType::started:
      EXPECT_TRUE(!into.started && into.output.empty() && into.error.empty()) << "started comes first";
      into.started = true;
      break;
    case FrameType::output:
      into.output += frame->data;
      break;
    case FrameType::error_output:
      into.error += frame->data;
      break;
    case FrameType::taken:
      taken_ = true;
      break;
    case FrameType::exited:
      into.status = frame->number;
      break;
    case FrameType::refused:
      into.refused = frame->number;
      into.words = frame->data;
      break;
    default:
      ADD_FAILURE() << "frame type " << static_cast<int>(frame->type);
  }
  return true;
}

Received Client::collect(bool slow) {
  bool last = false;
  while (take(received_)) {
    EXPECT_FALSE(last) << "a frame after the last";
    last = received_.status.has_value() || received_.refused != 0;
    if (slow) ::usleep(1000);
  }
  return std::exchange(received_, {});
}

void Client::expect_output(std::string_view text) {
  while (!received_.output.ends_with(text)) {
    ASSERT_TRUE(take(received_)) << "ended before '" << text << "': '" << received_.output << "' '" << received_.error
                                 << "' " << received_.words;
  }
}

StartedInit::StartedInit(Options options) {
  std::string name = "/tmp/agentos-init-XXXXXX";
  must(::mkdtemp(name.data()) != nullptr, "mkdtemp");
  folder_ = name;
  must(::chmod(folder_.c_str(), 0777) == 0, "chmod");
  const bool root = ::geteuid() == 0;
  const InitSpec spec{.uid = options.uid.value_or(root ? 1000 : ::geteuid()),
                      .gid = options.uid.value_or(root ? 1000 : ::getegid()),
                      .log_max = options.log_max,
                      .program = std::move(options.program)};
  const auto memory = must(os::sealed_memory("spec", options.spec.value_or(spec.encode())));
  listener_ = must(os::listen_unix(folder_ + "/socket", SOCK_SEQPACKET, 0600));
  for (std::size_t i = 0; i < 2; ++i) {
    const std::string path = options.log_path.empty() ? folder_ + "/log" + std::to_string(i) : options.log_path;
    logs_[i].reset(::open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
    must(static_cast<bool>(logs_[i]), path.c_str());
  }
  record_.reset(::open((folder_ + "/exit").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  auto [theirs, ours] = must(os::socket_pair(SOCK_SEQPACKET));
  if (options.client) client_.emplace(std::move(ours));

  pid_ =
      static_cast<pid_t>(::syscall(SYS_clone, SIGCHLD | (root ? CLONE_NEWPID : 0), nullptr, nullptr, nullptr, nullptr));
  must(pid_ >= 0, "clone");
  if (pid_ == 0) {
    std::array fds{memory.get(), listener_.get(), logs_[0].get(), logs_[1].get(), record_.get(), theirs.get()};
    for (int& fd : fds) fd = ::fcntl(fd, F_DUPFD_CLOEXEC, 100);
    const int null = ::open("/dev/null", O_RDWR);
    for (int fd = 0; fd < 3; ++fd) ::dup2(null, fd);
    for (std::size_t i = 0; i < fds.size(); ++i) ::dup2(fds[i], init_fd::spec + static_cast<int>(i));
    if (!options.client) ::close(init_fd::client);
    ::execl(AGENTOS_INIT, "agentos-init", nullptr);
    ::_exit(99);
  }
  pidfd_.reset(static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0)));
}

StartedInit::~StartedInit() {
  if (!status_) {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  std::filesystem::remove_all(folder_);
}

Client StartedInit::connect() {
  return Client(must(os::connect_unix(folder_ + "/socket", SOCK_SEQPACKET)));
}

Client StartedInit::greet(Hello::Purpose purpose, Program program, std::uint16_t rows, std::uint16_t columns) {
  auto client = connect();
  Hello hello{.purpose = purpose, .program = std::move(program)};
  hello.program.rows = rows;
  hello.program.columns = columns;
  client.send_packet(hello.encode());
  return client;
}

int StartedInit::wait() {
  pollfd poll{.fd = pidfd_.get(), .events = POLLIN, .revents = 0};
  if (::poll(&poll, 1, patience_s * 1000) != 1) {
    ADD_FAILURE() << "agentos-init does not end";
    ::kill(pid_, SIGKILL);
  }
  int status = 0;
  EXPECT_EQ(::waitpid(pid_, &status, 0), pid_);
  status_ = status;
  return status;
}

ExitRecord StartedInit::exit_record() {
  std::string bytes(64, '\0');
  const ssize_t size = ::pread(record_.get(), bytes.data(), bytes.size(), 0);
  bytes.resize(static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
  const auto record = ExitRecord::decode(bytes);
  EXPECT_TRUE(record) << "exit record of " << size << " bytes";
  return record.value_or(ExitRecord{.kind = ExitRecord::Kind::not_executed, .code = -1});
}

off_t StartedInit::log_size(int file) const {
  struct stat status{};
  EXPECT_EQ(::fstat(logs_[file].get(), &status), 0);
  return status.st_size;
}

std::string StartedInit::log(LogRecord::Stream stream) {
  std::vector<std::pair<std::uint64_t, std::string>> parts;
  for (int file = 0; file < 2; ++file) {
    std::string bytes(static_cast<std::size_t>(log_size(file)), '\0');
    EXPECT_EQ(::pread(logs_[file].get(), bytes.data(), bytes.size(), 0), static_cast<ssize_t>(bytes.size()));
    for (std::string_view rest = bytes; !rest.empty();) {
      const auto record = LogRecord::decode(rest);
      if (!record) {
        ADD_FAILURE() << record.error().message();
        break;
      }
      if (record->stream == stream) parts.emplace_back(record->sequence, record->data);
      rest.remove_prefix(record->total_size());
    }
  }
  std::ranges::sort(parts);
  std::string result;
  for (const auto& [sequence, data] : parts) result += data;
  return result;
}

void skip(const char* reason) {
  std::printf("skipped: %s\n", reason);
  std::fflush(stdout);
  std::_Exit(std::getenv("AGENTOS_MUST_RUN") == nullptr ? 77 : 1);
}

Program command(std::vector<std::string> argv, bool tty, bool with_stdin) {
  return {.argv = std::move(argv),
          .env = {"PATH=/usr/bin:/bin", "LANG=C.UTF-8"},
          .cwd = "/",
          .tty = tty,
          .with_stdin = with_stdin};
}

Program shell(std::string script, bool tty, bool with_stdin) {
  return command({"sh", "-c", std::move(script)}, tty, with_stdin);
}

}  // namespace agentos::init_tests
