#include "sandbox/compile/landlock.hpp"

#include <linux/landlock.h>

#include <algorithm>
#include <string_view>

#include <gmock/gmock.h>

namespace agentos::sandbox {
namespace {

constexpr std::uint64_t truncate_right = 1U << 14;
constexpr std::uint64_t ioctl_right = 1U << 15;

std::uint64_t access(const LandlockRules& rules, std::string_view path) {
  std::uint64_t rights = 0;
  for (const auto& rule : rules.beneath) {
    if (rule.path == path) rights |= rule.access;
  }
  return rights;
}

LandlockRules rules_of(std::uint32_t abi, const char* workspace) {
  SandboxRequest request;
  request.workspace = workspace;
  return landlock_rules(abi, request);
}

TEST(LandlockRules, AreNoneWhereFilesCouldNotMove) {
  EXPECT_EQ(rules_of(0, "/w"), LandlockRules{});
  EXPECT_EQ(rules_of(1, "/w"), LandlockRules{});
}

TEST(LandlockRules, HandleAllThatTheKernelKnows) {
  EXPECT_EQ(rules_of(2, "/w").handled_fs, (1U << 14) - 1);
  EXPECT_EQ(rules_of(3, "/w").handled_fs, (1U << 15) - 1);
  EXPECT_EQ(rules_of(4, "/w").handled_fs, (1U << 15) - 1);
  EXPECT_EQ(rules_of(5, "/w").handled_fs, (1U << 16) - 1);
  EXPECT_EQ(rules_of(5, "/w").scoped, 0U);
  EXPECT_EQ(rules_of(6, "/w").scoped, 3U);
  EXPECT_EQ(rules_of(7, "/w"), rules_of(6, "/w"));
}

// A rule with a right that is not handled, or none at all, is EINVAL or ENOMSG.
TEST(LandlockRules, GrantOnlyHandledRights) {
  for (std::uint32_t abi = 2; abi < 9; ++abi) {
    const auto rules = rules_of(abi, "/w");
    for (const auto& rule : rules.beneath) {
      EXPECT_EQ(rule.access & ~rules.handled_fs, 0U) << abi << rule.path;
      EXPECT_NE(rule.access, 0U) << abi << rule.path;
    }
  }
}

TEST(LandlockRules, LetTheAgentWriteOnlyItsOwn) {
  const auto rules = rules_of(7, "/home/alice/project");
  constexpr std::uint64_t writes = LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_MAKE_REG |
                                   LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_REFER |
                                   LANDLOCK_ACCESS_FS_MAKE_SYM | truncate_right;
  for (const char* path : {"/home/alice/project", "/tmp", "/var/tmp", "/home/agent", "/dev/shm"}) {
    EXPECT_EQ(access(rules, path) & writes, writes) << path;
  }
  EXPECT_EQ(access(rules, "/"),
            LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR);
  EXPECT_EQ(access(rules, "/dev"), LANDLOCK_ACCESS_FS_WRITE_FILE | truncate_right | ioctl_right);
  EXPECT_EQ(access(rules, "/proc"), LANDLOCK_ACCESS_FS_WRITE_FILE | truncate_right);
  for (const auto& rule : rules.beneath) {
    EXPECT_EQ(rule.access & (LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_BLOCK), 0U) << rule.path;
  }
}

TEST(LandlockRules, LetWhatIsGrantedBeWrittenOnlyWhereThePolicySaysSo) {
  SandboxRequest request;
  request.workspace = "/w";
  request.policy.grants = policy::Grants{{{"/srv/read", policy::Access::read, false, {}}, {}},
                                         {{"/srv/write", policy::Access::write, false, {}}, {}}};
  const auto rules = landlock_rules(7, request);
  EXPECT_EQ(access(rules, "/srv/read"), 0U);
  EXPECT_EQ(access(rules, "/srv/write"), access(rules, "/w"));
}

}  // namespace
}  // namespace agentos::sandbox
