// Terminals, and what processes of one host share without a file: sockets, System V IPC, folders for everybody.
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "attempt.hpp"

namespace agentos::probe {
namespace {

// Asks a terminal of its own, which is the controlling one of this session.
int ask_terminal(unsigned long command, void* argument) {
  const int master = ::open("/dev/ptmx", O_RDWR | O_CLOEXEC);
  const int unlocked = 0;
  if (master < 0 || ::ioctl(master, TIOCSPTLCK, &unlocked) != 0) return ENOTTY;
  const int terminal = ::ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (terminal < 0 || ::ioctl(terminal, TIOCSCTTY, 0) != 0) return ENOTTY;
  return ::syscall(SYS_ioctl, terminal, command, argument) < 0 ? errno : 0;
}

// What is in the low half of the command is what the kernel does.
Case terminal(const char* name, unsigned long command) {
  return {'e',
          name,
          "EPERM",
          nullptr,
          [=] {
            return Finding{in_child([=] {
                             char argument[16]{};  // a zero byte, the line discipline 0, no command for the console
                             return ask_terminal(command, argument);
                           }),
                           "seccomp"};
          },
          Call{SYS_ioctl, {3, command}}};
}

bool connects(const std::string& path) {
  sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
  if (path.size() >= sizeof address.sun_path) return false;
  std::memcpy(address.sun_path, path.data(), path.size());
  for (const int type : {SOCK_STREAM, SOCK_SEQPACKET, SOCK_DGRAM}) {
    const int socket = ::socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    const bool connected =
        socket >= 0 && ::connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    if (socket >= 0) ::close(socket);
    if (connected) return true;
  }
  return false;
}

Finding host_sockets() {
  std::vector<std::string> reached;
  for (const char* path :
       {"/run/docker.sock", "/var/run/docker.sock", "/run/containerd/containerd.sock", "/run/podman/podman.sock",
        "/run/systemd/private", "/run/systemd/notify", "/run/systemd/journal/socket", "/run/systemd/journal/stdout",
        "/dev/log", "/run/dbus/system_bus_socket", "/run/udev/control", "/run/agentos/agentos.sock",
        "/run/agentos-spawnd/spawnd.sock", "/run/snapd.socket", "/tmp/.X11-unix/X0", "/run/nscd/socket"}) {
    if (connects(path)) reached.emplace_back(path);
  }
  for (const char* name : {"AGENTOS_SOCKET", "SSH_AUTH_SOCK", "DOCKER_HOST"}) {
    const char* path = std::getenv(name);
    if (path != nullptr && connects(path)) reached.emplace_back(path);
  }
  return {none_or(reached), "mount namespace"};
}

// Column 8 of /proc/net/unix; abstract names are shown with '@'.
Finding abstract_sockets() {
  std::vector<std::string> names;
  for (const auto& line : lines_of(content_of("/proc/net/unix"))) {
    if (const auto at = line.find(" @"); at != std::string::npos) names.push_back(line.substr(at + 1));
  }
  return {none_or(names), "network namespace"};
}

Finding system_v() {
  std::vector<std::string> there;
  for (const char* kind : {"shm", "sem", "msg"}) {
    const auto lines = lines_of(content_of(std::string("/proc/sysvipc/") + kind));
    if (lines.size() > 1) there.emplace_back(kind);
  }
  return {none_or(there), "IPC namespace"};
}

// The workspace may lie there.
Finding shared_folders() {
  char* cwd = ::getcwd(nullptr, 0);
  const std::string workspace = cwd == nullptr ? "" : cwd;
  std::free(cwd);
  std::vector<std::string> there;
  for (const char* folder : {"/tmp", "/var/tmp", "/dev/shm", "/home/agent"}) {
    for (const auto& name : names_in(folder)) {
      const auto path = std::string(folder) + "/" + name;
      if (workspace != path && !workspace.starts_with(path + "/")) there.push_back(path);
    }
  }
  return {none_or(there), "file systems of its own"};
}

Finding other_networks() {
  std::vector<std::string> devices;
  for (const auto& line : lines_of(content_of("/proc/net/dev"))) {
    const auto colon = line.find(':');
    if (colon == std::string::npos) continue;
    const auto name = line.substr(line.find_first_not_of(' '), colon - line.find_first_not_of(' '));
    if (name != "lo") devices.push_back(name);
  }
  return {none_or(devices), "network namespace"};
}

}  // namespace

std::vector<Case> terminal_cases() {
  constexpr unsigned long high = 1UL << 32;
  return {
      terminal("terminal-input", TIOCSTI),
      terminal("terminal-input-high-half", TIOCSTI | high),
      terminal("console-command", TIOCLINUX),
      terminal("line-discipline", TIOCSETD),
      {'e', "host-sockets", "none", nullptr, host_sockets},
      {'e', "abstract-sockets", "none", nullptr, abstract_sockets},
      {'e', "system-v-ipc", "none", nullptr, system_v},
      {'e', "shared-folders", "none", nullptr, shared_folders},
      {'e', "network-devices", "none", nullptr, other_networks},
  };
}

}  // namespace agentos::probe
