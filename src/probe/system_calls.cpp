#include <fcntl.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdint>

#include "attempt.hpp"

namespace agentos::probe {
namespace {

constexpr unsigned long none = ~0UL;  // no descriptor, no process
constexpr unsigned long here = static_cast<unsigned long>(AT_FDCWD);
constexpr unsigned long high = 1UL << 32;

unsigned long text(const char* value) {
  return reinterpret_cast<unsigned long>(value);
}
const auto nowhere = text("/nothing-is-here");
const auto scratch = text("agentos-probe-file");

constexpr const char* refused = "EPERM";
constexpr const char* not_there = "ENOSYS";  // callers then do without

Case call(const char* name, const char* held, Call made) {
  return {'d', name, held, nullptr, [=] { return Finding{in_child([&] { return make(made); }), "seccomp"}; }, made};
}

// The same and then away with the file.
Case making(const char* name, Call made) {
  return {'d',
          name,
          refused,
          nullptr,
          [=] {
            const Finding finding{in_child([&] { return make(made); }), "seccomp"};
            if (::unlink("agentos-probe-file") != 0) ::rmdir("agentos-probe-file");
            return finding;
          },
          made};
}

void add_mounts(std::vector<Case>& to) {
  static const std::uint64_t attributes[4]{};
  static const std::uint64_t how[3]{O_PATH, 0, 0};
  to.insert(to.end(),
            {
                call("mount", refused, {SYS_mount, {text("none"), nowhere, text("tmpfs")}}),
                call("umount", refused, {SYS_umount2, {nowhere}}),
                call("pivot_root", refused, {SYS_pivot_root, {nowhere, nowhere}}),
                call("chroot", refused, {SYS_chroot, {text("/")}}),
                call("open_tree", refused, {SYS_open_tree, {here, text("/"), 1}}),  // OPEN_TREE_CLONE
                call("move_mount", refused, {SYS_move_mount, {none, text(""), none, text("")}}),
                call("fsopen", refused, {SYS_fsopen, {text("tmpfs")}}),
                call("fsconfig", refused, {SYS_fsconfig, {none, 6}}),
                call("fsmount", refused, {SYS_fsmount, {none}}),
                call("fspick", refused, {SYS_fspick, {here, text("/")}}),
                call("mount_setattr", refused,
                     {SYS_mount_setattr,
                      {none, text(""), AT_EMPTY_PATH, reinterpret_cast<unsigned long>(attributes), sizeof attributes}}),
                call("swapon", refused, {SYS_swapon, {nowhere}}),
                call("quotactl", refused, {SYS_quotactl, {none}}),
                call("acct", refused, {SYS_acct, {nowhere}}),
                call("openat2", not_there,
                     {SYS_openat2, {here, text("/"), reinterpret_cast<unsigned long>(how), sizeof how}}),
            });
}

void add_namespaces(std::vector<Case>& to) {
  struct Space {
    unsigned long flag;
    const char *unshare, *clone;
  };
  for (const auto& space :
       {Space{CLONE_NEWUSER, "unshare-user", "clone-user"}, Space{CLONE_NEWNS, "unshare-mount", "clone-mount"},
        Space{CLONE_NEWPID, "unshare-pid", "clone-pid"}, Space{CLONE_NEWNET, "unshare-net", "clone-net"},
        Space{CLONE_NEWIPC, "unshare-ipc", "clone-ipc"}, Space{CLONE_NEWUTS, "unshare-uts", "clone-uts"},
        Space{CLONE_NEWCGROUP, "unshare-cgroup", "clone-cgroup"}}) {
    to.push_back(call(space.unshare, refused, {SYS_unshare, {space.flag}}));
    to.push_back(call(space.clone, refused, {SYS_clone, {space.flag | SIGCHLD}}));
  }
  to.push_back(call("unshare-time", refused, {SYS_unshare, {CLONE_NEWTIME}}));
  // The kernel looks at the low half alone.
  to.push_back(call("clone-user-high-half", refused, {SYS_clone, {CLONE_NEWUSER | SIGCHLD | high}}));
  static const std::array<std::uint64_t, 8> inherits{CLONE_NEWUSER, 0, 0, 0, SIGCHLD};  // struct clone_args
  to.push_back(
      call("clone3", not_there, {SYS_clone3, {reinterpret_cast<unsigned long>(inherits.data()), sizeof inherits}}));
  to.push_back(call("setns", refused, {SYS_setns, {none}}));
  to.push_back(call("sethostname", refused, {SYS_sethostname, {0, 1}}));
}

void add_processes(std::vector<Case>& to) {
  const auto self = static_cast<unsigned long>(::getpid());
  to.insert(to.end(), {
                          call("ptrace", refused, {SYS_ptrace, {PTRACE_TRACEME}}),
                          call("process_vm_readv", refused, {SYS_process_vm_readv, {self}}),
                          call("process_vm_writev", refused, {SYS_process_vm_writev, {self}}),
                          call("process_madvise", refused, {SYS_process_madvise, {none}}),
                          call("pidfd_getfd", refused, {SYS_pidfd_getfd, {none}}),
                          call("kcmp", refused, {SYS_kcmp, {self, self}}),
                          call("huge-pages", "ENOMEM",
                               {SYS_mmap, {0, 2U << 20U, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, none}}),
                          call("huge-pages-file", "ENOMEM", {SYS_memfd_create, {text("probe"), MFD_HUGETLB}}),
                          call("prctl-memory-map", refused, {SYS_prctl, {PR_SET_MM, 0}}),
                          call("seccomp-listener", refused,
                               {SYS_seccomp, {SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER}}),
                          call("personality-executable", refused, {SYS_personality, {READ_IMPLIES_EXEC}}),
                      });
}

void add_kernel(std::vector<Case>& to) {
  to.insert(to.end(), {
                          call("bpf", refused, {SYS_bpf, {none}}),
                          call("perf_event_open", refused, {SYS_perf_event_open}),
                          call("userfaultfd", refused, {SYS_userfaultfd}),
                          call("io_uring_setup", not_there, {SYS_io_uring_setup}),
                          call("io_uring_enter", not_there, {SYS_io_uring_enter, {none}}),
                          call("io_uring_register", not_there, {SYS_io_uring_register, {none}}),
                          call("io_setup", not_there, {SYS_io_setup}),
                          call("keyctl", refused, {SYS_keyctl, {none}}),
                          call("add_key", refused, {SYS_add_key}),
                          call("request_key", refused, {SYS_request_key}),
                          call("open_by_handle_at", refused, {SYS_open_by_handle_at, {none}}),
                          call("name_to_handle_at", refused, {SYS_name_to_handle_at, {here, text("/")}}),
                          call("fanotify_init", refused, {SYS_fanotify_init}),
                          call("kexec_load", refused, {SYS_kexec_load, {0, 1000}}),
                          call("kexec_file_load", refused, {SYS_kexec_file_load, {none, none, 0, 0, 0x8000}}),
                          call("init_module", refused, {SYS_init_module}),
                          call("finit_module", refused, {SYS_finit_module, {none}}),
                          call("delete_module", refused, {SYS_delete_module}),
                          call("reboot", refused, {SYS_reboot}),
                          call("settimeofday", refused, {SYS_settimeofday}),
                          call("clock_settime", refused, {SYS_clock_settime, {1000}}),
                          call("clock_adjtime", refused, {SYS_clock_adjtime, {1000}}),
                          call("iopl", refused, {SYS_iopl}),
                          call("ioperm", refused, {SYS_ioperm, {0, 1, 0}}),
                          call("syslog", refused, {SYS_syslog, {10}}),  // the size of the kernel's log
                          call("vhangup", refused, {SYS_vhangup}),
                      });
}

// The workspace is id-mapped: such a file in it would be a host user's.
void add_modes(std::vector<Case>& to) {
  constexpr unsigned long create = O_CREAT | O_WRONLY;
  to.insert(to.end(), {
                          making("open-setuid", {SYS_openat, {here, scratch, create, 04755}}),
                          making("open-setgid", {SYS_open, {scratch, create, 02755}}),
                          making("tmpfile-setuid", {SYS_openat, {here, text("."), O_TMPFILE | O_WRONLY, 04755}}),
                          making("creat-setuid", {SYS_creat, {scratch, 04755}}),
                          making("mkdir-setgid", {SYS_mkdirat, {here, scratch, 02755}}),
                          making("chmod-setuid", {SYS_fchmodat, {here, nowhere, 04755}}),
                          making("mknod-device", {SYS_mknodat, {here, scratch, S_IFCHR | 0600, 0x103}}),
                      });
}

std::string families() {
  std::string open;
  for (int family = 0; family < 64; ++family) {
    for (const int type : {SOCK_STREAM, SOCK_DGRAM, SOCK_RAW, SOCK_SEQPACKET}) {
      const int socket = ::socket(family, type | SOCK_CLOEXEC, 0);
      if (socket < 0) continue;
      ::close(socket);
      open += (open.empty() ? "" : " ") + std::to_string(family);
      break;
    }
  }
  return open;
}

std::string netlink_protocols() {
  std::string open;
  for (int protocol = 0; protocol < 32; ++protocol) {
    const int socket = ::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);
    if (socket < 0) continue;
    ::close(socket);
    open += (open.empty() ? "" : " ") + std::to_string(protocol);
  }
  return open.empty() ? "none" : open;
}

void add_sockets(std::vector<Case>& to) {
  const auto type = static_cast<unsigned long>(SOCK_RAW);
  // UNIX, INET, INET6 and NETLINK; of the last ROUTE alone. The set "strict" has but UNIX.
  to.push_back({'d', "socket-families", "1 2 10 16|1 2 16|1", nullptr, [] { return Finding{families(), "seccomp"}; }});
  to.push_back({'d', "netlink-protocols", "0|none", nullptr, [] { return Finding{netlink_protocols(), "seccomp"}; }});
  to.push_back(call("socket-packet", "EAFNOSUPPORT", {SYS_socket, {AF_PACKET, type}}));
  to.push_back(call("socket-packet-high-half", "EAFNOSUPPORT", {SYS_socket, {AF_PACKET | high, type}}));
  to.push_back(call("socket-raw", "EPERM|EAFNOSUPPORT", {SYS_socket, {AF_INET, type, 1}}));
  to.push_back(call("socket-netlink-audit", "EPROTONOSUPPORT|EAFNOSUPPORT", {SYS_socket, {AF_NETLINK, type, 9}}));
}

// getpid in the tables of i386 and of x32.
int call_of_i386() {
  long result = 20;
  asm volatile("int $0x80" : "+a"(result) : : "memory", "r8", "r9", "r10", "r11");
  return result < 0 ? static_cast<int>(-result) : 0;
}

}  // namespace

std::vector<Case> system_call_cases() {
  std::vector<Case> cases;
  add_mounts(cases);
  add_namespaces(cases);
  add_processes(cases);
  add_kernel(cases);
  add_modes(cases);
  add_sockets(cases);
  cases.push_back({'d', "calls-of-i386", "SIGSYS", nullptr, [] { return Finding{in_child(call_of_i386), "seccomp"}; }});
  cases.push_back(call("calls-of-x32", "SIGSYS", {0x40000000 | SYS_getpid}));
  return cases;
}

}  // namespace agentos::probe
