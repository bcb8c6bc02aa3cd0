#include "init.hpp"

#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>

namespace agentos::init {
namespace {

constexpr std::int64_t hello_ms = 10'000;
constexpr int reaps_at_once = 256;  // then others have their turn

}  // namespace

Init::Init(const InitSpec& spec, const Credentials& agent, Descriptors descriptors)
    : agent_(agent),
      is_pid_1_(::getpid() == 1),
      listener_(std::move(descriptors.listener)),
      exit_record_(std::move(descriptors.exit_record)),
      log_(std::move(descriptors.log_0), std::move(descriptors.log_1), spec.log_max) {
  if (descriptors.client)
    connections_[connections_.add(std::move(descriptors.client), Conversation::Kind::attach)].process = &main();
  sigset_t handled;
  ::sigemptyset(&handled);
  for (const int number : {SIGCHLD, SIGTERM, SIGINT, SIGHUP, SIGQUIT}) ::sigaddset(&handled, number);
  signals_.reset(::signalfd(-1, &handled, SFD_CLOEXEC | SFD_NONBLOCK));
  AGENTOS_ASSERT(signals_);
}

void Init::run(Program program) {
  start_main(std::move(program));
  while (!over()) {
    watched_ = watch();
    const int ready = ::poll(polls_.data(), watched_, wait_ms());
    for (std::size_t i = 0; ready > 0 && i < watched_; ++i) {
      if (polls_[i].revents != 0) handle(sources_[i], polls_[i].revents);
    }
    if (reap_again_) reap();
    settle();
  }
}

void Init::add(int fd, short events, Source source) {
  if (fd < 0) return;
  polls_[watched_] = {.fd = fd, .events = events, .revents = 0};
  sources_[watched_++] = source;
}

// In the order in which they are handled: a start is known before its output, and slots of the tables are given to new
// processes and connections only after what is here of their predecessors.
std::size_t Init::watch() {
  using Kind = Source::Kind;
  watched_ = 0;
  for (std::size_t i = 0; i < processes_.size(); ++i) {
    Process& process = processes_[i];
    if (!process.in_use()) continue;
    add(process.report_fd(), POLLIN, {Kind::report, i});
    for (std::size_t s = 0; s < process.streams.size(); ++s) {
      // `started` comes before any output, be it the tty's echo of what a client sends at once.
      if (!process.starting() && process.streams[s].wants_read())
        add(process.streams[s].fd(), POLLIN, {Kind::output, i, s});
    }
    add(process.input_fd(), POLLOUT, {Kind::input, i});
  }
  add(signals_.get(), POLLIN, {Kind::signals});
  for (std::size_t i = 0; i < connections_max; ++i) {
    const Connection& connection = connections_[i];
    if (!connection.socket) continue;
    const int events = POLLIN | (connections_.owes(i) ? POLLOUT : 0);
    add(connection.socket.get(), static_cast<short>(events), {Kind::connection, i});
  }
  if (!main().ended()) add(listener_.get(), POLLIN, {Kind::listener});
  return watched_;
}

int Init::wait_ms() {
  if (reap_again_) return 0;
  std::int64_t until = -1;
  const auto by = [&until](std::int64_t time) { until = until < 0 ? time : std::min(until, time); };
  for (std::size_t i = 0; i < connections_max; ++i) {
    if (connections_[i].is(Conversation::Kind::waiting)) by(connections_[i].hello_by);
  }
  if (alone_) by(give_up_at());
  return until < 0 ? -1 : static_cast<int>(std::max<std::int64_t>(until - monotonic_ms(), 0) + 1);
}

void Init::handle(const Source& source, short events) {
  switch (source.kind) {
    case Source::Kind::report:
      report_start(processes_[source.index]);
      break;
    case Source::Kind::output:
      // May have been closed, or read, since poll.
      if (auto& stream = processes_[source.index].streams[source.stream]; stream.wants_read())
        read_output(processes_[source.index], stream);
      break;
    case Source::Kind::input:
      processes_[source.index].flush_input();
      break;
    case Source::Kind::signals:
      read_signals();
      break;
    case Source::Kind::connection:
      receive(source.index, events);
      break;
    case Source::Kind::listener:
      accept();
      break;
  }
}

// Nothing more can come that would have to be waited for: after the main process all others are killed first; what an
// exec has left running keeps nobody.
bool Init::is_last(const Process& process) const {
  return &process == &processes_[0] ? alone_ : process.ended();
}

void Init::read_output(Process& process, Stream& stream) {
  const auto data = stream.read(is_last(process));
  if (data.empty()) return;
  if (&process == &main())
    log_.append(&stream == &process.streams[0] ? LogRecord::Stream::output : LogRecord::Stream::error_output, data);
  connections_.broadcast(process, stream);
}

// The agent's uid may not signal init's, and init has no terminal, so what comes here is of the kernel or of the host.
void Init::read_signals() {
  signalfd_siginfo info{};
  while (::read(signals_.get(), &info, sizeof info) == sizeof info) {
    if (info.ssi_signo == SIGCHLD) {
      reap_again_ = true;
    } else {
      main().signal(static_cast<int>(info.ssi_signo));
    }
  }
}

// Children and, as PID 1, every orphan of the sandbox.
void Init::reap() {
  reap_again_ = false;
  for (int i = 0; i < reaps_at_once; ++i) {
    int status = 0;
    const pid_t pid = ::waitpid(-1, &status, WNOHANG | __WALL);
    if (pid <= 0) {
      if (pid < 0 && errno == ECHILD && main().ended()) alone_ = true;
      return;
    }
    for (auto& process : processes_) {
      if (process.pid() == pid && !process.ended()) ended(process, status);
    }
  }
  reap_again_ = true;
}

void Init::accept() {
  UniqueFd socket(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (!socket) return;
  if (connections_.full() || connections_.count(Conversation::Kind::waiting) == waiting_max) {
    return Connections::refuse(socket.get(), EAGAIN, "too many connections to this agent");
  }
  const std::size_t index = connections_.add(std::move(socket), Conversation::Kind::waiting);
  connections_[index].hello_by = monotonic_ms() + hello_ms;
}

void Init::receive(std::size_t index, short events) {
  if (!connections_[index].socket) return;
  if ((events & POLLOUT) != 0) connections_.flush(index);
  Connection& connection = connections_[index];
  if (!connection.socket || (events & (POLLIN | POLLHUP | POLLERR)) == 0) return;
  const ssize_t size = ::recv(connection.socket.get(), packet_.data(), packet_.size(), MSG_DONTWAIT | MSG_TRUNC);
  if (size < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (size <= 0) {
    connections_.close(index);
  } else if (static_cast<std::size_t>(size) > attach_frame_max) {
    connections_.drop(index, EMSGSIZE, "frame too long");
  } else {
    answer(index, connection.conversation.receive({packet_.data(), static_cast<std::size_t>(size)}));
  }
}

void Init::answer(std::size_t index, Ask ask) {
  Process* const process = connections_[index].process;
  struct Visitor {
    Init& init;
    std::size_t index;
    Process* process;  // none: waiting for its hello, or its program has ended
    void operator()(const ask::Drop& drop) const { init.connections_.drop(index, drop.number, drop.reason); }
    void operator()(const ask::Attach& attach) const { init.attach(index, attach); }
    void operator()(ask::Exec& exec) const { init.execute(index, std::move(exec.program)); }
    void operator()(const ask::Control&) const { init.attach(index, {}); }
    void operator()(const ask::Input& input) const { init.connections_.take_input(index, input.data); }
    void operator()(const ask::InputEnd&) const { init.connections_.end_input(index); }
    void operator()(const ask::Resize& resize) const {
      if (process != nullptr) process->resize(resize.rows, resize.columns);
    }
    void operator()(const ask::Signal& signal) const {
      if (process != nullptr) process->signal(signal.number);
    }
  };
  std::visit(Visitor{*this, index, process}, ask);
}

void Init::attach(std::size_t index, const ask::Attach& ask) {
  using Kind = Conversation::Kind;
  if (main().ended()) return connections_.drop(index, ESRCH, "the agent has ended");
  if (connections_.count(Kind::attach) + connections_.count(Kind::control) > clients_max) {
    return connections_.drop(index, EAGAIN, "too many clients are attached to this agent");
  }
  connections_[index].process = &main();
  if (connections_[index].conversation.kind() == Kind::control) return;
  if (main().executed()) connections_.send(index, {.type = FrameType::started, .data = {}});
  main().resize(ask.rows, ask.columns);
  main().redraw();
}

void Init::execute(std::size_t index, Program program) {
  if (main().ended()) return connections_.drop(index, ESRCH, "the agent has ended");
  const auto slot =
      std::find_if(processes_.begin() + 1, processes_.end(), [](const Process& process) { return !process.in_use(); });
  if (slot == processes_.end()) return connections_.drop(index, EAGAIN, "too many programs run beside this agent");
  auto launched = launch(program, agent_);
  if (!launched) return connections_.drop(index, launched.error().number(), launched.error().message());
  slot->start(*std::move(launched), std::move(program));
  connections_[index].process = &*slot;
  connections_[index].runs_it = true;
}

}  // namespace agentos::init
