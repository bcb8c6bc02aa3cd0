#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/landlock.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <string>

#include "agentos/model/plan.hpp"
#include "os/cgroup.hpp"
#include "sandbox/container/id_map.hpp"
#include "spawnd/probe.hpp"

namespace agentos::spawnd::kernel {
namespace {

// Whether a child can be cloned so.
bool can_clone(std::uint64_t flags, int cgroup) {
  clone_args args{};
  args.flags = flags;
  args.exit_signal = SIGCHLD;
  args.cgroup = static_cast<std::uint64_t>(cgroup);
  const auto pid = static_cast<pid_t>(::syscall(SYS_clone3, &args, sizeof args));
  if (pid == 0) ::_exit(0);
  if (pid < 0) return false;
  siginfo_t ended{};
  while (::waitid(P_PID, static_cast<id_t>(pid), &ended, WEXITED) != 0 && errno == EINTR) {
  }
  return true;
}

}  // namespace

bool user_namespace() {
  return can_clone(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS, 0);
}

bool clone_into_cgroup(const std::string& cgroup) {
  const auto group = os::Cgroup::open(cgroup);
  return group && can_clone(CLONE_INTO_CGROUP, group->fd());
}

bool id_mapped_mounts() {
  const std::array range{container::IdRange{0, UidPool::first, 1}};
  const UniqueFd root(::open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
  const auto mapping = container::create_mapping(range, range);
  return root && mapping && container::id_mapped_mount(root.get(), *mapping).has_value();
}

namespace {

// Mapped as for an agent that root starts.
Result<UniqueFd> mount_overlay(int layer, const container::Workshop& workshop) {
  const std::array ranges{container::IdRange{0, UidPool::first + agent_uid, 1},
                          container::IdRange{UidPool::first, 0, 1}};
  const auto mapping = AGENTOS_TRY(container::create_mapping(ranges, ranges));
  return workshop.overlay(UniqueFd(), AGENTOS_TRY(container::id_mapped_mount(layer, mapping)));
}

}  // namespace

bool overlay(int layer, const container::Workshop& workshop) {
  return mount_overlay(layer, workshop).has_value();
}

// xfs calls it ENOSPC when a project is full.
bool layer_quota(int layer, const container::Workshop& workshop) {
  const auto mount = mount_overlay(layer, workshop);
  if (!mount) return false;
  for (std::uint64_t made = 0; made < least_layer.inodes; ++made) {
    if (::mkdirat(mount->get(), std::to_string(made).c_str(), 0700) != 0) return errno == EDQUOT || errno == ENOSPC;
  }
  return false;
}

std::uint32_t landlock_abi() {
  const long version = ::syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION);
  return version > 0 ? static_cast<std::uint32_t>(version) : 0;
}

bool seccomp_filter() {
  std::uint32_t action = SECCOMP_RET_KILL_PROCESS;
  return ::syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0;
}

bool bpf_cgroup() {
  const bpf_insn program[] = {{BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, 1}, {BPF_JMP | BPF_EXIT, 0, 0, 0, 0}};
  static const char license[] = "GPL";
  bpf_attr attributes{};
  attributes.prog_type = BPF_PROG_TYPE_CGROUP_SKB;
  attributes.insns = reinterpret_cast<std::uint64_t>(program);
  attributes.insn_cnt = std::size(program);
  attributes.license = reinterpret_cast<std::uint64_t>(license);
  const UniqueFd loaded(static_cast<int>(::syscall(SYS_bpf, BPF_PROG_LOAD, &attributes, sizeof attributes)));
  return static_cast<bool>(loaded);
}

}  // namespace agentos::spawnd::kernel
