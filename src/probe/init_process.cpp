// Process 1 of the sandbox, agentos-init, against the agent that it has started. Control runs have a process 1 of their
// own.
#include <fcntl.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

#include "attempt.hpp"

namespace agentos::probe {
namespace {

const std::string folder = "/proc/1/";

// Of linux/ioprio.h, which names a parameter "class" in Debian 12.15 (6.1.192) and so is no C++ there.
constexpr int ioprio_who_process = 1;
constexpr int ioprio_best_effort_5 = 2 << 13 | 5;

std::string difference(const std::string& all, const char* what, int number) {
  const auto word = word_of(number);
  if (all.empty()) return word;
  return all == word ? all : all + " " + what + ":" + word;
}

// As the kernel tells everybody.
std::string who_init_is() {
  for (const auto& line : lines_of(content_of(folder + "status"))) {
    if (line.starts_with("Uid:\t"))
      return "init has uid " + line.substr(5, line.find('\t', 5) - 5) + ", this " + std::to_string(::getuid());
  }
  return "init cannot be seen";
}

// "EPERM" when every way answers so.
Finding signals() {
  const auto result = [](long value) { return value == 0 ? 0 : errno; };
  std::string all;
  all = difference(all, "kill", result(::kill(1, 0)));
  all = difference(all, "tgkill", result(::syscall(SYS_tgkill, 1, 1, 0)));
  siginfo_t info{};
  info.si_code = SI_QUEUE;
  all = difference(all, "rt_sigqueueinfo", result(::syscall(SYS_rt_sigqueueinfo, 1, 0, &info)));
  const auto pidfd = static_cast<int>(::syscall(SYS_pidfd_open, 1, 0));
  all = difference(all, "pidfd_send_signal", result(::syscall(SYS_pidfd_send_signal, pidfd, 0, nullptr, 0)));
  if (pidfd >= 0) ::close(pidfd);
  return {all, who_init_is()};
}

Finding scheduling() {
  const auto result = [](long value) { return value >= 0 ? 0 : errno; };
  std::string all;
  all = difference(all, "setpriority", result(::setpriority(PRIO_PROCESS, 1, 5)));
  const sched_param none{};
  all = difference(all, "sched_setscheduler", result(::sched_setscheduler(1, SCHED_BATCH, &none)));
  cpu_set_t cpus;
  ::sched_getaffinity(0, sizeof cpus, &cpus);
  all = difference(all, "sched_setaffinity", result(::sched_setaffinity(1, sizeof cpus, &cpus)));
  all = difference(all, "ioprio_set", result(::syscall(SYS_ioprio_set, ioprio_who_process, 1, ioprio_best_effort_5)));
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  all = difference(all, "prlimit", result(::prlimit(1, RLIMIT_NOFILE, &limit, nullptr)));
  return {all, who_init_is()};
}

// Each tells of its memory, its files or its environment.
Finding readable() {
  std::vector<std::string> read;
  for (const char* name : {"environ", "mem", "maps", "smaps", "auxv", "stack", "syscall", "pagemap", "personality",
                           "io", "numa_maps", "mountstats", "exe", "fd/0", "cwd/.", "root/.", "ns/mnt", "ns/user"}) {
    if (open_file(folder + name, O_RDONLY).found == "ok") read.emplace_back(name);
  }
  for (const char* name : {"fd", "fdinfo", "map_files", "task/1/fd"}) {
    if (!names_in(folder + name).empty()) read.emplace_back(name);
  }
  return {none_or(read), who_init_is() + ", and is not dumpable"};
}

// Some can be opened by everybody and answer only at the write.
Finding writable() {
  std::vector<std::string> written;
  for (const auto& name : names_in("/proc/1")) {
    const int fd = ::open((folder + name).c_str(), O_WRONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
    if (fd < 0) continue;
    if (::write(fd, "0", 1) == 1 || name == "mem") written.push_back(name);
    ::close(fd);
  }
  if (open_file(folder + "exe", O_WRONLY).found == "ok") written.emplace_back("exe");
  return {none_or(written), who_init_is() + ", and is not dumpable"};
}

}  // namespace

std::vector<Case> init_process_cases() {
  return {
      {'a', "init-program", "agentos-init", nullptr,
       [] {
         auto name = content_of("/proc/1/comm");
         while (name.ends_with('\n')) name.pop_back();
         return Finding{name, "pid namespace"};
       }},
      {'a', "init-signals", "EPERM", "ok", signals},
      {'a', "init-scheduling", "EPERM", "ok", scheduling},
      {'a', "init-readable", "none", nullptr, readable},
      {'a', "init-writable", "none", nullptr, writable},
  };
}

}  // namespace agentos::probe
