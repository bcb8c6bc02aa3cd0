#include "sandbox/compile/filter_invariants.hpp"

#include <fcntl.h>
#include <linux/netlink.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include <gmock/gmock.h>

#include "calls.hpp"

namespace agentos::sandbox {
namespace {

using testing::HasSubstr;
using Program = std::vector<sock_filter>;

TEST(CheckFilter, TakesTheFilterOfAgents) {
  const auto filter = make_filter();
  ASSERT_TRUE(filter);
  const auto checked = check_filter(*filter);
  EXPECT_TRUE(checked) << checked.error().message();
}

TEST(CheckFilter, IsQuick) {
  const auto filter = make_filter();
  auto best = std::chrono::nanoseconds::max();
  for (int round = 0; round < 50; ++round) {
    const auto begin = std::chrono::steady_clock::now();
    ASSERT_TRUE(check_filter(*filter));
    best = std::min<std::chrono::nanoseconds>(best, std::chrono::steady_clock::now() - begin);
  }
  RecordProperty("nanoseconds", static_cast<int>(best.count()));
  EXPECT_LT(best, std::chrono::milliseconds(5));  // 0.1 ms in a release build; this holds under sanitizers too
}

TEST(CheckFilter, RefusesNoFilterAndFiltersThatAllow) {
  EXPECT_EQ(check_filter({}).error().kind(), ErrorKind::invalid);
  for (const std::uint32_t action : {SECCOMP_RET_ALLOW, SECCOMP_RET_LOG, SECCOMP_RET_TRACE, SECCOMP_RET_USER_NOTIF}) {
    const auto checked = check_filter(Program{BPF_STMT(BPF_RET | BPF_K, action)});
    ASSERT_FALSE(checked);
    EXPECT_EQ(checked.error().kind(), ErrorKind::forbidden);
  }
  EXPECT_TRUE(check_filter(Program{BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS)}));
}

// A filter that would be good but that the answer depends on what the kernel would compute: refused, not guessed.
TEST(CheckFilter, RefusesComputedAnswers) {
  EXPECT_FALSE(
      check_filter(Program{BPF_STMT(BPF_LD | BPF_IMM, SECCOMP_RET_KILL_PROCESS), BPF_STMT(BPF_RET | BPF_A, 0)}));
}

// The filter of agents, and in front of it one call that it lets through: exactly this one, down to each argument.
struct Hole {
  const char* name;
  seccomp_data call;
  std::string told;  // what the error must name

  friend std::ostream& operator<<(std::ostream& to, const Hole& hole) { return to << hole.name; }
};

Program with_hole(const seccomp_data& call) {
  Program program;
  const auto* words = reinterpret_cast<const std::uint32_t*>(&call);
  constexpr std::size_t count = sizeof(seccomp_data) / 4;
  std::vector<std::size_t> compared{0, 1};
  for (std::size_t at = 4; at < count; ++at) compared.push_back(at);  // not the instruction pointer
  for (std::size_t i = 0; i < compared.size(); ++i) {
    const auto behind = static_cast<std::uint8_t>(2 * (compared.size() - i - 1) + 1);
    program.push_back(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<std::uint32_t>(4 * compared[i])));
    program.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, words[compared[i]], 0, behind));
  }
  program.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
  const auto filter = make_filter();
  program.insert(program.end(), filter->begin(), filter->end());
  return program;
}

class CheckFilterHole : public testing::TestWithParam<Hole> {};

TEST_P(CheckFilterHole, IsFound) {
  const auto& [name, call, told] = GetParam();
  const auto program = with_hole(call);
  ASSERT_EQ(SeccompProgram::parse(program)->evaluate(call), allowed);  // the hole is one
  ASSERT_NE(agent_filter().evaluate(call), allowed);                   // and the filter has it not
  const auto checked = check_filter(program);
  ASSERT_FALSE(checked);
  EXPECT_EQ(checked.error().kind(), ErrorKind::forbidden);
  EXPECT_THAT(checked.error().message(), HasSubstr(told));
}

constexpr Argument at_cwd = static_cast<Argument>(AT_FDCWD);

INSTANTIATE_TEST_SUITE_P(
    Each, CheckFilterHole,
    testing::Values(
        Hole{"mount", data_of(SYS_mount, {1, 2, 3, 0x1000, 0}), "system call 165"},
        Hole{"umount2", data_of(SYS_umount2, {1}), "166"}, Hole{"pivot_root", data_of(SYS_pivot_root), "155"},
        Hole{"chroot", data_of(SYS_chroot, {7}), "161"}, Hole{"open_tree", data_of(SYS_open_tree), "428"},
        Hole{"move_mount", data_of(SYS_move_mount), "429"}, Hole{"fsopen", data_of(SYS_fsopen), "430"},
        Hole{"mount_setattr", data_of(SYS_mount_setattr), "442"}, Hole{"setns", data_of(SYS_setns, {9}), "308"},
        Hole{"clone3", data_of(SYS_clone3, {1, 88}), "435"}, Hole{"openat2", data_of(SYS_openat2), "437"},
        Hole{"ptrace", data_of(SYS_ptrace, {16, 42}), "101"},
        Hole{"process_vm_writev", data_of(SYS_process_vm_writev), "311"},
        Hole{"pidfd_getfd", data_of(SYS_pidfd_getfd), "438"}, Hole{"bpf", data_of(SYS_bpf, {5}), "321"},
        Hole{"perf_event_open", data_of(SYS_perf_event_open), "298"},
        Hole{"userfaultfd", data_of(SYS_userfaultfd, {1}), "323"},
        Hole{"io_uring_setup", data_of(SYS_io_uring_setup, {8}), "425"},
        Hole{"io_setup", data_of(SYS_io_setup, {8}), "206"},
        Hole{"huge_pages", data_of(SYS_mmap, {0, 4096, 0, MAP_HUGETLB}), "huge pages"},
        Hole{"keyctl", data_of(SYS_keyctl, {11}), "250"}, Hole{"add_key", data_of(SYS_add_key), "248"},
        Hole{"open_by_handle_at", data_of(SYS_open_by_handle_at), "304"},
        Hole{"init_module", data_of(SYS_init_module), "175"}, Hole{"kexec_load", data_of(SYS_kexec_load), "246"},
        Hole{"reboot", data_of(SYS_reboot, {0xfee1dead}), "169"}, Hole{"syslog", data_of(SYS_syslog, {3}), "103"},
        Hole{"modify_ldt", data_of(SYS_modify_ldt, {1}), "154"},
        Hole{"clone_newuser", data_of(SYS_clone, {CLONE_NEWUSER | SIGCHLD}), "clone"},
        Hole{"clone_newnet_among_others", data_of(SYS_clone, {CLONE_NEWNET | CLONE_NEWNS | CLONE_FS}), "clone"},
        Hole{"unshare_newns", data_of(SYS_unshare, {CLONE_NEWNS}), "unshare"},
        Hole{"unshare_time", data_of(SYS_unshare, {0x80}), "time"},
        Hole{"packet_socket", data_of(SYS_socket, {AF_PACKET, SOCK_RAW, 768}), "family 17"},
        Hole{"packet_socket_high", data_of(SYS_socket, {high | AF_PACKET, SOCK_RAW, 768}), "family 17"},
        Hole{"vsock", data_of(SYS_socket, {AF_VSOCK, SOCK_STREAM}), "family 40"},
        Hole{"unknown_family", data_of(SYS_socket, {77, SOCK_STREAM}), "unknown families"},
        Hole{"netlink_audit", data_of(SYS_socket, {AF_NETLINK, SOCK_RAW, NETLINK_AUDIT}), "netlink"},
        Hole{"raw_socket", data_of(SYS_socket, {AF_INET, SOCK_RAW | SOCK_CLOEXEC, 1}), "raw socket"},
        Hole{"raw_socket_6", data_of(SYS_socket, {AF_INET6, SOCK_RAW, 58}), "raw socket"},
        Hole{"tiocsti", data_of(SYS_ioctl, {0, TIOCSTI, 9}), "terminal"},
        Hole{"tiocsti_high", data_of(SYS_ioctl, {0, high | TIOCSTI, 9}), "terminal"},
        Hole{"tioclinux", data_of(SYS_ioctl, {0, TIOCLINUX}), "console"},
        Hole{"chmod_setuid", data_of(SYS_chmod, {1, 04755}), "setuid"},
        Hole{"fchmod_setgid", data_of(SYS_fchmod, {3, 02755}), "setuid"},
        Hole{"fchmodat2_setuid", data_of(call::fchmodat2, {at_cwd, 1, 04755}), "setuid"},
        Hole{"mkdir_setgid", data_of(SYS_mkdir, {1, 02755}), "setuid"},
        Hole{"open_setuid", data_of(SYS_open, {1, O_CREAT | O_WRONLY, 04755}), "open of a new"},
        Hole{"openat_tmpfile_setuid", data_of(SYS_openat, {at_cwd, 1, O_TMPFILE | O_RDWR, 04755}), "openat of a new"},
        Hole{"mknod_device", data_of(SYS_mknod, {1, S_IFCHR | 0666, 0x101}), "device"},
        Hole{"mknodat_disk", data_of(SYS_mknodat, {at_cwd, 1, S_IFBLK | 0666, 0x800}), "device"},
        Hole{"seccomp_listener", data_of(SYS_seccomp, {1, 8, 7}), "listener"},
        Hole{"prctl_mm", data_of(SYS_prctl, {PR_SET_MM, 13}), "prctl"},
        Hole{"personality", data_of(SYS_personality, {READ_IMPLIES_EXEC}), "personality"},
        Hole{"i386", data_of(5, {1}, AUDIT_ARCH_I386), "i386"},
        Hole{"x32", data_of(static_cast<int>(call::x32_bit | 59U)), "x32"},
        Hole{"negative", data_of(static_cast<int>(0x80000005U)), "negative"},
        Hole{"tomorrow", data_of(call::newest + 1), "unknown system call"},
        Hole{"far_tomorrow", data_of(0x2000), "unknown system call"}),
    [](const auto& test) { return std::string(test.param.name); });

// The trick of CVE-2019-10063: a check that compares all 64 bits of what the kernel takes as 32.
TEST(CheckFilter, RefusesAComparisonOfTooManyBits) {
  const auto filter = make_filter();
  const auto ioctl_filter = [&](bool careless) {
    // if nr == ioctl: if (careless and high half != 0) or low half != TIOCSTI: allow; then what the filter says
    Program program{BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
                    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_ioctl, 0, 3),
                    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, args) + 12),
                    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0),
                    BPF_STMT(BPF_RET | BPF_K, careless ? SECCOMP_RET_ALLOW : SECCOMP_RET_ERRNO | EPERM)};
    program.insert(program.end(), filter->begin(), filter->end());
    return program;
  };
  EXPECT_FALSE(check_filter(ioctl_filter(true)));
}

}  // namespace
}  // namespace agentos::sandbox
