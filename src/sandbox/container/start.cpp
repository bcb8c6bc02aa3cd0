#include "sandbox/container/start.hpp"

#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <vector>

#include "os/socket.hpp"
#include "sandbox/container/child.hpp"
#include "sandbox/container/id_map.hpp"
#include "sandbox/container/report.hpp"

namespace agentos::container {
namespace {

struct Pipe {
  UniqueFd read, write;
};

Result<Pipe> make_pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return fail_errno("pipe");
  return Pipe{UniqueFd(ends[0]), UniqueFd(ends[1])};
}

int fd_of(const StartInput& input, StartFd which) {
  return input.fds[static_cast<std::size_t>(which)].get();
}

// The detached mount that the agent sees. What is the caller's on disk is the agent's inside. In a layer overlayfs
// makes files too (whiteouts, its work directory), as root of the host; on disk they belong to the root of the sandbox.
Result<UniqueFd> mount_workspace(const StartInput& input) {
  const bool layered = input.layer >= 0;
  const auto map = [&](std::uint32_t disk) {
    std::vector<IdRange> ranges{{disk, input.uid_base + agent_uid, 1}};
    if (layered) ranges.push_back({input.uid_base + init_uid, 0, 1});
    return ranges;
  };
  const UniqueFd mapping = AGENTOS_TRY(create_mapping(map(input.plan.caller_uid), map(input.plan.caller_gid)));
  UniqueFd workspace;
  if (input.plan.workspace_mode != WorkspaceMode::empty) {
    workspace = AGENTOS_TRY(id_mapped_mount(fd_of(input, StartFd::workspace), mapping));
  }
  if (!layered) return workspace;
  return input.workshop.overlay(std::move(workspace), AGENTOS_TRY(id_mapped_mount(input.layer, mapping)));
}

}  // namespace

Result<> check_descriptors(const Plan& plan, const std::vector<UniqueFd>& fds) {
  if (fds.size() < start_fds_required || fds.size() > start_fds_max) {
    return fail(ErrorKind::invalid, "wrong number of descriptors beside the plan");
  }
  const auto at = [&](StartFd which) { return fds[static_cast<std::size_t>(which)].get(); };
  const auto peer = AGENTOS_TRY(os::peer_credentials(at(StartFd::caller)));
  if (peer.uid != plan.caller_uid || peer.gid != plan.caller_gid) {
    return fail(ErrorKind::forbidden, "the plan is for another user than the one at the connection");
  }
  const auto is = [&](StartFd which, mode_t type) {
    // Never asks a file system that a user serves (FUSE): it could keep the answer, and with it this one thread.
    struct statx status{};
    errno = 0;
    return ::statx(at(which), "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_TYPE, &status) == 0 &&
           (status.stx_mode & S_IFMT) == type;
  };
  const bool is_folder = is(StartFd::workspace, S_IFDIR);
  // FUSE lets nobody in but who serves it, root neither, unless it was mounted with allow_other.
  if (!is_folder && errno == EACCES) {
    return fail(ErrorKind::unsupported, "the workspace is on a file system that only its user can enter (FUSE)",
                "use a directory on a disk");
  }
  if (!is_folder) return fail(ErrorKind::invalid, "the workspace is not a directory");
  if (::fcntl(at(StartFd::spec), F_GET_SEALS) <= 0) return fail(ErrorKind::invalid, "the start record is not sealed");
  if (!is(StartFd::listener, S_IFSOCK) || !is(StartFd::log_0, S_IFREG) || !is(StartFd::log_1, S_IFREG) ||
      !is(StartFd::exit_record, S_IFREG)) {
    return fail(ErrorKind::invalid, "a descriptor beside the plan is of the wrong kind");
  }
  if (fds.size() == start_fds_max && !is(StartFd::client, S_IFSOCK)) {
    return fail(ErrorKind::invalid, "the attach stream is not a socket");
  }
  return {};
}

Result<Starting> start(StartInput input) {
  const UniqueFd workspace = AGENTOS_TRY(mount_workspace(input));
  const Pipe go = AGENTOS_TRY(make_pipe());
  Pipe report = AGENTOS_TRY(make_pipe());
  std::array<int, start_fds_max - static_cast<std::size_t>(StartFd::spec)> init_fds{};
  for (std::size_t i = 0; i < init_fds.size(); ++i) {
    const std::size_t at = i + static_cast<std::size_t>(StartFd::spec);
    init_fds[i] = at < input.fds.size() ? input.fds[at].get() : -1;
  }
  const ChildInput child{&input.plan,       go.read.get(),   go.write.get(), report.write.get(),
                         input.init_binary, workspace.get(), init_fds};

  int pidfd = -1;
  clone_args args{};
  args.flags = CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_PIDFD |
               CLONE_INTO_CGROUP;
  args.pidfd = reinterpret_cast<std::uint64_t>(&pidfd);
  args.exit_signal = SIGCHLD;
  args.cgroup = static_cast<std::uint64_t>(input.cgroup.fd());
  const auto pid = static_cast<pid_t>(::syscall(SYS_clone3, &args, sizeof args));
  if (pid < 0) return fail_errno("clone3 into the agent's cgroup and namespaces");
  if (pid == 0) run_child(child);
  Starting starting{pid, UniqueFd(pidfd), std::move(report.read)};
  report.write.reset();
  const std::array range{IdRange{0, input.uid_base, UidPool::range}};
  if (auto maps = write_id_maps(pid, range, range); !maps) {
    ::syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, nullptr, 0);
    return std::unexpected(std::move(maps).error());
  }
  ::fcntl(starting.report.get(), F_SETFL, O_NONBLOCK);
  const char byte = 1;
  if (::write(go.write.get(), &byte, 1) != 1) return fail_errno("release the child");
  return starting;
}

std::optional<Result<>> outcome(const Starting& starting) {
  bool executed = false;
  for (;;) {
    ChildReport report;
    const ssize_t count = ::read(starting.report.get(), &report, sizeof report);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno == EAGAIN && !executed) return std::nullopt;
    if (count == 0 && executed) return Result<>{};
    if (count == static_cast<ssize_t>(sizeof report) && report.kind == ChildReport::failed) {
      report.what.back() = '\0';
      return fail_errno(report.number, report.what.data());
    }
    if (count == static_cast<ssize_t>(sizeof report)) {
      executed = true;
      // From here to exec there are two system calls: wait for the end of the pipe instead of keeping more state.
      ::fcntl(starting.report.get(), F_SETFL, 0);
      continue;
    }
    return fail(ErrorKind::internal, "the sandbox ended while it was being set up");
  }
}

}  // namespace agentos::container
