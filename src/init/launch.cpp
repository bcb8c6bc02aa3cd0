#include "launch.hpp"

#include <fcntl.h>
#include <linux/close_range.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstring>
#include <vector>

namespace agentos::init {
namespace {

struct Pipe {
  UniqueFd read, write;
};

Result<Pipe> make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return fail_errno("make a pipe");
  return Pipe{UniqueFd(ends[0]), UniqueFd(ends[1])};
}

Result<> set_nonblocking(const UniqueFd& fd) {
  if (::fcntl(fd.get(), F_SETFL, ::fcntl(fd.get(), F_GETFL) | O_NONBLOCK) != 0)
    return fail_errno("make a descriptor non-blocking");
  return {};
}

// What the child gets as 0, 1 and 2.
struct ChildStdio {
  UniqueFd input, output, error;
};

Result<> make_pipes(const Program& program, Launched& ours, ChildStdio& theirs) {
  if (program.with_stdin) {
    auto pipe = AGENTOS_TRY(make_pipe());
    AGENTOS_TRY(set_nonblocking(pipe.write));
    ours.input = std::move(pipe.write);
    theirs.input = std::move(pipe.read);
  } else {
    // The one of the sandbox: no descriptor of the host reaches the agent.
    theirs.input.reset(::open("/dev/null", O_RDONLY | O_CLOEXEC | O_NOCTTY));
    if (!theirs.input) return fail_errno("open /dev/null");
  }
  for (const auto& [our_end, their_end] :
       {std::pair{&ours.output, &theirs.output}, std::pair{&ours.error, &theirs.error}}) {
    auto pipe = AGENTOS_TRY(make_pipe());
    AGENTOS_TRY(set_nonblocking(pipe.read));
    *our_end = std::move(pipe.read);
    *their_end = std::move(pipe.write);
  }
  return {};
}

Result<> make_tty(const Program& program, Launched& ours) {
  // O_NOCTTY everywhere: a terminal that is init's own could send it signals.
  ours.output.reset(::open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK));
  if (!ours.output) return fail_errno("open /dev/ptmx");
  const int unlocked = 0;
  if (::ioctl(ours.output.get(), TIOCSPTLCK, &unlocked) != 0) return fail_errno("unlock the tty");
  // Not by its name in /dev/pts, which would have to be trusted.
  ours.slave.reset(::ioctl(ours.output.get(), TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC));
  if (!ours.slave) return fail_errno("open the tty");
  const winsize size{.ws_row = program.rows, .ws_col = program.columns, .ws_xpixel = 0, .ws_ypixel = 0};
  if (::ioctl(ours.output.get(), TIOCSWINSZ, &size) != 0) return fail_errno("size the tty");
  termios settings{};
  if (::tcgetattr(ours.slave.get(), &settings) != 0) return fail_errno("read the tty's settings");
  settings.c_iflag |= IUTF8;
  if (::tcsetattr(ours.slave.get(), TCSANOW, &settings) != 0) return fail_errno("set up the tty");
  ours.input.reset(::fcntl(ours.output.get(), F_DUPFD_CLOEXEC, 0));
  if (!ours.input) return fail_errno("copy the tty's descriptor");
  return {};
}

std::vector<char*> pointers(const std::vector<std::string>& texts) {
  std::vector<char*> result;
  result.reserve(texts.size() + 1);
  for (const auto& text : texts) result.push_back(const_cast<char*>(text.c_str()));
  result.push_back(nullptr);
  return result;
}

[[noreturn]] void give_up(int report, ExecFailure::Step step, int number) {
  const ExecFailure failure{step, number};
  // 8 bytes into an empty pipe are written whole; if the reader is gone nobody wants them.
  [[maybe_unused]] const auto written = ::write(report, &failure, sizeof failure);
  ::_exit(127);
}

struct ChildPlan {
  const Program& program;
  const Credentials& agent;
  std::array<int, 3> stdio;  // all above 2
  int report;
  char** argv;
  char** env;
};

// Runs with a copy of init's memory, so: no allocation, nothing that reads what the agent can change, and everything of
// init is given up before the first path the agent has a say in (cwd, PATH) is looked at.
[[noreturn]] void run_child(const ChildPlan& plan) {
  using Step = ExecFailure::Step;
  const auto check = [&plan](bool ok, Step step) {
    if (!ok) give_up(plan.report, step, errno);
  };
  for (int target = 0; target < 3; ++target) {
    check(::dup2(plan.stdio[static_cast<std::size_t>(target)], target) == target, Step::stdio);
  }
  // Init's descriptors are all close-on-exec from birth; this is for one that ever is not.
  check(::close_range(3, ~0U, CLOSE_RANGE_CLOEXEC) == 0, Step::stdio);
  check(::setsid() >= 0, Step::terminal);
  if (plan.program.tty) check(::ioctl(0, TIOCSCTTY, 0) == 0, Step::terminal);
  // From its uid on the child may be signalled by other programs of the agent, but not read or traced by them: init is
  // not dumpable, and neither is its copy until execve replaces it.
  if (const int failed = become(plan.agent); failed != 0) give_up(plan.report, Step::privileges, failed);
  ::umask(022);
  check(plan.program.cwd.empty() || ::chdir(plan.program.cwd.c_str()) == 0, Step::directory);

  struct sigaction standard{};
  standard.sa_handler = SIG_DFL;
  for (int number = 1; number < NSIG; ++number)
    ::sigaction(number, &standard, nullptr);  // EINVAL: KILL, STOP, libc's own
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::environ = plan.env;  // execvp takes PATH from here
  ::execvp(plan.argv[0], plan.argv);
  give_up(plan.report, Step::execute, errno);
}

}  // namespace

Result<Launched> launch(const Program& program, const Credentials& agent) {
  Launched ours;
  ChildStdio theirs;
  {
    const FilesOfAgent owner(agent);
    if (!owner.ok()) return fail_errno(EPERM, "make files of the agent");
    AGENTOS_TRY(program.tty ? make_tty(program, ours) : make_pipes(program, ours, theirs));
  }
  auto report = AGENTOS_TRY(make_pipe());
  AGENTOS_TRY(set_nonblocking(report.read));

  auto argv = pointers(program.argv);
  auto env = pointers(program.env);
  const int slave = ours.slave.get();
  const ChildPlan plan{.program = program,
                       .agent = agent,
                       .stdio = program.tty ? std::array{slave, slave, slave}
                                            : std::array{theirs.input.get(), theirs.output.get(), theirs.error.get()},
                       .report = report.write.get(),
                       .argv = argv.data(),
                       .env = env.data()};
  ours.pid = ::fork();
  if (ours.pid < 0) return fail_errno("fork");
  if (ours.pid == 0) run_child(plan);
  ours.report = std::move(report.read);
  return ours;
}

std::string explain(const ExecFailure& failure, const Program& program) {
  const auto words = [&]() -> std::string {
    switch (failure.step) {
      case ExecFailure::Step::stdio:
        return "set up its descriptors";
      case ExecFailure::Step::terminal:
        return "give it its terminal";
      case ExecFailure::Step::privileges:
        return "become the agent's user";
      case ExecFailure::Step::directory:
        return "enter the directory '" + program.cwd.substr(0, 256) + "'";
      case ExecFailure::Step::execute:
        return "run '" + program.argv[0].substr(0, 256) + "'";
    }
    return "start it";
  }();
  return Error::from_errno(failure.number, "cannot " + words).message();
}

}  // namespace agentos::init
