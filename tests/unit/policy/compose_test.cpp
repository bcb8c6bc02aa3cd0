#include "policy/compose.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "policy/encode.hpp"
#include "policy/explain.hpp"
#include "policy/parse.hpp"

namespace agentos::policy {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Policy read(std::string_view rest, std::string_view file) {
  const auto parsed = parse("version: 1\n" + std::string(rest), file);
  EXPECT_TRUE(parsed) << text(parsed.error(), file);
  return parsed.value_or(Policy());
}

Policy together(std::vector<Policy> ceilings, std::vector<Policy> wishes = {}) {
  const auto result = compose(ceilings, wishes);
  EXPECT_TRUE(result) << result.error().message();
  return result.value_or(Policy());
}

Policy asked_for_memory(std::uint64_t bytes) {
  Limits limits;
  limits.memory_max = bytes;
  return asked_for(limits);
}

Policy asked_for_pids(std::uint64_t count) {
  Limits limits;
  limits.pids_max = count;
  return asked_for(limits);
}

std::string refusal(std::vector<Policy> ceilings, std::vector<Policy> wishes) {
  const auto result = compose(ceilings, wishes);
  return result ? "accepted" : result.error().message();
}

std::vector<std::string> names(const std::vector<Stated<std::string>>& list) {
  std::vector<std::string> all;
  for (const auto& entry : list) all.push_back(entry.value);
  return all;
}

TEST(Compose, OfNothingIsWhatIsBuiltIn) {
  const auto result = together({});
  EXPECT_EQ(result.on_missing->value, OnMissing::refuse);
  EXPECT_EQ(result.seccomp->value, Seccomp::agent);
  EXPECT_EQ(result.workspace->value, WorkspaceMode::overlay);
  EXPECT_FALSE(result.memory);
  EXPECT_FALSE(result.pass);
}

TEST(Compose, TakesTheSmallestLimitAndKnowsItsPlace) {
  const auto admin = read("resources: {memory: 4GiB, pids: 100}\n", "admin.yaml");
  const auto tenant = read("resources: {memory: 2GiB, pids: 200, cpu: 150%}\n", "tenant.yaml");
  const auto result = together({admin, tenant});
  EXPECT_EQ(result.memory->value.count, 2ULL << 30U);
  EXPECT_EQ(result.memory->origin.text(), "tenant.yaml:2:21");
  EXPECT_EQ(result.pids->value.count, 100U);
  EXPECT_EQ(result.pids->origin.file, "admin.yaml");
  EXPECT_EQ(result.cpu->value.percent, 150U);
}

TEST(Compose, RefusesAWishAboveACeilingWithBothPlaces) {
  const auto tenant = read("resources: {memory: 2GiB}\n", "tenant.yaml");
  EXPECT_EQ(refusal({tenant}, {read("resources: {memory: 4GiB}\n", "mine.yaml")}),
            "mine.yaml:2:21: resources.memory 4GiB is more than 2GiB, which is the most (tenant.yaml:2:21)");
  EXPECT_EQ(refusal({tenant}, {asked_for_memory(4ULL << 30U)}),
            "--memory: resources.memory 4GiB is more than 2GiB, which is the most (tenant.yaml:2:21)");
  EXPECT_EQ(refusal({tenant}, {asked_for_memory(2ULL << 30U)}), "accepted");
  EXPECT_EQ(together({tenant}, {asked_for_memory(1ULL << 30U)}).memory->origin.text(), "--memory");
}

TEST(Compose, HoldsTheCommandLineToTheUsersFileToo) {
  const auto mine = read("resources: {pids: 50}\n", "mine.yaml");
  EXPECT_THAT(refusal({}, {mine, asked_for_pids(60)}), HasSubstr("--pids: resources.pids 60 is more than 50"));
  EXPECT_EQ(refusal({}, {mine, asked_for_pids(40)}), "accepted");
}

TEST(Compose, SaysEveryReason) {
  const auto admin = read("resources: {pids: 50, cpu: 1}\nfilesystem: {workspace: ro}\n", "admin.yaml");
  const auto reasons = refusal({admin}, {read("resources: {pids: 60, cpu: 2}\nfilesystem: {workspace: bind}\n", "m")});
  EXPECT_EQ(std::ranges::count(reasons, '\n'), 2);
  EXPECT_THAT(reasons, HasSubstr("m:3:25: filesystem.workspace bind is more than ro"));
}

TEST(Compose, AddsUpWhatIsHiddenAndReadOnly) {
  const auto admin = read("filesystem: {hidden: [/usr/bin/gdb, ./a], read_only: [./x]}\n", "admin.yaml");
  const auto tenant = read("filesystem: {hidden: [./b, ./a]}\n", "tenant.yaml");
  const auto result = together({admin, tenant}, {read("filesystem: {hidden: [./c]}\n", "mine.yaml")});
  EXPECT_THAT(names(result.hidden), ElementsAre("./a", "./b", "./c", "/usr/bin/gdb"));
  EXPECT_THAT(names(result.read_only), ElementsAre("./x"));
}

TEST(Compose, TakesTheLesserWorkspace) {
  const auto bind = read("filesystem: {workspace: bind}\n", "bind.yaml");
  const auto ro = read("filesystem: {workspace: ro}\n", "ro.yaml");
  EXPECT_EQ(together({bind}).workspace->value, WorkspaceMode::overlay);  // without a wish
  EXPECT_EQ(together({bind, ro}).workspace->value, WorkspaceMode::read_only);
  Policy wish;
  wish.workspace = {WorkspaceMode::bind, {"--workspace", 0, 0}};
  EXPECT_EQ(together({bind}, {wish}).workspace->value, WorkspaceMode::bind);
  EXPECT_EQ(refusal({bind, ro}, {wish}),
            "--workspace: filesystem.workspace bind is more than ro, which is the most (ro.yaml:2:25)");
}

TEST(Compose, WarnsOnlyWhereAnAdministratorSaysSo) {
  const auto warn = read("resources: {on_missing: warn}\n", "warn.yaml");
  const auto refuse = read("resources: {on_missing: refuse}\n", "refuse.yaml");
  EXPECT_EQ(together({warn}).on_missing->value, OnMissing::warn);
  EXPECT_EQ(together({warn, refuse}).on_missing->value, OnMissing::refuse);
  EXPECT_EQ(together({warn}, {refuse}).on_missing->value, OnMissing::refuse);
  EXPECT_THAT(refusal({}, {warn}),
              HasSubstr("resources.on_missing warn is more than refuse, which is the most (built"));
}

TEST(Compose, LetsPassWhatAllLetPass) {
  const auto admin = read("environment: {pass: [LANG, \"LC_*\", KEY]}\n", "admin.yaml");
  const auto tenant = read("environment: {pass: [LC_ALL, \"K*\", \"L*\"]}\n", "tenant.yaml");
  const auto result = together({admin, tenant});
  EXPECT_THAT(names(*result.pass), ElementsAre("KEY", "LANG", "LC_*", "LC_ALL"));
  EXPECT_THAT(passed_names(result), ElementsAre("KEY", "LANG", "LC_ALL"));
  EXPECT_THAT(refusals(result, std::vector<std::string>{"LC_TIME=x", "LANG=y"}), IsEmpty());
  EXPECT_THAT(refusals(result, std::vector<std::string>{"KIND=x"}),
              ElementsAre(HasSubstr("'KIND' may not enter: environment.pass lets in KEY (admin.yaml:2:")));
  EXPECT_THAT(refusals(together({read("environment: {pass: []}\n", "n")}), std::vector<std::string>{"A=x"}),
              ElementsAre(HasSubstr("lets in none")));
  EXPECT_THAT(refusals(together({}), std::vector<std::string>{"A=x"}), IsEmpty());
  EXPECT_THAT(passed_names(together({})), IsEmpty());
  EXPECT_THAT(refusal({admin}, {read("environment: {pass: [OTHER]}\n", "mine.yaml")}),
              HasSubstr("mine.yaml:2:22: environment variable 'OTHER' may not enter"));
  EXPECT_THAT(refusal({admin}, {read("environment: {set: {OTHER: x}}\n", "mine.yaml")}), HasSubstr("may not enter"));
}

TEST(Compose, ASetVariableHasOneValue) {
  const auto admin = read("environment: {set: {A: one}}\n", "admin.yaml");
  EXPECT_EQ(refusal({admin, read("environment: {set: {A: two}}\n", "tenant.yaml")}, {}),
            "tenant.yaml:2:21: environment.set gives A another value than it has already (admin.yaml:2:21)");
  EXPECT_EQ(together({admin, read("environment: {set: {A: one, B: x}}\n", "tenant.yaml")}).set.size(), 2U);
  const auto result = together({admin});
  EXPECT_THAT(refusals(result, std::vector<std::string>{"A=one"}), IsEmpty());
  EXPECT_THAT(refusals(result, std::vector<std::string>{"A=two"}), ElementsAre(HasSubstr("admin.yaml:2:21")));
}

TEST(Compose, KeepsMemoryHighBelowMemory) {
  const auto admin = read("resources: {memory_high: 2GiB}\n", "admin.yaml");
  EXPECT_EQ(together({admin}, {asked_for_memory(1ULL << 30U)}).memory_high->value.count, 1ULL << 30U);
}

TEST(PolicyDifference, IsOfWhatIsSaidNotOfWhere) {
  const auto a = read("resources: {pids: 50, cpu: 1}\n", "a.yaml");
  const auto b = read("# moved\nresources: {cpu: 1, pids: 60}\nfilesystem: {hidden: [./x]}\n", "b.yaml");
  EXPECT_THAT(difference(a, b),
              ElementsAre("- resources.pids: 50 (a.yaml:2:19)", "+ filesystem.hidden: ./x (b.yaml:4:23)",
                          "+ resources.pids: 60 (b.yaml:3:27)"));
  EXPECT_THAT(difference(a, a), IsEmpty());
}

TEST(Compose, AUsersFileOnlyNarrowsTheQuotaOfALayer) {
  const auto admin = read("filesystem: {workspace: {quota: {bytes: 2GiB, inodes: 500}}}\n", "admin.yaml");
  const auto tenant = read("filesystem: {workspace: {quota: {bytes: 1GiB, inodes: 900}}}\n", "tenant.yaml");
  const auto result = together({admin, tenant});
  EXPECT_EQ(result.layer_bytes->origin.file, "tenant.yaml");
  EXPECT_EQ(result.layer_inodes->origin.file, "admin.yaml");
  const auto less = read("filesystem: {workspace: {quota: {bytes: 5MiB}}}\n", "mine.yaml");
  EXPECT_EQ(together({admin, tenant}, {less}).layer_bytes->value.count, 5U << 20U);
  EXPECT_EQ(refusal({tenant}, {read("filesystem: {workspace: {quota: {bytes: 2GiB}}}\n", "mine.yaml")}),
            "mine.yaml:2:41: filesystem.workspace.quota.bytes 2GiB is more than 1GiB, which is the most "
            "(tenant.yaml:2:41)");
}

// As agentos 0.1.0 wrote it before layers had quotas.
TEST(PolicyCode, ReadsTheFirstVersion) {
  // It had no quotas behind the workspace's mode, no limit of core files, and no grants, which are last: a byte each
  // where they are not set.
  const auto policy = read("filesystem: {workspace: ro}\nprocess: {seccomp: strict}\n", "a.yaml");
  auto bytes = encode(policy);
  const auto quotas = bytes.find("a.yaml") + 6 + 8;            // behind the origin of the mode
  const auto core = bytes.find("a.yaml", quotas) + 6 + 8 + 6;  // behind that of seccomp, and six limits
  ASSERT_EQ(bytes.substr(quotas, 2) + bytes.substr(core, 1) + bytes.back(), std::string(4, '\0'));
  bytes.pop_back();
  bytes.erase(core, 1);
  bytes.erase(quotas, 2);
  EXPECT_FALSE(decode(bytes));
  bytes[0] = 1;
  const auto again = decode(bytes);
  ASSERT_TRUE(again) << again.error().message();
  EXPECT_EQ(*again, policy);
  bytes[0] = 3;
  EXPECT_FALSE(decode(bytes));
}

TEST(PolicyCode, ReadsBackWhatItWrote) {
  const auto policy =
      together({read("filesystem: {hidden: [./a], read_only: [./b], workspace: {mode: ro, quota: {bytes: 5MiB, inodes: "
                     "20}}}\nresources: {memory: 1GiB, "
                     "cpu: 1.5, on_missing: warn}\nenvironment: {pass: [A], set: {B: c}}\nlimits: "
                     "{wall: 1h}\nprocess: {limits: {nofile: 99}, seccomp: strict}\n",
                     "a.yaml")});
  const auto bytes = encode(policy);
  const auto again = decode(bytes);
  ASSERT_TRUE(again);
  EXPECT_EQ(*again, policy);
  for (std::size_t size = 0; size < bytes.size(); ++size) EXPECT_FALSE(decode(bytes.substr(0, size)));
  EXPECT_FALSE(decode(bytes + "x"));
}

}  // namespace
}  // namespace agentos::policy
