#include "sandbox/compile/seccomp.hpp"

#include <fcntl.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <initializer_list>
#include <memory>

#include "sandbox/compile/seccomp_sets.hpp"
#include "sandbox/compile/system_calls.hpp"

// Two libseccomp programs in a row. The first is an allow-list: what is in no set, or fits no condition, is refused.
// What it allows goes on to the second, a deny-list for arguments where libseccomp can say "not this" but not "all but
// this". A call passes when both let it pass.
namespace agentos::sandbox {
namespace {

constexpr std::uint32_t set_id = S_ISUID | S_ISGID;

class Builder {
 public:
  explicit Builder(std::uint32_t fallback) : context_(nullptr, ::seccomp_release) {
    // Left alone, libseccomp asks the running kernel what it can do, and under agentosd's own filter gets no answer.
    // Level 3 (KILL_PROCESS, Linux 4.14) is less than agents need in any case.
    note(::seccomp_api_set(3));
    context_.reset(::seccomp_init(fallback));
    note(context_ ? 0 : -ENOMEM);
    note(::seccomp_attr_set(context_.get(), SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS));
    note(::seccomp_attr_set(context_.get(), SCMP_FLTATR_CTL_OPTIMIZE, 2));  // binary tree over the numbers
  }

  void rule(std::uint32_t action, int number, std::initializer_list<scmp_arg_cmp> conditions = {}) {
    note(::seccomp_rule_add_exact_array(context_.get(), action, number, static_cast<unsigned>(conditions.size()),
                                        conditions.begin()));
  }

  [[nodiscard]] Result<std::vector<sock_filter>> take() && {
    if (error_ != 0) return fail_errno(-error_, "make the seccomp filter");
    const int file = ::memfd_create("seccomp", MFD_CLOEXEC);
    if (file < 0) return fail_errno("make the seccomp filter");
    note(::seccomp_export_bpf(context_.get(), file));
    std::vector<sock_filter> program(static_cast<std::size_t>(::lseek(file, 0, SEEK_END)) / sizeof(sock_filter));
    const auto size = static_cast<ssize_t>(program.size() * sizeof(sock_filter));
    if (::pread(file, program.data(), static_cast<std::size_t>(size), 0) != size) note(-EIO);
    ::close(file);
    if (error_ != 0) return fail_errno(-error_, "export the seccomp filter");
    return program;
  }

 private:
  void note(int result) {
    if (error_ == 0) error_ = result;
  }

  std::unique_ptr<void, void (*)(scmp_filter_ctx)> context_;
  int error_{};
};

// The kernel takes these arguments as 32 bits and ignores the rest, so the rest must not decide (CVE-2019-10063): every
// comparison that lets a call pass or stops it looks at the low half alone, or fails closed on the high one.
scmp_arg_cmp bits(unsigned argument, std::uint64_t mask, std::uint64_t value) {
  return SCMP_CMP(argument, SCMP_CMP_MASKED_EQ, mask, value);
}
scmp_arg_cmp low(unsigned argument, std::uint32_t value) {
  return bits(argument, 0xFFFFFFFF, value);
}

constexpr std::uint32_t allow = SCMP_ACT_ALLOW;

// A new file's mode counts when the open creates one. O_TMPFILE creates too, and linkat(2) gives that file a name.
void allow_open(Builder& to, int number, unsigned flags) {
  constexpr std::uint32_t creates = O_CREAT | (O_TMPFILE & ~O_DIRECTORY);
  to.rule(allow, number, {bits(flags, creates, 0)});
  to.rule(allow, number, {bits(flags + 1, set_id, 0)});
}

void allow_mknod(Builder& to, int number, unsigned mode) {
  for (const std::uint32_t type : {0, S_IFREG, S_IFIFO, S_IFSOCK})
    to.rule(allow, number, {bits(mode, S_IFMT | set_id, type)});
}

void add_conditions(Builder& to, bool strict) {
  allow_open(to, SYS_open, 1);
  allow_open(to, SYS_openat, 2);
  // systemd's RestrictSUIDSGID=: the workspace is id-mapped, so a setuid file in it would be a host user's.
  to.rule(allow, SYS_creat, {bits(1, set_id, 0)});
  to.rule(allow, SYS_chmod, {bits(1, set_id, 0)});
  to.rule(allow, SYS_fchmod, {bits(1, set_id, 0)});
  to.rule(allow, SYS_fchmodat, {bits(2, set_id, 0)});
  to.rule(allow, call::fchmodat2, {bits(2, set_id, 0)});
  to.rule(allow, SYS_mkdir, {bits(1, set_id, 0)});
  to.rule(allow, SYS_mkdirat, {bits(2, set_id, 0)});
  allow_mknod(to, SYS_mknod, 1);
  allow_mknod(to, SYS_mknodat, 2);
  constexpr std::uint32_t new_namespace =
      CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET;
  to.rule(allow, SYS_clone, {bits(0, new_namespace, 0)});
  constexpr std::uint64_t unshared = CLONE_FILES | CLONE_FS | CLONE_SYSVSEM | CLONE_SIGHAND | CLONE_VM | CLONE_THREAD;
  if (!strict) to.rule(allow, SYS_unshare, {bits(0, ~unshared, 0)});
  to.rule(allow, SYS_socketpair, {low(0, AF_UNIX)});
  // 0xffffffff asks. Without address randomisation a program only weakens itself; debuggers and sanitizers want it.
  for (const std::uint32_t value :
       {std::uint32_t{PER_LINUX}, std::uint32_t{PER_LINUX32}, std::uint32_t{ADDR_NO_RANDOMIZE}, ~0U}) {
    if (!strict) to.rule(allow, SYS_personality, {low(0, value)});
  }
  for (const int number : {SYS_socket, SYS_ioctl, SYS_prctl, SYS_seccomp, SYS_mmap, SYS_memfd_create})
    to.rule(allow, number);  // see deny_list()
  if (!strict) to.rule(allow, SYS_shmget);
}

Result<std::vector<sock_filter>> allow_list(policy::Seccomp chosen) {
  Builder builder(SCMP_ACT_ERRNO(EPERM));
  const bool strict = chosen == policy::Seccomp::strict;
  for (const auto& set : call_sets()) {
    for (const int number : set.calls) {
      if (strict && strict_refuses(number)) continue;
      if (set.verdict == Verdict::allow) builder.rule(allow, number);
      if (set.verdict == Verdict::not_there) builder.rule(SCMP_ACT_ERRNO(ENOSYS), number);
    }
  }
  add_conditions(builder, strict);
  return std::move(builder).take();
}

void deny_sockets(Builder& to) {
  constexpr std::uint32_t no_family = SCMP_ACT_ERRNO(EAFNOSUPPORT);
  constexpr std::uint32_t no_protocol = SCMP_ACT_ERRNO(EPROTONOSUPPORT);
  for (std::uint32_t family = 0; family < AF_NETLINK; ++family) {
    if (family != AF_UNIX && family != AF_INET && family != AF_INET6) to.rule(no_family, SYS_socket, {low(0, family)});
  }
  to.rule(no_family, SYS_socket, {SCMP_A0(SCMP_CMP_GT, AF_NETLINK, 0)});  // 64 bits: any high half is too large
  // NETLINK_ROUTE is 0. The others reach audit, the crypto API, generic families of drivers, ...
  to.rule(no_protocol, SYS_socket, {low(0, AF_NETLINK), SCMP_A2(SCMP_CMP_NE, 0, 0)});
  for (const std::uint32_t family : {AF_INET, AF_INET6}) {
    for (const std::uint32_t type : {SOCK_RAW, SOCK_PACKET}) {  // SOCK_PACKET turns AF_INET into AF_PACKET
      to.rule(SCMP_ACT_ERRNO(EPERM), SYS_socket, {low(0, family), bits(1, 0xF, type)});
    }
  }
}

Result<std::vector<sock_filter>> deny_list(policy::Seccomp chosen) {
  Builder builder(allow);
  constexpr std::uint32_t refuse = SCMP_ACT_ERRNO(EPERM);
  if (chosen == policy::Seccomp::strict) {
    builder.rule(SCMP_ACT_ERRNO(EAFNOSUPPORT), SYS_socket, {SCMP_A0(SCMP_CMP_NE, AF_UNIX, 0)});
  } else {
    deny_sockets(builder);
  }
  // Putting characters into a terminal's input; line disciplines load modules, and n_gsm and others had holes.
  for (const std::uint32_t command : {TIOCSTI, TIOCLINUX, TIOCSETD}) builder.rule(refuse, SYS_ioctl, {low(1, command)});
  // Moves what /proc shows as command line and heap. Nothing needs it that may be an agent.
  builder.rule(refuse, SYS_prctl, {low(0, PR_SET_MM)});
  // Huge pages that an administrator has set aside for a database or a virtual machine are there for whoever comes
  // first, and no limit of the agent counts them. Programs take ENOMEM for "none left" and go on with ordinary ones.
  constexpr std::uint32_t none_left = SCMP_ACT_ERRNO(ENOMEM);
  builder.rule(none_left, SYS_mmap, {bits(3, MAP_HUGETLB, MAP_HUGETLB)});
  builder.rule(none_left, SYS_memfd_create, {bits(1, MFD_HUGETLB, MFD_HUGETLB)});
  builder.rule(none_left, SYS_shmget, {bits(2, SHM_HUGETLB, SHM_HUGETLB)});
  // A listener answers calls in the place of the kernel. Plain filters stay: programs narrow themselves.
  builder.rule(refuse, SYS_seccomp, {bits(1, SECCOMP_FILTER_FLAG_NEW_LISTENER, SECCOMP_FILTER_FLAG_NEW_LISTENER)});
  return std::move(builder).take();
}

// A range is what libseccomp cannot express: numbers that no kernel we know has are ENOSYS, so that programs of
// tomorrow fall back. All others, and all of other architectures, go on.
constexpr std::array unknown_numbers{
    sock_filter BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, arch)),
    sock_filter BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 0, 6),
    sock_filter BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
    sock_filter BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, call::x32_bit, 4, 0),
    sock_filter BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, call::newest, 2, 0),
    sock_filter BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, call::first_unified, 2, 0),
    sock_filter BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, call::uprobe, 0, 1),
    sock_filter BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
};

// Which protocols INET and INET6 sockets may have: another list of which libseccomp cannot say "all but these". Behind
// the others are modules with a long list of holes (DCCP, SCTP, L2TP, ...), and for every number that has none the
// kernel starts a program to look for one: as root, twice for each call, and outside the agent's group. What it lets
// pass, and all other calls, go on.
constexpr std::uint8_t behind = 15;  // instructions
constexpr std::array protocols{
    sock_filter BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, arch)),
    sock_filter BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 0, behind - 2),
    sock_filter BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
    sock_filter BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_socket, 0, behind - 4),
    sock_filter BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, args)),
    sock_filter BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_INET, 1, 0),
    sock_filter BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_INET6, 0, behind - 7),
    sock_filter BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, args) + 2 * sizeof(std::uint64_t)),
    sock_filter BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, behind - 9, 0),
    sock_filter BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_TCP, behind - 10, 0),
    sock_filter BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_UDP, behind - 11, 0),
    sock_filter BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_ICMP, behind - 12, 0),
    sock_filter BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_ICMPV6, behind - 13, 0),
    sock_filter BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_MPTCP, behind - 14, 0),
    sock_filter BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPROTONOSUPPORT),
};
static_assert(protocols.size() == behind);

}  // namespace

Result<std::vector<sock_filter>> make_filter(policy::Seccomp set) {
  auto first = AGENTOS_TRY(allow_list(set));
  const auto second = AGENTOS_TRY(deny_list(set));
  // "Allow" in the first program becomes a jump behind its end, where the second begins.
  for (std::size_t at = 0; at < first.size(); ++at) {
    if (first[at].code == (BPF_RET | BPF_K) && first[at].k == SECCOMP_RET_ALLOW) {
      first[at] = BPF_STMT(BPF_JMP | BPF_JA, static_cast<std::uint32_t>(first.size() - at - 1));
    }
  }
  std::vector<sock_filter> filter(unknown_numbers.begin(), unknown_numbers.end());
  filter.insert(filter.end(), protocols.begin(), protocols.end());
  filter.insert(filter.end(), first.begin(), first.end());
  filter.insert(filter.end(), second.begin(), second.end());
  return filter;
}

}  // namespace agentos::sandbox
