// Runs as PID 1 of a sandbox in place of agentos-init. Its start record is a list of tries, one a line; what came of
// each goes to the log as "TRY: RESULT".
#include <dirent.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
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

// Appends until it can no more, at most 64 MiB: how many bytes, and why no more.
std::string filled(const std::string& path) {
  static const std::string block(64 << 10, 'x');
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
  if (fd < 0) return word(-1);
  long long bytes = 0;
  ssize_t count = 0;
  while (bytes < 64 << 20 && (count = ::write(fd, block.data(), block.size())) > 0) bytes += count;
  const std::string why = count < 0 ? std::strerror(errno) : "no error";
  ::close(fd);
  return std::to_string(bytes) + " " + why;
}

std::string made_many(const std::string& folder) {
  int made = 0, fd = 0;
  while (made < 1000 && (fd = ::open((folder + "/" + std::to_string(made)).c_str(), O_WRONLY | O_CREAT, 0644)) >= 0) {
    ::close(fd);
    ++made;
  }
  return std::to_string(made) + " " + (fd < 0 ? std::strerror(errno) : "no error");
}

// Out of the project it is in: by the number, and by what it hands on to new files.
std::string changed_project(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY);
  fsxattr before{}, wanted{}, after{};
  if (fd < 0 || ::ioctl(fd, FS_IOC_FSGETXATTR, &before) != 0) return "look: " + word(-1);
  wanted = before;
  wanted.fsx_projid = 0;
  std::string results = word(::ioctl(fd, FS_IOC_FSSETXATTR, &wanted));
  wanted = before;
  wanted.fsx_xflags &= ~static_cast<unsigned>(FS_XFLAG_PROJINHERIT);
  results += ", " + word(::ioctl(fd, FS_IOC_FSSETXATTR, &wanted));
  int flags = 0;
  if (::ioctl(fd, FS_IOC_GETFLAGS, &flags) != 0) return "look: " + word(-1);
  flags &= ~FS_PROJINHERIT_FL;
  results += ", " + word(::ioctl(fd, FS_IOC_SETFLAGS, &flags));
  ::ioctl(fd, FS_IOC_FSGETXATTR, &after);
  const bool same = after.fsx_projid == before.fsx_projid && after.fsx_xflags == before.fsx_xflags;
  return results + (same ? ", unchanged" : ", CHANGED") + (before.fsx_projid == 0 ? " NONE" : "");
}

std::string room_at(const std::string& path) {
  struct statvfs room{};
  if (::statvfs(path.c_str(), &room) != 0) return word(-1);
  return std::to_string(room.f_blocks * room.f_frsize) + " " + std::to_string(room.f_files);
}

std::string attempt(const std::string& line) {
  const std::string verb = line.substr(0, line.find(' '));
  const std::string argument = verb.size() == line.size() ? "" : line.substr(verb.size() + 1);
  if (verb == "read") return content_of(argument);
  if (verb == "list") return names_in(argument);
  if (verb == "write") return word(::open(argument.c_str(), O_WRONLY | O_CREAT, 0644));
  if (verb == "fill") return filled(argument);
  if (verb == "make-many") return made_many(argument);
  if (verb == "change-project") return changed_project(argument);
  if (verb == "room") return room_at(argument);
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
