// agentos-init: PID 1 of a sandbox. Its descriptors and what it does with them are in model/init_spec.hpp,
// model/attach.hpp and model/exit_record.hpp.
#include <fcntl.h>
#include <linux/close_range.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <ctime>
#include <string>

#include "init.hpp"

using namespace agentos;

namespace {

// Nothing that came with exec but the descriptors of the contract stays, and none of those reaches a program.
Result<> own_descriptors() {
  for (int fd = 0; fd < 3; ++fd) {
    if (::fcntl(fd, F_GETFD) < 0 && ::open("/dev/null", O_RDWR) != fd) return fail_errno("open /dev/null");
  }
  if (::close_range(init_fd::first_free, ~0U, 0) != 0) return fail_errno("close_range");
  if (::close_range(init_fd::spec, ~0U, CLOSE_RANGE_CLOEXEC) != 0) return fail_errno("close_range");
  if (::fcntl(init_fd::listener, F_SETFL, O_NONBLOCK) != 0) return fail_errno("make the listener non-blocking");
  return {};
}

Result<> own_signals() {
  // Not dumpable: no program of the agent can read this memory or that of a child that has not yet executed, whatever
  // uid it has got, and there are no core files of it.
  if (::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) return fail_errno("PR_SET_DUMPABLE");
  struct sigaction standard{};
  standard.sa_handler = SIG_DFL;  // SIG_IGN would hide the children's ends
  if (::sigaction(SIGCHLD, &standard, nullptr) != 0) return fail_errno("sigaction");
  sigset_t all;
  ::sigfillset(&all);  // SIGPIPE and SIGXFSZ too: what they tell comes as an errno
  if (::sigprocmask(SIG_SETMASK, &all, nullptr) != 0) return fail_errno("sigprocmask");
  return {};
}

Result<InitSpec> read_spec() {
  const UniqueFd fd(init_fd::spec);
  struct stat status{};
  if (::fstat(fd.get(), &status) != 0) return fail_errno("look at the start record");
  if (status.st_size <= 0 || static_cast<std::size_t>(status.st_size) > init_spec_max) {
    return fail(ErrorKind::invalid, "the start record has an impossible size");
  }
  std::string bytes(static_cast<std::size_t>(status.st_size), '\0');
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t count = ::pread(fd.get(), bytes.data() + done, bytes.size() - done, static_cast<off_t>(done));
    if (count <= 0) return fail_errno(count < 0 ? errno : EIO, "read the start record");
    done += static_cast<std::size_t>(count);
  }
  return InitSpec::decode(bytes);
}

Result<> run() {
  AGENTOS_TRY(own_descriptors());
  AGENTOS_TRY(own_signals());
  auto spec = AGENTOS_TRY(read_spec());
  auto agent = AGENTOS_TRY(init::Credentials::of_agent(spec.uid, spec.gid));
  agent.limits = spec.limits;
  init::Descriptors descriptors{.listener = UniqueFd(init_fd::listener),
                                .log_0 = UniqueFd(init_fd::log_0),
                                .log_1 = UniqueFd(init_fd::log_1),
                                .exit_record = UniqueFd(init_fd::exit_record),
                                .client = UniqueFd(::fcntl(init_fd::client, F_GETFD) < 0 ? -1 : init_fd::client)};
  Program program = std::move(spec.program);
  static init::Init pid_1(spec, agent, std::move(descriptors));  // more than a stack's page or two
  pid_1.run(std::move(program));
  return {};
}

}  // namespace

int main() {
  const auto result = run();
  if (result) return 0;
  // Before there is anybody to tell: agentosd finds no such descriptor served, and this record.
  std::fprintf(stderr, "agentos-init: %s\n", result.error().message().c_str());
  const ExitRecord record{.kind = ExitRecord::Kind::not_executed,
                          .code = result.error().number() == 0 ? EINVAL : result.error().number()};
  const auto bytes = record.encode();
  [[maybe_unused]] const auto written = ::pwrite(init_fd::exit_record, bytes.data(), bytes.size(), 0);
  return 1;
}
