#include <fcntl.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <functional>
#include <iostream>

#include <gtest/gtest.h>

#include "calls.hpp"
#include "sandbox/compile/seccomp_sets.hpp"

// The same program in the kernel: what evaluate() says is what happens.
namespace agentos::sandbox {
namespace {

// Runs `body` in a child under the filter of agents and returns how it ended, as of waitpid.
int status_under_filter(const std::function<int()>& body) {
  static const std::vector<sock_filter> filter = *make_filter();
  const pid_t child = ::fork();
  if (child == 0) {
    ::alarm(20);
    const sock_fprog program{static_cast<unsigned short>(filter.size()), const_cast<sock_filter*>(filter.data())};
    if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) != 0)
      ::_exit(99);
    ::_exit(body());
  }
  int status = -1;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  return status;
}

int exit_status(int status) {
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

// errno of a call all of whose arguments are wrong, so that nothing happens should it be let through.
int error_of(long number) {
  return ::syscall(number, -1L, -1L, -1L, -1L, -1L, -1L) == -1 ? errno : 0;
}

TEST(FilterInTheKernel, RefusesWhatEvaluateRefuses) {
  for (const auto& set : call_sets()) {
    if (set.verdict != Verdict::refuse && set.verdict != Verdict::not_there) continue;
    for (const int number : set.calls) {
      const auto expected = answer(number, {~0UL, ~0UL, ~0UL, ~0UL, ~0UL, ~0UL});
      const int status = exit_status(status_under_filter([&] { return error_of(number); }));
      EXPECT_EQ(refused(status), expected) << set.name << " " << number;
    }
  }
}

TEST(FilterInTheKernel, DecidesByArguments) {
  struct Call {
    const char* name;
    long number;
    std::array<Argument, 4> arguments;
    int error;  // what the kernel says without the filter: 0, or an error other than the filter's
  };
  char path[] = "/nonexistent/agentos/file";
  const auto text = reinterpret_cast<Argument>(path);
  constexpr auto cwd = static_cast<Argument>(AT_FDCWD);
  const Call calls[]{
      {"ioctl", SYS_ioctl, {~0U, TCGETS}, EBADF},
      {"ioctl TIOCSTI", SYS_ioctl, {~0U, TIOCSTI}, EBADF},
      {"ioctl TIOCSTI high", SYS_ioctl, {~0U, high | TIOCSTI}, EBADF},
      {"chmod", SYS_chmod, {text, 0755}, ENOENT},
      {"chmod setuid", SYS_chmod, {text, 04755}, ENOENT},
      {"open", SYS_open, {text, O_CREAT | O_WRONLY, 0644}, ENOENT},
      {"open setgid", SYS_open, {text, O_CREAT | O_WRONLY, 02644}, ENOENT},
      {"openat tmpfile", SYS_openat, {cwd, text, O_TMPFILE | O_RDWR, 0600}, ENOENT},
      {"openat tmpfile setuid", SYS_openat, {cwd, text, O_TMPFILE | O_RDWR, 04600}, ENOENT},
      {"mkdir", SYS_mkdir, {text, 0755}, ENOENT},
      {"mkdir setuid", SYS_mkdir, {text, 04755}, ENOENT},
      {"mknod pipe", SYS_mknod, {text, S_IFIFO | 0600}, ENOENT},
      {"mknod device", SYS_mknod, {text, S_IFCHR | 0600, 0x103}, ENOENT},
      {"unshare files", SYS_unshare, {CLONE_FILES}, 0},
      {"unshare and clone a user namespace", SYS_unshare, {CLONE_NEWUSER | CLONE_THREAD | 1}, EINVAL},
      {"prctl", SYS_prctl, {PR_SET_DUMPABLE, 77}, EINVAL},
      {"prctl mm", SYS_prctl, {PR_SET_MM, 999}, EINVAL},
      {"personality", SYS_personality, {0xFFFFFFFF}, 0},
      {"unknown", call::newest + 20, {}, ENOSYS},
  };
  for (const auto& call : calls) {
    const auto& a = call.arguments;
    const auto run = [&] { return ::syscall(call.number, a[0], a[1], a[2], a[3]) == -1 ? errno : 0; };
    const auto expected = answer(call.number, {a[0], a[1], a[2], a[3]});
    const int status = exit_status(status_under_filter(run));
    EXPECT_EQ(status, expected == allowed ? call.error : static_cast<int>(expected & SECCOMP_RET_DATA)) << call.name;
  }
}

TEST(FilterInTheKernel, OpensSocketsOfFourFamilies) {
  for (int family = 0; family < AF_MAX; ++family) {
    const auto expected = answer(SYS_socket, {static_cast<Argument>(family), SOCK_DGRAM, 0});
    const int status =
        exit_status(status_under_filter([&] { return ::socket(family, SOCK_DGRAM, 0) < 0 ? errno : 0; }));
    EXPECT_EQ(status, expected == allowed ? 0 : EAFNOSUPPORT) << family;
  }
}

int threads_and_processes() {
  int pipe[2];
  if (::pipe2(pipe, O_CLOEXEC) != 0) return 1;
  const pid_t child = ::fork();
  if (child == 0) ::_exit(::write(pipe[1], "x", 1) == 1 ? 0 : 1);
  char byte{};
  int status{};
  if (::read(pipe[0], &byte, 1) != 1 || ::waitpid(child, &status, 0) != child || status != 0) return 2;
  if (std::system("exit 7") != 7 << 8) return 3;  // NOLINT: what programs do
  void* memory = ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return memory == MAP_FAILED || ::munmap(memory, 4096) != 0 ? 4 : 0;
}

TEST(FilterInTheKernel, LetsOrdinaryWorkGoOn) {
  EXPECT_EQ(exit_status(status_under_filter(threads_and_processes)), 0);
}

TEST(FilterInTheKernel, KillsX32) {
  EXPECT_EQ(
      exit_status(status_under_filter([] { return ::syscall(static_cast<long>(call::x32_bit | 39U)) < 0 ? 1 : 0; })),
      -SIGSYS);
}

TEST(FilterInTheKernel, KillsI386) {
  const auto getpid_by_interrupt = [] {
    long result = 20;  // getpid of i386
    asm volatile("int $0x80" : "+a"(result) : : "memory", "r8", "r9", "r10", "r11");
    return result < 0 ? 2 : 0;
  };
  // Control: without the filter the call works, where the kernel has it at all.
  const pid_t control = ::fork();
  if (control == 0) ::_exit(getpid_by_interrupt());
  int status = -1;
  ASSERT_EQ(::waitpid(control, &status, 0), control);
  if (exit_status(status) != 0) GTEST_SKIP() << "this kernel runs no i386 system calls";
  EXPECT_EQ(exit_status(status_under_filter(getpid_by_interrupt)), -SIGSYS);
}

}  // namespace
}  // namespace agentos::sandbox
