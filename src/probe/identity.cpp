#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>

#include "attempt.hpp"

namespace agentos::probe {
namespace {

constexpr unsigned long agents_first = 0x70000000;  // where the ranges of agents begin on the host

std::string capabilities() {
  std::string held;
  for (const char* set : {"CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"}) {
    const auto value = status_of(set);
    if (value.find_first_not_of('0') != std::string::npos)
      held += std::string(held.empty() ? "" : " ") + set + "=" + value;
  }
  return held.empty() ? "none" : held;
}

Finding host_uid() {
  for (const auto& line : lines_of(content_of("/proc/self/uid_map"))) {
    char* rest = nullptr;
    const auto inside = std::strtoul(line.c_str(), &rest, 10);
    const auto outside = std::strtoul(rest, &rest, 10);
    const auto count = std::strtoul(rest, nullptr, 10);
    if (::getuid() < inside || ::getuid() - inside >= count) continue;
    const auto uid = outside + (::getuid() - inside);
    return {uid >= agents_first && count < agents_first ? "a range of its own" : "uid " + std::to_string(uid),
            "uid map"};
  }
  return {"no map", ""};
}

Finding set_id_mounts() {
  std::vector<std::string> without;
  for (const auto& line : lines_of(content_of("/proc/self/mountinfo"))) {
    // id parent device root POINT OPTIONS ...
    std::array<std::string, 6> fields;
    std::size_t at = 0;
    for (auto& field : fields) {
      const auto end = std::min(line.find(' ', at), line.size());
      field = line.substr(at, end - at);
      at = std::min(end + 1, line.size());
    }
    if (("," + fields[5] + ",").find(",nosuid,") == std::string::npos) without.push_back(fields[4]);
  }
  return {none_or(without), "every mount is nosuid"};
}

// What is where in a sandbox; the workspace is where this was started.
Finding foreign_mounts() {
  const std::array<std::string, 15> exact{"/",        "/usr",        "/bin",    "/sbin", "/lib",
                                          "/lib32",   "/lib64",      "/libx32", "/proc", "/tmp",
                                          "/var/tmp", "/home/agent", "/etc",    "/dev",  "/sys"};
  const std::array<std::string, 4> below{"/etc/", "/proc/", "/dev/", "/sys/"};
  char* cwd = ::getcwd(nullptr, 0);
  const std::string workspace = cwd == nullptr ? "?" : cwd;
  std::free(cwd);
  std::vector<std::string> foreign;
  for (const auto& line : lines_of(content_of("/proc/self/mounts"))) {
    const auto begin = line.find(' ') + 1;
    const auto point = line.substr(begin, line.find(' ', begin) - begin);
    if (std::ranges::find(exact, point) == exact.end() && !point.starts_with(workspace) &&
        std::ranges::none_of(below, [&](const auto& folder) { return point.starts_with(folder); })) {
      foreign.push_back(point);
    }
  }
  return {none_or(foreign), "mount namespace"};
}

Finding foreign_devices() {
  const std::array<std::string, 13> ours{"fd",     "full",  "null",   "ptmx", "pts",     "random", "shm",
                                         "stderr", "stdin", "stdout", "tty",  "urandom", "zero"};
  std::vector<std::string> foreign;
  for (const auto& name : names_in("/dev")) {
    if (std::ranges::find(ours, name) == ours.end()) foreign.push_back(name);
  }
  return {none_or(foreign), "a /dev of its own"};
}

// By every way that leads to a root directory.
Finding host_files() {
  std::vector<std::string> reached;
  for (const char* way :
       {"", "/proc/self/root", "/proc/1/root", "/proc/self/cwd/../../../../../../..", "/proc/1/cwd"}) {
    for (const char* file :
         {"/etc/shadow", "/root", "/boot", "/var/lib", "/run/lock", "/home/agent/../../var/log", "/opt"}) {
      const auto path = std::string(way) + file;
      if (open_file(path, O_RDONLY).found == "ok") reached.push_back(path);
    }
  }
  return {none_or(reached), "a root file system of its own"};
}

// All that can be opened for writing below a folder. Links are not followed. /proc is taken without processes and
// without sys, which has its own case.
void collect_writable(const std::string& folder, std::vector<std::string>& writable) {
  for (const auto& name : names_in(folder)) {
    if (folder == "/proc" && ((name[0] >= '0' && name[0] <= '9') || name == "sys")) continue;
    const auto path = folder + "/" + name;
    struct stat status{};
    if (::lstat(path.c_str(), &status) != 0 || S_ISLNK(status.st_mode)) continue;
    if (S_ISDIR(status.st_mode)) {
      collect_writable(path, writable);
    } else if (open_file(path, O_WRONLY).found == "ok") {
      writable.push_back(path);
    }
  }
}

Finding writable_below(const std::vector<std::string>& folders) {
  std::vector<std::string> writable;
  for (const auto& folder : folders) collect_writable(folder, writable);
  return {none_or(writable), "read-only mounts, masks and owners outside the user map"};
}

Finding core_dump() {
  const pid_t pid = ::fork();
  if (pid == 0) {
    rlimit limit{};
    ::getrlimit(RLIMIT_CORE, &limit);
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_CORE, &limit);
    std::abort();
  }
  int status = 0;
  if (pid < 0 || ::waitpid(pid, &status, 0) != pid) return {"no child", ""};
  rlimit limit{};
  ::getrlimit(RLIMIT_CORE, &limit);
  return {WCOREDUMP(status) ? "dumped" : "none", "RLIMIT_CORE is at most " + std::to_string(limit.rlim_max)};
}

int raise_capabilities() {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  std::array<__user_cap_data_struct, 2> sets{};
  sets[0] = {.effective = 1U << CAP_KILL, .permitted = 1U << CAP_KILL, .inheritable = 0};
  return ::syscall(SYS_capset, &header, sets.data()) == 0 ? 0 : errno;
}

int oom_exemption() {
  const int fd = ::open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
  if (fd < 0) return errno;
  return ::write(fd, "-500", 4) == 4 ? 0 : errno;
}

// A program without a path is the same agent.
Finding program_in_memory() {
  const int self = ::open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
  const int memory = ::memfd_create("probe", 0);
  struct stat status{};
  int ends[2];
  if (self < 0 || memory < 0 || ::fstat(self, &status) != 0 || ::pipe2(ends, O_CLOEXEC) != 0) return {"no copy", ""};
  for (off_t done = 0; done < status.st_size;) {
    if (::sendfile(memory, self, &done, static_cast<std::size_t>(status.st_size - done)) <= 0) return {"no copy", ""};
  }
  const pid_t pid = ::fork();
  if (pid == 0) {
    ::dup2(ends[1], STDOUT_FILENO);
    char name[] = "probe", argument[] = "--identity";
    char* const arguments[] = {name, argument, nullptr};
    char* const environment[] = {nullptr};
    ::syscall(SYS_execveat, memory, "", arguments, environment, AT_EMPTY_PATH);
    ::_exit(127);
  }
  ::close(ends[1]);
  char buffer[512];
  const auto count = ::read(ends[0], buffer, sizeof buffer);
  ::close(ends[0]);
  ::close(self);
  ::close(memory);
  int ended = 0;
  ::waitpid(pid, &ended, 0);
  std::string said(buffer, static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
  while (said.ends_with('\n')) said.pop_back();
  return {said == identity() ? "the same agent" : said, "no_new_privs"};
}

Finding flagged(bool set, const char* yes, const char* no, const char* mechanism) {
  return {set ? yes : no, mechanism};
}

Case opening(const char* name, const char* path, int flags) {
  return {'a', name, "EROFS|EACCES|EPERM|ENOENT", nullptr, [=] { return open_file(path, flags); }};
}

}  // namespace

std::string identity() {
  return "uid " + std::to_string(::getuid()) + "/" + std::to_string(::geteuid()) + " capabilities " + capabilities() +
         " NoNewPrivs " + status_of("NoNewPrivs") + " Seccomp " + status_of("Seccomp");
}

std::vector<Case> identity_cases() {
  const auto child = [](int (*attempt)(), const char* mechanism) {
    return [=] { return Finding{in_child(attempt), mechanism}; };
  };
  return {
      {'a', "capabilities", "none", nullptr, [] { return Finding{capabilities(), "all five sets are empty"}; }},
      {'a', "no-new-privileges", "set", "not set",
       [] { return flagged(::prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1, "set", "not set", "no_new_privs"); }},
      {'a', "call-filter", "there", "none",
       [] { return flagged(status_of("Seccomp") == "2", "there", "none", "seccomp"); }},
      {'a', "host-user", "a range of its own", nullptr, host_uid},
      {'a', "become-root", "EPERM", "ok",
       child([] { return ::syscall(SYS_setresuid, 0, 0, 0) == 0 ? 0 : errno; }, "no CAP_SETUID")},
      {'a', "join-groups", "EPERM", "ok",
       child(
           [] {
             const gid_t group = 0;
             return ::setgroups(1, &group) == 0 ? 0 : errno;
           },
           "no CAP_SETGID")},
      {'a', "raise-capabilities", "EPERM", "ok", child(raise_capabilities, "nothing is permitted")},
      {'a', "setuid-programs", "none", nullptr, set_id_mounts},
      {'a', "program-in-memory", "the same agent", "the same agent", program_in_memory},
      {'a', "foreign-mounts", "none", nullptr, foreign_mounts},
      {'a', "foreign-devices", "none", nullptr, foreign_devices},
      {'a', "host-files", "none", nullptr, host_files},
      {'a', "kernel-settings", "none", nullptr, [] { return writable_below({"/proc/sys"}); }},
      {'a', "kernel-files", "none", nullptr, [] { return writable_below({"/proc"}); }},
      {'a', "device-settings", "none", nullptr,
       [] { return writable_below({"/sys/devices/system", "/sys/kernel/mm", "/sys/fs/cgroup"}); }},
      opening("core-pattern", "/proc/sys/kernel/core_pattern", O_WRONLY),
      opening("module-loader", "/proc/sys/kernel/modprobe", O_WRONLY),
      opening("sysrq", "/proc/sysrq-trigger", O_WRONLY),
      opening("pressure-watch", "/proc/pressure/memory", O_RDWR),
      opening("hotplug-helper", "/sys/kernel/uevent_helper", O_WRONLY),
      opening("kernel-memory", "/proc/kcore", O_RDONLY),
      opening("kernel-symbols", "/proc/kallsyms", O_RDONLY),
      opening("kernel-timers", "/proc/timer_list", O_RDONLY),
      opening("keys-list", "/proc/keys", O_RDONLY),
      opening("kernel-log", "/dev/kmsg", O_RDONLY),
      opening("machine-memory", "/dev/mem", O_RDONLY),
      {'a', "core-dump", "none", "dumped", core_dump},
      {'a', "oom-exemption", "EACCES|EPERM", "ok", child(oom_exemption, "no CAP_SYS_RESOURCE")},
  };
}

}  // namespace agentos::probe
