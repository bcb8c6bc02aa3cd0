#include "mount.hpp"

#include <fcntl.h>
#include <grp.h>
#include <linux/mount.h>
#include <linux/sched.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <stdexcept>

#include "agentos/base/fd.hpp"

namespace agentos::test {
namespace {

constexpr unsigned first_id = 0x70000000U;  // of the agent's range on the host
constexpr unsigned agent_id = 1000;

void need(bool good, const char* what) {
  if (good) return;
  throw std::runtime_error(std::string(what) + ": " + std::strerror(errno));
}

void write_to(const std::string& path, const std::string& text) {
  const UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  need(fd && ::write(fd.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()), path.c_str());
}

pid_t clone_into(unsigned long long flags) {
  clone_args arguments{};
  arguments.flags = flags;
  arguments.exit_signal = SIGCHLD;
  return static_cast<pid_t>(::syscall(SYS_clone3, &arguments, sizeof arguments));
}

void map_ids(pid_t pid, const std::string& map) {
  write_to("/proc/" + std::to_string(pid) + "/uid_map", map);
  write_to("/proc/" + std::to_string(pid) + "/gid_map", map);
}

UniqueFd user_namespace(const std::string& map) {
  const pid_t pid = clone_into(CLONE_NEWUSER);
  if (pid == 0) {
    ::pause();
    ::_exit(0);
  }
  map_ids(pid, map);
  UniqueFd fd(::open(("/proc/" + std::to_string(pid) + "/ns/user").c_str(), O_RDONLY | O_CLOEXEC));
  ::kill(pid, SIGKILL);
  ::waitpid(pid, nullptr, 0);
  return fd;
}

// The folder, in which the ids of `names` are as in `map`.
UniqueFd id_mapped(const std::string& folder, const std::string& map) {
  const auto names = user_namespace(map);
  UniqueFd tree(
      static_cast<int>(::syscall(SYS_open_tree, AT_FDCWD, folder.c_str(), OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC)));
  need(static_cast<bool>(tree), "open_tree");
  mount_attr attributes{};
  attributes.attr_set = MOUNT_ATTR_IDMAP | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV;
  attributes.userns_fd = static_cast<unsigned>(names.get());
  need(::syscall(SYS_mount_setattr, tree.get(), "", AT_EMPTY_PATH, &attributes, sizeof attributes) == 0,
       "mount_setattr");
  return tree;
}

void configure(int fd, unsigned command, const char* key, const char* value) {
  need(::syscall(SYS_fsconfig, fd, command, key, value, 0) == 0, key == nullptr ? "fsconfig" : key);
}

UniqueFd mount_of(const char* type, const std::vector<std::pair<const char*, const char*>>& settings) {
  const UniqueFd context(static_cast<int>(::syscall(SYS_fsopen, type, FSOPEN_CLOEXEC)));
  need(static_cast<bool>(context), "fsopen");
  for (const auto& [key, value] : settings)
    configure(context.get(), value == nullptr ? FSCONFIG_SET_FLAG : FSCONFIG_SET_STRING, key, value);
  configure(context.get(), FSCONFIG_CMD_CREATE, nullptr, nullptr);
  UniqueFd mount(static_cast<int>(::syscall(SYS_fsmount, context.get(), FSMOUNT_CLOEXEC, 0)));
  need(static_cast<bool>(mount), "fsmount");
  return mount;
}

void attach(int mount, const char* at) {
  need(::syscall(SYS_move_mount, mount, "", AT_FDCWD, at, MOVE_MOUNT_F_EMPTY_PATH) == 0, at);
}

[[noreturn]] void execute(const std::vector<std::string>& command) {
  std::vector<char*> arguments;
  for (const auto& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  ::umask(022);
  ::setenv("HOME", "/nonexistent", 1);  // git looks for configuration there
  // By descriptor: the agent may not be able to reach the folder the program is in.
  const int program = ::open(command[0].c_str(), O_RDONLY | O_CLOEXEC);
  ::execveat(program, "", arguments.data(), environ, AT_EMPTY_PATH);
  ::perror(command[0].c_str());
  ::_exit(127);
}

void become_agent(int lower, int layer, int program_ready) {
  char go = 0;
  need(::read(program_ready, &go, 1) == 1, "wait for the id maps");
  need(::setgroups(0, nullptr) == 0 && ::setresgid(0, 0, 0) == 0 && ::setresuid(0, 0, 0) == 0, "become root inside");
  ::umask(0);
  const auto scratch = mount_of("tmpfs", {});
  attach(scratch.get(), "/tmp");
  for (const char* folder : {"/tmp/lower", "/tmp/layer", "/tmp/workspace"}) need(::mkdir(folder, 0755) == 0, folder);
  attach(lower, "/tmp/lower");
  attach(layer, "/tmp/layer");
  const auto overlay = mount_of("overlay", {{"lowerdir", "/tmp/lower"},
                                            {"upperdir", "/tmp/layer/upper"},
                                            {"workdir", "/tmp/layer/work"},
                                            {"userxattr", nullptr}});
  attach(overlay.get(), "/tmp/workspace");
  need(::umount2("/tmp/lower", MNT_DETACH) == 0 && ::umount2("/tmp/layer", MNT_DETACH) == 0, "umount");
  need(::chdir("/tmp/workspace") == 0, "enter the workspace");
  need(::setresgid(agent_id, agent_id, agent_id) == 0 && ::setresuid(agent_id, agent_id, agent_id) == 0,
       "become agent");
}

// Reads until the writers are gone, then takes the child's status.
Ran collect(int from, pid_t child) {
  Ran ran;
  std::array<char, 65536> buffer{};
  for (ssize_t count = 0; (count = ::read(from, buffer.data(), buffer.size())) > 0;)
    ran.output.append(buffer.data(), static_cast<std::size_t>(count));
  int status = 0;
  ::waitpid(child, &status, 0);
  ran.status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  return ran;
}

}  // namespace

Ran run_on_overlay(uid_t owner, const std::string& lower, const std::string& layer,
                   const std::vector<std::string>& command) {
  const std::string one = std::to_string(owner) + " " + std::to_string(first_id + agent_id) + " 1\n";
  const auto lower_tree = id_mapped(lower, one);
  const auto layer_tree = id_mapped(layer, one + std::to_string(first_id) + " " + std::to_string(first_id) + " 1\n");
  int out[2], ready[2], made[2];
  need(::pipe2(out, O_CLOEXEC) == 0 && ::pipe2(ready, O_CLOEXEC) == 0 && ::pipe2(made, O_CLOEXEC) == 0, "pipe");
  // By fork(), which leaves no lock of another thread held in the child.
  const pid_t child = ::fork();
  if (child == 0) {
    if (::unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0 || ::write(made[1], "x", 1) != 1) ::_exit(126);
    ::dup2(out[1], STDOUT_FILENO);
    ::dup2(out[1], STDERR_FILENO);
    try {
      become_agent(lower_tree.get(), layer_tree.get(), ready[0]);
    } catch (const std::exception& error) {
      ::dprintf(STDERR_FILENO, "%s\n", error.what());
      ::_exit(126);
    }
    execute(command);
  }
  ::close(out[1]);
  const UniqueFd from(out[0]), go(ready[1]);
  ::close(ready[0]);
  ::close(made[1]);
  const UniqueFd namespaces(made[0]);
  char is_made = 0;
  need(::read(namespaces.get(), &is_made, 1) == 1, "unshare");
  map_ids(child, "0 " + std::to_string(first_id) + " 16384\n");
  need(::write(go.get(), "x", 1) == 1, "start the agent");
  return collect(from.get(), child);
}

Ran run_in(uid_t owner, const std::string& folder, const std::vector<std::string>& command) {
  int out[2];
  need(::pipe2(out, O_CLOEXEC) == 0, "pipe");
  const pid_t child = ::fork();
  if (child == 0) {
    ::dup2(out[1], STDOUT_FILENO);
    ::dup2(out[1], STDERR_FILENO);
    if (::chdir(folder.c_str()) != 0 || ::setgroups(0, nullptr) != 0 || ::setresgid(owner, owner, owner) != 0 ||
        ::setresuid(owner, owner, owner) != 0) {
      ::perror(folder.c_str());
      ::_exit(126);
    }
    execute(command);
  }
  ::close(out[1]);
  const UniqueFd from(out[0]);
  return collect(from.get(), child);
}

}  // namespace agentos::test
