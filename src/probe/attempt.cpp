#include "attempt.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>

namespace agentos::probe {
namespace {

constexpr unsigned overflow_id = 65534;  // who is not in the user map

}  // namespace

std::string word_of(int number) {
  if (number == 0) return "ok";
  const char* name = ::strerrorname_np(number);
  return name == nullptr ? std::to_string(number) : name;
}

std::string in_child(const std::function<int()>& attempt) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return "no pipe: " + word_of(errno);
  const pid_t pid = ::fork();
  if (pid == 0) {
    const rlimit no_core{1, 1};
    ::setrlimit(RLIMIT_CORE, &no_core);  // what is tried may end in a signal
    ::setsid();
    const int number = attempt();
    [[maybe_unused]] const auto written = ::write(ends[1], &number, sizeof number);
    ::_exit(0);
  }
  ::close(ends[1]);
  if (pid < 0) {
    ::close(ends[0]);
    return "no child: " + word_of(errno);
  }
  int number = -1;
  const bool told = ::read(ends[0], &number, sizeof number) == static_cast<ssize_t>(sizeof number);
  ::close(ends[0]);
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (told) return word_of(number);
  if (!WIFSIGNALED(status)) return "said nothing";
  const char* name = ::sigabbrev_np(WTERMSIG(status));
  return std::string("SIG") + (name == nullptr ? "?" : name);
}

int make(const Call& call) {
  const auto& a = call.arguments;
  const long result = ::syscall(call.number, a[0], a[1], a[2], a[3], a[4], a[5]);
  if (result == 0 && (call.number == SYS_clone || call.number == SYS_clone3)) ::_exit(0);
  return result < 0 ? errno : 0;
}

std::string guard_of(const std::string& path) {
  struct stat status{};
  struct statvfs mount{};
  if (::stat(path.c_str(), &status) != 0) return errno == ENOENT ? "it is not there" : "folder: " + word_of(errno);
  const bool is_null = S_ISCHR(status.st_mode) && status.st_rdev == makedev(1, 3);
  if (is_null && path != "/dev/null") return "covered by a null device";
  if (::statvfs(path.c_str(), &mount) == 0 && (mount.f_flag & ST_RDONLY) != 0) return "read-only mount";
  if (status.st_uid == overflow_id && ::getuid() != overflow_id) return "its owner is not in the user map";
  if (status.st_uid != ::geteuid()) return "it belongs to uid " + std::to_string(status.st_uid);
  return "the kernel's own check";
}

Finding open_file(const std::string& path, int flags) {
  const int fd = ::open(path.c_str(), flags | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (fd >= 0) {
    ::close(fd);
    return {"ok", ""};
  }
  return {word_of(errno), guard_of(path)};
}

std::string content_of(const std::string& path) {
  std::string content;
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (fd < 0) return content;
  char buffer[4096];
  for (ssize_t count = 0; (count = ::read(fd, buffer, sizeof buffer)) > 0 && content.size() < (1U << 20);)
    content.append(buffer, static_cast<std::size_t>(count));
  ::close(fd);
  return content;
}

std::vector<std::string> names_in(const std::string& path) {
  std::vector<std::string> names;
  DIR* directory = ::opendir(path.c_str());
  if (directory == nullptr) return names;
  while (const dirent* entry = ::readdir(directory)) {
    const std::string name = entry->d_name;
    if (name != "." && name != "..") names.push_back(name);
  }
  ::closedir(directory);
  std::ranges::sort(names);
  return names;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t begin = 0; begin < text.size();) {
    const auto end = std::min(text.find('\n', begin), text.size());
    lines.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return lines;
}

std::string status_of(std::string_view name) {
  for (const auto& line : lines_of(content_of("/proc/self/status"))) {
    if (line.starts_with(name) && line.size() > name.size() + 1 && line[name.size()] == ':')
      return line.substr(name.size() + 2);
  }
  return "?";
}

std::string none_or(const std::vector<std::string>& found) {
  if (found.empty()) return "none";
  constexpr std::size_t shown = 4;
  std::string text = std::to_string(found.size()) + ":";
  for (std::size_t i = 0; i < std::min(found.size(), shown); ++i) text += " " + found[i];
  return found.size() > shown ? text + " ..." : text;
}

}  // namespace agentos::probe
