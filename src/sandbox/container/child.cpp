#include "sandbox/container/child.hpp"

#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>

#include "agentos/model/init_spec.hpp"
#include "sandbox/container/confine.hpp"
#include "sandbox/container/report.hpp"
#include "sandbox/container/root_fs.hpp"

namespace agentos::container {

void Reporter::fail(const char* doing, const char* object) const {
  ChildReport report;
  report.kind = ChildReport::failed;
  report.number = errno;
  std::snprintf(report.what.data(), report.what.size(), "%s%s%s", doing, *object == '\0' ? "" : " ", object);
  [[maybe_unused]] const auto written = ::write(pipe_, &report, sizeof report);
  ::_exit(1);
}

void Reporter::about_to_execute() const {
  ChildReport report;
  report.kind = ChildReport::about_to_execute;
  if (::write(pipe_, &report, sizeof report) != static_cast<ssize_t>(sizeof report)) ::_exit(1);
}

namespace {

// Where descriptors wait until those below first_free can be taken.
constexpr int parking = 64;

// An administrator may have given agentos-spawnd a place before others; that is not for agents. Going back is free.
void take_no_precedence(const Reporter& reporter) {
  const sched_param none{};
  const int policy = ::sched_getscheduler(0);
  if (policy != SCHED_OTHER && policy != SCHED_BATCH && policy != SCHED_IDLE &&
      ::sched_setscheduler(0, SCHED_OTHER, &none) != 0) {
    reporter.fail("take the ordinary scheduler");
  }
  if (::getpriority(PRIO_PROCESS, 0) < 0 && ::setpriority(PRIO_PROCESS, 0, 0) != 0)
    reporter.fail("take the ordinary priority");
  constexpr int own_process = 1;  // IOPRIO_WHO_PROCESS, and priority 0: what follows from the above
  if (::syscall(SYS_ioprio_set, own_process, 0, 0) != 0) reporter.fail("take the ordinary I/O priority");
}

// Puts the descriptors of agentos-init in their places and closes every other one but the two that close on exec.
void place_descriptors(const ChildInput& input, int null, int& report, int& init_binary, const Reporter& reporter) {
  const auto park = [&](int fd) {
    const int parked = ::fcntl(fd, F_DUPFD_CLOEXEC, parking);
    if (parked < 0) reporter.fail("move a descriptor");
    return parked;
  };
  int parked_init[start_fds_max]{};
  const std::size_t count = std::min(input.init_fds.size(), std::size(parked_init));
  for (std::size_t i = 0; i < count; ++i) parked_init[i] = input.init_fds[i] < 0 ? -1 : park(input.init_fds[i]);
  const int parked_null = park(null);
  report = park(report);
  init_binary = park(init_binary);
  for (int fd = 0; fd <= 2; ++fd) ::dup2(parked_null, fd);
  for (std::size_t i = 0; i < count; ++i) {
    const int place = init_fd::spec + static_cast<int>(i);
    if (parked_init[i] < 0)
      ::close(place);
    else if (::dup2(parked_init[i], place) < 0)
      reporter.fail("place a descriptor");
  }
  // dup2 cleared close-on-exec on exactly those in their places; all else goes with exec, and what others left open
  // goes now.
  ::close_range(init_fd::spec + static_cast<unsigned>(count), parking - 1, 0);
  ::close_range(parking, ~0U, CLOSE_RANGE_CLOEXEC);
}

}  // namespace

void run_child(const ChildInput& input) {
  const Reporter reporter(input.report);
  const Plan& plan = *input.plan;
  ::close(input.go_write);
  char go{};
  if (::read(input.go, &go, 1) != 1) ::_exit(1);  // the parent has given up
  ::setsid();
  take_no_precedence(reporter);
  if (::syscall(SYS_setresgid, 0, 0, 0) != 0 || ::setgroups(0, nullptr) != 0 ||
      ::syscall(SYS_setresuid, 0, 0, 0) != 0) {
    reporter.fail("become the init of the sandbox");
  }
  // Only now: with CLONE_INTO_CGROUP, clone3's CLONE_NEWCGROUP would take the parent's cgroup as the root of the
  // namespace.
  if (::unshare(CLONE_NEWCGROUP) != 0) reporter.fail("create the cgroup namespace");
  if (::sethostname(plan.hostname.c_str(), plan.hostname.size()) != 0) reporter.fail("set the host name");
  build_root(plan.mounts, input.root, reporter);
  const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  if (null < 0) reporter.fail("open /dev/null");
  int report = input.report;
  int init_binary = input.init_binary;
  place_descriptors(input, null, report, init_binary, reporter);
  const Reporter parked(report);
  set_limits(plan.rlimits, parked);
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) parked.fail("set no_new_privs");
  restrict_with_landlock(plan.landlock, init_binary, parked);
  drop_capabilities(parked);
  parked.about_to_execute();
  install_filter(plan.seccomp, parked);
  char name[] = "agentos-init";
  char* const arguments[] = {name, nullptr};
  char* const environment[] = {nullptr};
  ::syscall(SYS_execveat, init_binary, "", arguments, environment, AT_EMPTY_PATH);
  parked.fail("execute agentos-init");
}

}  // namespace agentos::container
