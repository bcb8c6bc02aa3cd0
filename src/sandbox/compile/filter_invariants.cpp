#include "sandbox/compile/filter_invariants.hpp"

#include <fcntl.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <array>
#include <string>

#include "sandbox/compile/bpf_outcomes.hpp"
#include "sandbox/compile/system_calls.hpp"

namespace agentos::sandbox {
namespace {

// With any arguments.
constexpr std::array never{
    // the mount tree and the root
    SYS_mount, SYS_umount2, SYS_pivot_root, SYS_chroot, SYS_open_tree, SYS_move_mount, SYS_fsopen, SYS_fsconfig,
    SYS_fsmount, SYS_fspick, SYS_mount_setattr, call::open_tree_attr, SYS_swapon, SYS_swapoff, SYS_quotactl,
    SYS_quotactl_fd, SYS_acct,
    // namespaces; clone3 and openat2 keep their flags in memory, where no filter sees them
    SYS_setns, SYS_clone3, SYS_openat2, SYS_sethostname, SYS_setdomainname,
    // other processes
    SYS_ptrace, SYS_process_vm_readv, SYS_process_vm_writev, SYS_pidfd_getfd, SYS_kcmp, SYS_process_madvise,
    // programs in the kernel, and rings that would make system calls behind the filter
    SYS_bpf, SYS_perf_event_open, SYS_userfaultfd, SYS_io_uring_setup, SYS_io_uring_enter, SYS_io_uring_register,
    // requests out of one pool that the host's databases need
    SYS_io_setup,
    // keys of the host's users
    SYS_keyctl, SYS_add_key, SYS_request_key,
    // files without a path
    SYS_open_by_handle_at, SYS_name_to_handle_at, SYS_fanotify_init,
    // the machine
    SYS_kexec_load, SYS_kexec_file_load, SYS_init_module, SYS_finit_module, SYS_delete_module, SYS_create_module,
    SYS_reboot, SYS_settimeofday, SYS_clock_settime, SYS_clock_adjtime, SYS_adjtimex, SYS_iopl, SYS_ioperm, SYS_syslog,
    SYS_vhangup, SYS_uselib, SYS_modify_ldt, SYS_lookup_dcookie, SYS_nfsservctl, SYS_move_pages, SYS_migrate_pages};

// Stops at the first call that may pass.
class Check {
 public:
  explicit Check(const SeccompProgram& program) : outcomes_(program) {}

  void deny(const CallPattern& pattern, const char* what, long number = -1) {
    if (result_ && outcomes_.may_pass(pattern)) {
      result_ = fail(ErrorKind::forbidden,
                     std::string("seccomp filter allows ") + what + (number < 0 ? "" : " " + std::to_string(number)));
    }
  }
  // Call `number` with the set bits of the low half of one argument, whatever the rest is.
  void deny_bits(long number, std::size_t argument, std::uint32_t set, const char* what, std::uint32_t clear = 0) {
    deny(of(number).argument(argument, Bits::with(set, clear)), what);
  }
  void deny_value(long number, std::size_t argument, std::uint32_t low, const char* what) {
    deny(of(number).argument(argument, Bits::exactly(low)), what, static_cast<long>(low));
  }
  static CallPattern of(long number) { return CallPattern(Bits::exactly(static_cast<std::uint32_t>(number))); }

  [[nodiscard]] Result<> take() && { return std::move(result_); }

 private:
  Outcomes outcomes_;
  Result<> result_;
};

void other_tables(Check& check) {
  check.deny(CallPattern(Bits::anything(), Bits::exactly(AUDIT_ARCH_I386)), "system calls of i386");
  check.deny(CallPattern(Bits::anything(), Bits::exactly(0)), "system calls of an unknown architecture");
  check.deny(CallPattern(Bits::with(call::x32_bit)), "system calls of x32");
  check.deny(CallPattern(Bits::with(0x80000000)), "negative system calls");
  for (long number = call::newest + 1; number < 512; ++number)
    check.deny(Check::of(number), "unknown system call", number);
  for (std::uint32_t bit = 512; bit < call::x32_bit; bit <<= 1U) {
    check.deny(CallPattern(Bits::with(bit)), "unknown system calls");
  }
}

void namespaces(Check& check) {
  for (const std::uint32_t flag :
       {CLONE_NEWNS, CLONE_NEWCGROUP, CLONE_NEWUTS, CLONE_NEWIPC, CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET}) {
    check.deny_bits(SYS_clone, 0, flag, "clone with a new namespace");
    check.deny_bits(SYS_unshare, 0, flag, "unshare of a namespace");
  }
  check.deny_bits(SYS_unshare, 0, 0x80, "unshare of the time namespace");  // CLONE_NEWTIME
}

// The workspace is id-mapped: a setuid file in it is a setuid file of a host user.
void set_id_bits(Check& check) {
  struct Mode {
    long number;
    std::size_t argument;
  };
  constexpr std::array modes{Mode{SYS_chmod, 1},       Mode{SYS_fchmod, 1}, Mode{SYS_fchmodat, 2},
                             Mode{call::fchmodat2, 2}, Mode{SYS_creat, 1},  Mode{SYS_mkdir, 1},
                             Mode{SYS_mkdirat, 2},     Mode{SYS_mknod, 1},  Mode{SYS_mknodat, 2}};
  for (const std::uint32_t bit : {S_ISUID, S_ISGID}) {
    for (const auto& mode : modes) check.deny_bits(mode.number, mode.argument, bit, "a mode with setuid or setgid");
    for (const std::uint32_t create : {O_CREAT, O_TMPFILE & ~O_DIRECTORY}) {
      check.deny(Check::of(SYS_open).argument(1, Bits::with(create)).argument(2, Bits::with(bit)),
                 "open of a new setuid or setgid file");
      check.deny(Check::of(SYS_openat).argument(2, Bits::with(create)).argument(3, Bits::with(bit)),
                 "openat of a new setuid or setgid file");
    }
  }
  for (const std::uint32_t type : {S_IFCHR, S_IFBLK}) {
    const Bits mode = Bits::with(type, S_IFMT & ~type);
    check.deny(Check::of(SYS_mknod).argument(1, mode), "mknod of a device");
    check.deny(Check::of(SYS_mknodat).argument(2, mode), "mknodat of a device");
  }
}

void sockets(Check& check) {
  for (std::uint32_t family = 0; family < 64; ++family) {
    if (family == AF_UNIX || family == AF_INET || family == AF_INET6 || family == AF_NETLINK) continue;
    check.deny_value(SYS_socket, 0, family, "a socket of family");
  }
  for (std::uint32_t bit = 64; bit != 0; bit <<= 1U) check.deny_bits(SYS_socket, 0, bit, "sockets of unknown families");
  for (std::uint32_t bit = 1; bit != 0; bit <<= 1U) {
    check.deny(Check::of(SYS_socket).argument(0, Bits::exactly(AF_NETLINK)).argument(2, Bits::with(bit)),
               "netlink other than ROUTE");
  }
  for (const std::uint32_t family : {AF_INET, AF_INET6}) {
    for (const std::uint32_t type : {SOCK_RAW, SOCK_PACKET}) {
      check.deny(Check::of(SYS_socket).argument(0, Bits::exactly(family)).argument(1, Bits::with(type, 0xF & ~type)),
                 "a raw socket");
    }
  }
}

void arguments(Check& check) {
  check.deny_value(SYS_ioctl, 1, TIOCSTI, "input to a terminal by ioctl");
  check.deny_value(SYS_ioctl, 1, TIOCLINUX, "the console's ioctl");
  check.deny_value(SYS_ioctl, 1, TIOCSETD, "line disciplines by ioctl");
  check.deny_value(SYS_prctl, 0, PR_SET_MM, "prctl");
  check.deny_bits(SYS_mmap, 3, MAP_HUGETLB, "memory of the host's huge pages");
  check.deny_bits(SYS_memfd_create, 1, MFD_HUGETLB, "memory files of the host's huge pages");
  check.deny_bits(SYS_shmget, 2, SHM_HUGETLB, "shared memory of the host's huge pages");
  check.deny(Check::of(SYS_seccomp)
                 .argument(0, Bits::exactly(SECCOMP_SET_MODE_FILTER))
                 .argument(1, Bits::with(SECCOMP_FILTER_FLAG_NEW_LISTENER)),
             "seccomp listeners");
  // All ones asks for the current personality; any other value with this bit makes memory executable.
  check.deny_bits(SYS_personality, 0, READ_IMPLIES_EXEC, "personality that makes memory executable", 1);
}

}  // namespace

Result<> check_filter(std::span<const sock_filter> filter) {
  const SeccompProgram program = AGENTOS_TRY(SeccompProgram::parse(filter));
  Check check(program);
  other_tables(check);
  for (const long number : never) check.deny(Check::of(number), "system call", number);
  namespaces(check);
  set_id_bits(check);
  sockets(check);
  arguments(check);
  return std::move(check).take();
}

}  // namespace agentos::sandbox
