// Runs as PID 1 of a sandbox in place of agentos-init. Its start record is a list of tries, one a line; what came of
// each goes to the log as "TRY: RESULT".
#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

namespace {

std::string content_of(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY);
  if (fd < 0) return std::string("error ") + std::strerror(errno);
  std::string content;
  char buffer[4096];
  for (ssize_t count = 0; (count = ::read(fd, buffer, sizeof buffer)) > 0;)
    content.append(buffer, static_cast<size_t>(count));
  ::close(fd);
  return content;
}

std::string names_in(const std::string& path) {
  DIR* directory = ::opendir(path.c_str());
  if (directory == nullptr) return std::string("error ") + std::strerror(errno);
  std::string names;
  while (const dirent* entry = ::readdir(directory)) {
    if (entry->d_name[0] != '.') names += std::string(entry->d_name) + " ";
  }
  ::closedir(directory);
  return names;
}

std::string word(long result) {
  return result >= 0 ? "ok" : std::string("error ") + std::strerror(errno);
}

std::string attempt(const std::string& line) {
  const std::string verb = line.substr(0, line.find(' '));
  const std::string argument = verb.size() == line.size() ? "" : line.substr(verb.size() + 1);
  if (verb == "read") return content_of(argument);
  if (verb == "list") return names_in(argument);
  if (verb == "write") return word(::open(argument.c_str(), O_WRONLY | O_CREAT, 0644));
  if (verb == "chmod-setuid") return word(::chmod(argument.c_str(), 04755));
  if (verb == "mount") return word(::mount("none", argument.c_str(), "tmpfs", 0, nullptr));
  if (verb == "unshare") return word(::unshare(CLONE_NEWUSER));
  if (verb == "bpf") return word(::syscall(SYS_bpf, 0, nullptr, 0));
  if (verb == "socket") return word(::socket(std::atoi(argument.c_str()), SOCK_DGRAM, 0));
  if (verb == "open-descriptors") {
    std::string open;
    for (int fd = 0; fd < 4096; ++fd) {
      if (::fcntl(fd, F_GETFD) >= 0) open += std::to_string(fd) + " ";
    }
    return open;
  }
  if (verb == "become") {  // what agentos-init does before it runs the agent
    const auto id = static_cast<unsigned>(std::atoi(argument.c_str()));
    if (::syscall(SYS_setresgid, id, id, id) != 0) return word(-1);
    return word(::syscall(SYS_setresuid, id, id, id));
  }
  if (verb == "hostname") {
    utsname name{};
    ::uname(&name);
    return name.nodename;
  }
  if (verb == "wait") {
    for (;;) ::pause();
  }
  return "unknown";
}

}  // namespace

int main() {
  const std::string tries = content_of("/proc/self/fd/3");
  std::size_t begin = 0;
  while (begin < tries.size()) {
    const auto end = tries.find('\n', begin);
    const std::string line = tries.substr(begin, end - begin);
    const std::string said = line + ": ";
    [[maybe_unused]] auto written = ::write(5, said.data(), said.size());
    const std::string result = attempt(line) + "\n";
    written = ::write(5, result.data(), result.size());
    begin = end + 1;
  }
  [[maybe_unused]] const auto done = ::pwrite(7, "done", 4, 0);
  return 0;
}
