#include "sandbox/compile/seccomp.hpp"

#include <fcntl.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <map>
#include <random>
#include <set>
#include <string>

#include <gmock/gmock.h>

#include "calls.hpp"
#include "sandbox/compile/bpf_outcomes.hpp"
#include "sandbox/compile/seccomp_sets.hpp"

// Group D of what an agent must not be able to do: each denial beside the allowed call that differs in one thing.
namespace agentos::sandbox {
namespace {

TEST(AgentFilter, IsShort) {
  const auto filter = make_filter();
  ASSERT_TRUE(filter) << filter.error().message();
  RecordProperty("instructions", static_cast<int>(filter->size()));
  EXPECT_LT(filter->size(), 1000U);  // the kernel takes 4096, the plan's packet 96 KiB
}

TEST(AgentFilter, EverySystemCallIsInOneSet) {
  std::map<int, std::string> set_of;
  for (const auto& set : call_sets()) {
    for (const int number : set.calls) {
      const auto [there, added] = set_of.emplace(number, set.name);
      EXPECT_TRUE(added) << number << " is in " << there->second << " and in " << set.name;
    }
  }
  for (int number = 0; number <= call::newest; ++number) {
    const bool exists = number <= call::uprobe || number >= call::first_unified;
    EXPECT_EQ(set_of.contains(number), exists) << number;
  }
}

TEST(AgentFilter, AnswersAsTheSetsSay) {
  Outcomes outcomes(agent_filter());
  for (const auto& set : call_sets()) {
    for (const int number : set.calls) {
      const auto& possible = outcomes.of(CallPattern(Bits::exactly(static_cast<std::uint32_t>(number))));
      switch (set.verdict) {
        case Verdict::allow:
          EXPECT_THAT(possible, testing::ElementsAre(allowed)) << number;
          break;
        case Verdict::refuse:
          EXPECT_THAT(possible, testing::ElementsAre(refused(EPERM))) << number;
          break;
        case Verdict::not_there:
          EXPECT_THAT(possible, testing::ElementsAre(refused(ENOSYS))) << number;
          break;
        case Verdict::by_argument:
          EXPECT_THAT(possible, testing::Contains(allowed)) << number;
          EXPECT_GE(possible.size(), 2U) << number;
          break;
      }
    }
  }
}

TEST(AgentFilter, UnknownNumbersAreNotThere) {
  for (const int number :
       {call::uprobe + 1, 400, call::first_unified - 1, call::newest + 1, 511, 547, 1000, 0x3FFFFFFF}) {
    EXPECT_EQ(answer(number), refused(ENOSYS)) << number;
  }
  EXPECT_EQ(answer(call::newest), refused(ENOSYS));
  EXPECT_EQ(answer(-1), refused(EPERM));  // what a tracer leaves behind
}

TEST(AgentFilter, KillsOtherArchitectures) {
  EXPECT_EQ(answer(SYS_getpid), allowed);
  for (const auto architecture :
       std::initializer_list<std::uint32_t>{AUDIT_ARCH_I386, AUDIT_ARCH_AARCH64, AUDIT_ARCH_ARM, 0U}) {
    for (int number = 0; number < 600; ++number) {
      ASSERT_EQ(agent_filter().evaluate(data_of(number, {}, architecture)), killed) << architecture << " " << number;
    }
  }
}

TEST(AgentFilter, KillsX32) {
  for (unsigned number = 0; number < 600; ++number) {
    ASSERT_EQ(answer(static_cast<int>(call::x32_bit | number)), killed) << number;
  }
  EXPECT_EQ(answer(static_cast<int>(0x80000000)), killed);
}

TEST(AgentFilter, GivesNoHugePagesOfTheHost) {
  constexpr Argument plain = MAP_PRIVATE | MAP_ANONYMOUS;
  EXPECT_EQ(answer(SYS_mmap, {0, 4096, PROT_READ, plain}), allowed);
  EXPECT_EQ(answer(SYS_mmap, {0, 2 << 20, PROT_READ, plain | MAP_HUGETLB}), refused(ENOMEM));
  EXPECT_EQ(answer(SYS_mmap, {0, 2 << 20, PROT_READ, high | plain | MAP_HUGETLB}), refused(ENOMEM));
  EXPECT_EQ(answer(SYS_memfd_create, {0, MFD_CLOEXEC}), allowed);
  EXPECT_EQ(answer(SYS_memfd_create, {0, MFD_CLOEXEC | MFD_HUGETLB}), refused(ENOMEM));
  EXPECT_EQ(answer(SYS_shmget, {0, 4096, IPC_CREAT | 0600}), allowed);
  EXPECT_EQ(answer(SYS_shmget, {0, 2 << 20, SHM_HUGETLB | IPC_CREAT | 0600}), refused(ENOMEM));
}

TEST(AgentFilter, ClonesThreadsAndProcessesButNoNamespaces) {
  constexpr Argument thread = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM |
                              CLONE_SETTLS | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID;
  EXPECT_EQ(answer(SYS_clone, {thread}), allowed);
  EXPECT_EQ(answer(SYS_clone, {CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID | SIGCHLD}), allowed);
  EXPECT_EQ(answer(SYS_clone, {CLONE_VM | CLONE_VFORK | SIGCHLD}), allowed);
  for (const Argument flag :
       {CLONE_NEWNS, CLONE_NEWCGROUP, CLONE_NEWUTS, CLONE_NEWIPC, CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET}) {
    EXPECT_EQ(answer(SYS_clone, {flag | SIGCHLD}), refused(EPERM)) << flag;
    EXPECT_EQ(answer(SYS_clone, {thread | flag}), refused(EPERM)) << flag;
    EXPECT_EQ(answer(SYS_clone, {high | flag | SIGCHLD}), refused(EPERM)) << flag;
    EXPECT_EQ(answer(SYS_unshare, {flag}), refused(EPERM)) << flag;
    EXPECT_EQ(answer(SYS_unshare, {high | flag}), refused(EPERM)) << flag;
  }
  EXPECT_EQ(answer(SYS_unshare, {CLONE_FILES | CLONE_FS}), allowed);
  EXPECT_EQ(answer(SYS_unshare, {0x80}), refused(EPERM));  // CLONE_NEWTIME
  EXPECT_EQ(answer(SYS_clone3), refused(ENOSYS));          // libc then takes clone
  EXPECT_EQ(answer(SYS_setns, {3, CLONE_NEWNET}), refused(EPERM));
  EXPECT_EQ(answer(SYS_fork), allowed);
  EXPECT_EQ(answer(SYS_vfork), allowed);
}

TEST(AgentFilter, OpensSocketsOfFourFamilies) {
  for (const Argument family : {AF_UNIX, AF_INET, AF_INET6}) {
    EXPECT_EQ(answer(SYS_socket, {family, SOCK_STREAM | SOCK_CLOEXEC, 0}), allowed) << family;
    EXPECT_EQ(answer(SYS_socket, {family, SOCK_DGRAM | SOCK_NONBLOCK, 0}), allowed) << family;
  }
  EXPECT_EQ(answer(SYS_socket, {AF_INET, SOCK_STREAM, IPPROTO_TCP}), allowed);
  EXPECT_EQ(answer(SYS_socket, {AF_INET6, SOCK_DGRAM, IPPROTO_UDP}), allowed);
  EXPECT_EQ(answer(SYS_socket, {AF_INET, SOCK_STREAM, 262}), allowed);  // MPTCP, Go's default for listeners
  for (Argument family = 0; family < 0x20000; ++family) {
    if (family == AF_UNIX || family == AF_INET || family == AF_INET6 || family == AF_NETLINK) continue;
    ASSERT_EQ(answer(SYS_socket, {family, SOCK_DGRAM, 0}), refused(EAFNOSUPPORT)) << family;
    ASSERT_EQ(answer(SYS_socket, {high | family, SOCK_DGRAM, 0}), refused(EAFNOSUPPORT)) << family;
  }
  EXPECT_EQ(answer(SYS_socket, {0x80000001, SOCK_STREAM, 0}), refused(EAFNOSUPPORT));
}

TEST(AgentFilter, OpensOfNetlinkOnlyRoute) {
  EXPECT_EQ(answer(SYS_socket, {AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE}), allowed);
  for (Argument protocol = 1; protocol < 64; ++protocol) {
    ASSERT_EQ(answer(SYS_socket, {AF_NETLINK, SOCK_RAW, protocol}), refused(EPROTONOSUPPORT)) << protocol;
    ASSERT_NE(answer(SYS_socket, {high | AF_NETLINK, SOCK_RAW, protocol}), allowed) << protocol;
  }
  EXPECT_NE(answer(SYS_socket, {AF_NETLINK, SOCK_RAW, high | NETLINK_AUDIT}), allowed);
}

TEST(AgentFilter, OpensNoRawSockets) {
  for (const Argument family : {AF_INET, AF_INET6}) {
    EXPECT_EQ(answer(SYS_socket, {family, SOCK_DGRAM, IPPROTO_ICMP}),
              allowed);  // the kernel's ping_group_range decides
    for (const Argument type : {SOCK_RAW, SOCK_PACKET}) {
      EXPECT_EQ(answer(SYS_socket, {family, type, IPPROTO_TCP}), refused(EPERM));
      EXPECT_EQ(answer(SYS_socket, {family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_TCP}), refused(EPERM));
      EXPECT_NE(answer(SYS_socket, {high | family, high | type, IPPROTO_TCP}), allowed);
    }
    const std::set<Argument> known{0, IPPROTO_TCP, IPPROTO_UDP, IPPROTO_ICMP, IPPROTO_ICMPV6, IPPROTO_MPTCP};
    for (Argument protocol = 0; protocol < 1024; ++protocol) {
      const auto expected = known.contains(protocol) ? allowed : refused(EPROTONOSUPPORT);
      EXPECT_EQ(answer(SYS_socket, {family, SOCK_STREAM, protocol}), expected) << protocol;
      EXPECT_NE(answer(SYS_socket, {high | family, SOCK_STREAM, protocol}), allowed) << protocol;
      EXPECT_TRUE(expected == allowed || answer(SYS_socket, {family, SOCK_STREAM, high | protocol}) != allowed);
    }
    EXPECT_EQ(answer(SYS_socket, {family, SOCK_STREAM, 0xFFFFFFFF}), refused(EPROTONOSUPPORT));
  }
  EXPECT_EQ(answer(SYS_socketpair, {AF_UNIX, SOCK_STREAM, 0}), allowed);
  EXPECT_EQ(answer(SYS_socketpair, {AF_TIPC, SOCK_STREAM, 0}), refused(EPERM));
}

TEST(AgentFilter, PutsNothingIntoTerminals) {
  for (const Argument command :
       std::initializer_list<Argument>{TCGETS, TIOCGWINSZ, TIOCGPTPEER, FIONREAD, TIOCSPTLCK, TIOCSCTTY, TIOCSIG}) {
    EXPECT_EQ(answer(SYS_ioctl, {0, command}), allowed) << command;
    EXPECT_EQ(answer(SYS_ioctl, {0, 0xFFFFFFFF00000000 | command}), allowed) << command;  // an int, sign-extended
  }
  for (const Argument command : {TIOCSTI, TIOCLINUX, TIOCSETD}) {
    EXPECT_EQ(answer(SYS_ioctl, {0, command}), refused(EPERM)) << command;
    EXPECT_EQ(answer(SYS_ioctl, {0, high | command}), refused(EPERM)) << command;  // CVE-2019-10063
    EXPECT_EQ(answer(SYS_ioctl, {high, 0x100000000 | command}), refused(EPERM)) << command;
  }
}

TEST(AgentFilter, MakesNoSetIdFiles) {
  struct Case {
    int number;
    std::size_t at;
  };
  constexpr std::array cases{Case{SYS_chmod, 1},       Case{SYS_fchmod, 1}, Case{SYS_fchmodat, 2},
                             Case{call::fchmodat2, 2}, Case{SYS_creat, 1},  Case{SYS_mkdir, 1},
                             Case{SYS_mkdirat, 2},     Case{SYS_mknod, 1},  Case{SYS_mknodat, 2}};
  for (const auto& [number, at] : cases) {
    const auto with_mode = [&](Argument mode) {
      return at == 1 ? answer(number, {3, mode}) : answer(number, {3, 4, mode});
    };
    EXPECT_EQ(with_mode(0755), allowed) << number;
    EXPECT_EQ(with_mode(01777), allowed) << number;
    EXPECT_EQ(with_mode(high | 0644), allowed) << number;
    for (const Argument mode : {04755, 02755, 06777}) {
      EXPECT_EQ(with_mode(mode), refused(EPERM)) << number;
      EXPECT_EQ(with_mode(high | mode), refused(EPERM)) << number;
    }
  }
}

TEST(AgentFilter, CreatesNoSetIdFilesByOpen) {
  const auto open = [](Argument flags, Argument mode) {
    const auto direct = answer(SYS_open, {0, flags, mode});
    EXPECT_EQ(direct, answer(SYS_openat, {static_cast<Argument>(AT_FDCWD), 0, flags, mode}));
    return direct;
  };
  EXPECT_EQ(open(O_RDWR | O_CREAT | O_EXCL, 0644), allowed);
  EXPECT_EQ(open(O_RDWR | O_TMPFILE, 0644), allowed);
  EXPECT_EQ(open(O_RDONLY | O_DIRECTORY | O_CLOEXEC, 06777), allowed);  // no file is made: the mode is left over
  for (const Argument mode : {04755, 02755, 06000}) {
    EXPECT_EQ(open(O_WRONLY | O_CREAT, mode), refused(EPERM));
    EXPECT_EQ(open(O_WRONLY | O_TMPFILE, mode), refused(EPERM));  // linkat gives it a name
    EXPECT_EQ(open(high | O_WRONLY | O_CREAT, high | mode), refused(EPERM));
  }
  EXPECT_EQ(answer(SYS_openat2), refused(ENOSYS));
}

TEST(AgentFilter, MakesNoDevices) {
  for (const Argument type : {Argument{0}, Argument{S_IFREG}, Argument{S_IFIFO}, Argument{S_IFSOCK}}) {
    EXPECT_EQ(answer(SYS_mknod, {0, type | 0644}), allowed) << type;
    EXPECT_EQ(answer(SYS_mknodat, {0, 0, type | 0644}), allowed) << type;
  }
  for (const Argument type : {Argument{S_IFCHR}, Argument{S_IFBLK}}) {
    EXPECT_EQ(answer(SYS_mknod, {0, type | 0644}), refused(EPERM)) << type;
    EXPECT_EQ(answer(SYS_mknodat, {0, 0, high | type | 0644}), refused(EPERM)) << type;
  }
}

TEST(AgentFilter, KeepsPersonalityHarmless) {
  for (const Argument value : {0UL, 0xFFFFFFFFUL, 0xFFFFFFFFFFFFFFFFUL, Argument{ADDR_NO_RANDOMIZE}}) {
    EXPECT_EQ(answer(SYS_personality, {value}), allowed) << value;
  }
  for (const Argument value :
       {Argument{READ_IMPLIES_EXEC}, Argument{READ_IMPLIES_EXEC | ADDR_NO_RANDOMIZE}, Argument{MMAP_PAGE_ZERO}}) {
    EXPECT_EQ(answer(SYS_personality, {value}), refused(EPERM)) << value;
    EXPECT_EQ(answer(SYS_personality, {high | value}), refused(EPERM)) << value;
  }
}

TEST(AgentFilter, LetsProgramsNarrowThemselvesOnly) {
  EXPECT_EQ(answer(SYS_seccomp, {SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC}), allowed);
  EXPECT_EQ(answer(SYS_prctl, {PR_SET_SECCOMP, SECCOMP_MODE_FILTER}), allowed);
  EXPECT_EQ(answer(SYS_landlock_restrict_self), allowed);
  EXPECT_EQ(answer(SYS_seccomp, {SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER}), refused(EPERM));
  EXPECT_EQ(answer(SYS_seccomp, {SECCOMP_SET_MODE_FILTER, high | SECCOMP_FILTER_FLAG_NEW_LISTENER | 1}),
            refused(EPERM));
  EXPECT_EQ(answer(SYS_prctl, {PR_SET_MM}), refused(EPERM));
  EXPECT_EQ(answer(SYS_prctl, {high | PR_SET_MM}), refused(EPERM));
  EXPECT_EQ(answer(SYS_prctl, {PR_SET_NAME}), allowed);
}

TEST(AgentFilter, LetsInitBecomeTheAgent) {
  for (const int number :
       {SYS_setresuid, SYS_setresgid, SYS_setgroups, SYS_setfsuid, SYS_capset, SYS_kill, SYS_execve, SYS_setsid,
        SYS_waitid, SYS_signalfd4, SYS_pidfd_open, SYS_dup2, SYS_close_range, SYS_sendmsg, SYS_accept4}) {
    EXPECT_EQ(answer(number), allowed) << number;
  }
  EXPECT_EQ(answer(SYS_prctl, {PR_CAPBSET_DROP}), allowed);
  EXPECT_EQ(answer(SYS_prctl, {PR_CAP_AMBIENT}), allowed);
}

// One plain statement of the rules on arguments, against the filter, over random calls.
std::uint32_t expected(int number, const std::array<Argument, 6>& a) {
  const auto low = [&](std::size_t i) { return static_cast<std::uint32_t>(a[i]); };
  const auto unless = [](bool bad) { return bad ? refused(EPERM) : allowed; };
  constexpr std::uint32_t creates = O_CREAT | 020000000;
  switch (number) {
    case SYS_clone:
      return unless((low(0) & 0x7E020000) != 0);
    case SYS_chmod:
    case SYS_fchmod:
      return unless((low(1) & 06000) != 0);
    case SYS_open:
      return unless((low(1) & creates) != 0 && (low(2) & 06000) != 0);
    case SYS_openat:
      return unless((low(2) & creates) != 0 && (low(3) & 06000) != 0);
    case SYS_ioctl:
      return unless(low(1) == 0x5412 || low(1) == 0x541C || low(1) == 0x5423);
    case SYS_prctl:
      return unless(low(0) == 35);
    case SYS_seccomp:
      return unless((low(1) & 8) != 0);
    default:
      return unless((low(1) & 06000) != 0 || ((low(1) & S_IFMT) != 0 && (low(1) & S_IFMT) != S_IFREG &&
                                              (low(1) & S_IFMT) != S_IFIFO && (low(1) & S_IFMT) != S_IFSOCK));  // mknod
  }
}

TEST(AgentFilter, AgreesWithThePlainStatement) {
  std::mt19937_64 random(31);
  constexpr std::array numbers{SYS_clone, SYS_chmod, SYS_fchmod,  SYS_open, SYS_openat,
                               SYS_ioctl, SYS_prctl, SYS_seccomp, SYS_mknod};
  constexpr std::array<Argument, 8> likely{TIOCSTI, TIOCLINUX, TIOCSETD, O_CREAT, 04000, PR_SET_MM, 8, CLONE_NEWUSER};
  std::map<std::uint32_t, int> answers;
  for (int round = 0; round < 200'000; ++round) {
    std::array<Argument, 6> a{};
    for (auto& argument : a) {
      argument = random() % 2 == 0 ? likely[random() % likely.size()] : random() & random() & random();
      if (random() % 2 == 0) argument |= random() << 32U;
    }
    const int number = numbers[random() % numbers.size()];
    const auto given = answer(number, {a[0], a[1], a[2], a[3], a[4], a[5]});
    ASSERT_EQ(given, expected(number, a))
        << number << " " << std::hex << a[0] << " " << a[1] << " " << a[2] << " " << a[3];
    ++answers[given];
  }
  EXPECT_GT(answers[allowed], 20'000);
  EXPECT_GT(answers[refused(EPERM)], 20'000);
}

}  // namespace
}  // namespace agentos::sandbox
