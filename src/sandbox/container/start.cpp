#include "sandbox/container/start.hpp"

#include <fcntl.h>
#include <linux/capability.h>
#include <linux/sched.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <utility>
#include <vector>

#include "agentos/base/text.hpp"
#include "os/file.hpp"
#include "os/socket.hpp"
#include "sandbox/container/child.hpp"
#include "sandbox/container/grants.hpp"
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

// What is the caller's on disk is the agent's inside.
std::vector<IdRange> caller_as_agent(std::uint32_t disk, std::uint32_t base) {
  return {{disk, base + agent_uid, 1}};
}

// The detached mount that the agent sees. In a layer overlayfs makes files too (whiteouts, its work directory), as root
// of the host; on disk they belong to the root of the sandbox.
Result<UniqueFd> mount_workspace(const StartInput& input) {
  const bool layered = input.layer >= 0;
  const auto map = [&](std::uint32_t disk) {
    auto ranges = caller_as_agent(disk, input.uid_base);
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

std::span<const UniqueFd> grant_fds(const Plan& plan, const std::vector<UniqueFd>& fds) {
  return std::span(fds).last(grants_of(plan));
}

// Detached mounts of what is granted, in the order of the plan.
Result<std::vector<UniqueFd>> mount_grants(const StartInput& input) {
  std::vector<UniqueFd> mounts;
  const auto fds = grant_fds(input.plan, input.fds);
  if (fds.empty()) return mounts;
  const UniqueFd mapping = AGENTOS_TRY(create_mapping(caller_as_agent(input.plan.caller_uid, input.uid_base),
                                                      caller_as_agent(input.plan.caller_gid, input.uid_base)));
  auto fd = fds.begin();
  for (const auto& step : input.plan.mounts) {
    if (step.kind != MountStep::Kind::grant) continue;
    mounts.push_back(AGENTOS_TRY(id_mapped_mount((fd++)->get(), mapping, "'" + printable(granted_path(step)) + "'")));
  }
  return mounts;
}

// Detached mounts of what the bind steps show that are in no built part, in the order of the plan.
Result<std::vector<UniqueFd>> open_sources(const Plan& plan, std::span<const BuiltPart> built) {
  std::vector<UniqueFd> sources;
  auto next = built.begin();
  for (std::size_t at = 0; at < plan.mounts.size(); ++at) {
    if (next != built.end() && at == next->part.begin) {
      at = next->part.end - 1;
      ++next;
    } else if (plan.mounts[at].kind == MountStep::Kind::bind) {
      sources.push_back(AGENTOS_TRY(open_source(plan.mounts[at])));
    }
  }
  return sources;
}

Result<UniqueFd> host_proc() {
  UniqueFd mount(::open_tree(AT_FDCWD, "/proc", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC));
  if (!mount) return fail_errno("open /proc");
  return mount;
}

std::vector<int> numbers_of(const std::vector<UniqueFd>& fds) {
  std::vector<int> numbers;
  for (const auto& fd : fds) numbers.push_back(fd.get());
  return numbers;
}

// The kernel counts inotify instances, queued signals, message queues, locked memory and namespaces of everybody in a
// user namespace against the user who made it too. If that were root, one agent could take what the host's root and all
// other agents have of these; so the maker is the agent's own uid, for the one call, and with spawnd's capabilities.
class AsAgent {
 public:
  static Result<AsAgent> become(std::uint32_t uid) {
    AsAgent agent;
    if (::syscall(SYS_capget, &agent.header_, agent.sets_.data()) != 0) return fail_errno("read own capabilities");
    if (::syscall(SYS_setresuid, -1, uid, -1) != 0) return fail_errno("become the agent's user");
    agent.is_agent_ = true;
    if (::syscall(SYS_capset, &agent.header_, agent.sets_.data()) != 0 || !stay_dumpable())
      return fail_errno("keep capabilities as the agent's user");
    return agent;
  }
  AsAgent(AsAgent&& other) noexcept
      : header_(other.header_), sets_(other.sets_), is_agent_(std::exchange(other.is_agent_, false)) {}
  AsAgent& operator=(AsAgent&&) = delete;
  // Root again, with the effective capabilities that come with it. Going on as anybody else is not an option.
  ~AsAgent() {
    if (is_agent_) AGENTOS_ASSERT(::syscall(SYS_setresuid, -1, 0, -1) == 0 && stay_dumpable());
  }

 private:
  AsAgent() = default;
  // Each change of the user takes it, and spawnd could not open the namespaces of its next child (no CAP_SYS_PTRACE).
  static bool stay_dumpable() { return ::prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) == 0; }
  __user_cap_header_struct header_{_LINUX_CAPABILITY_VERSION_3, 0};
  std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> sets_{};
  bool is_agent_{};
};

Result<pid_t> clone_child(clone_args& args, std::uint32_t uid_base, const ChildInput& child) {
  const auto maker = AGENTOS_TRY(AsAgent::become(uid_base));
  const auto pid = static_cast<pid_t>(::syscall(SYS_clone3, &args, sizeof args));
  if (pid < 0) return fail_errno("clone3 into the agent's cgroup and namespaces");
  if (pid == 0) run_child(child);
  return pid;
}

// In a network of its own, and where there is no mount of the host.
Result<pid_t> clone_elsewhere(const StartInput& input, clone_args& args, const ChildInput& child) {
  AGENTOS_TRY(input.networks.enter());
  const auto entered = input.workshop.enter_empty();
  auto cloned = entered ? clone_child(args, input.uid_base, child) : std::unexpected(entered.error());
  if (entered) input.workshop.return_home();
  input.networks.leave();
  return cloned;
}

// If the kernel is to spare agentos-spawnd when memory runs out, that is not for agents.
Result<> take_oom_exemption(pid_t pid) {
  const auto own = AGENTOS_TRY(os::read_file(AT_FDCWD, "/proc/self/oom_score_adj"));
  if (!own.starts_with('-')) return {};
  return os::write_file(AT_FDCWD, "/proc/" + std::to_string(pid) + "/oom_score_adj", "0");
}

}  // namespace

Result<> check_descriptors(const Plan& plan, const std::vector<UniqueFd>& fds) {
  const auto grants = grants_of(plan);
  if (fds.size() < start_fds_required + grants || fds.size() > start_fds_max + grants) {
    return fail(ErrorKind::invalid, "wrong number of descriptors beside the plan");
  }
  const auto at = [&](StartFd which) { return fds[static_cast<std::size_t>(which)].get(); };
  const auto peer = AGENTOS_TRY(os::client_credentials(at(StartFd::caller)));
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
  constexpr int seals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
  const int sealed = ::fcntl(at(StartFd::spec), F_GET_SEALS);
  if (sealed < 0 || (sealed & seals) != seals) return fail(ErrorKind::invalid, "the start record is not sealed");
  if (!is(StartFd::listener, S_IFSOCK) || !is(StartFd::log_0, S_IFREG) || !is(StartFd::log_1, S_IFREG) ||
      !is(StartFd::exit_record, S_IFREG)) {
    return fail(ErrorKind::invalid, "a descriptor beside the plan is of the wrong kind");
  }
  if (fds.size() - grants == start_fds_max && !is(StartFd::client, S_IFSOCK)) {
    return fail(ErrorKind::invalid, "the attach stream is not a socket");
  }
  return check_grants(plan, grant_fds(plan, fds));
}

Result<Starting> start(StartInput input) {
  const UniqueFd workspace = AGENTOS_TRY(mount_workspace(input));
  const auto grants = AGENTOS_TRY(mount_grants(input));
  const auto parts = AGENTOS_TRY(input.templates.parts(input.plan.mounts));
  const auto sources = AGENTOS_TRY(open_sources(input.plan, parts));
  const UniqueFd proc = AGENTOS_TRY(host_proc());
  const auto grant_numbers = numbers_of(grants);
  const auto source_numbers = numbers_of(sources);
  const Pipe go = AGENTOS_TRY(make_pipe());
  Pipe report = AGENTOS_TRY(make_pipe());
  std::array<int, start_fds_max - static_cast<std::size_t>(StartFd::spec)> init_fds{};
  for (std::size_t i = 0; i < init_fds.size(); ++i) {
    const std::size_t at = i + static_cast<std::size_t>(StartFd::spec);
    init_fds[i] = at < input.fds.size() - grants.size() ? input.fds[at].get() : -1;
  }
  const ChildInput child{.plan = &input.plan,
                         .go = go.read.get(),
                         .go_write = go.write.get(),
                         .report = report.write.get(),
                         .init_binary = input.init_binary,
                         .root = {.built = parts,
                                  .sources = source_numbers,
                                  .grants = grant_numbers,
                                  .workspace = workspace.get(),
                                  .host_proc = proc.get()},
                         .init_fds = init_fds};

  int pidfd = -1;
  clone_args args{};
  args.flags =
      CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_PIDFD | CLONE_INTO_CGROUP;
  args.pidfd = reinterpret_cast<std::uint64_t>(&pidfd);
  args.exit_signal = SIGCHLD;
  args.cgroup = static_cast<std::uint64_t>(input.cgroup.fd());
  const auto cloned = clone_elsewhere(input, args, child);
  const pid_t pid = AGENTOS_TRY(cloned);
  Starting starting{pid, UniqueFd(pidfd), std::move(report.read)};
  report.write.reset();
  const std::array range{IdRange{0, input.uid_base, UidPool::range}};
  if (auto maps = write_id_maps(pid, range, range); !maps) {
    ::syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, nullptr, 0);
    return std::unexpected(std::move(maps).error());
  }
  if (auto ordinary = take_oom_exemption(pid); !ordinary) {
    ::syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, nullptr, 0);
    return std::unexpected(std::move(ordinary).error());
  }
  ::fcntl(starting.report.get(), F_SETFL, O_NONBLOCK);
  const char byte = 1;
  if (::write(go.write.get(), &byte, 1) != 1) return fail_errno("release the child");
  return starting;
}

std::optional<Result<>> outcome(Starting& starting) {
  for (;;) {
    ChildReport report;
    const ssize_t count = ::read(starting.report.get(), &report, sizeof report);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno == EAGAIN) return std::nullopt;
    if (count == 0 && starting.executing) return Result<>{};
    if (count == static_cast<ssize_t>(sizeof report) && report.kind == ChildReport::failed) {
      report.what.back() = '\0';
      return fail_errno(report.number, report.what.data());
    }
    if (count == static_cast<ssize_t>(sizeof report)) {
      starting.executing = true;
      continue;
    }
    return fail(ErrorKind::internal, "the sandbox ended while it was being set up");
  }
}

}  // namespace agentos::container
