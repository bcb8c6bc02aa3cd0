#include "daemon/policies.hpp"

#include <filesystem>
#include <fstream>

#include <boost/asio/io_context.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "daemon/agent_json.hpp"
#include "daemon/features.hpp"
#include "daemon/policy_watch.hpp"
#include "fakes/await.hpp"
#include "fakes/temporary_folder.hpp"

namespace agentos::daemon {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class PoliciesTest : public testing::Test {
 protected:
  fakes::TemporaryFolder folder;
  PolicyFolders folders{folder.path() + "/policies", folder.path() + "/tenants", folder.path() + "/profiles"};
  PoliciesTest() {
    for (const auto& made : {folders.policies, folders.tenants, folders.profiles})
      std::filesystem::create_directory(made);
    write(folders.profiles, "default", "filesystem: {workspace: bind}\n");
  }
  static void write(const std::string& where, const std::string& name, const std::string& rest) {
    std::ofstream(where + "/" + name + ".yaml") << "version: 1\n" << rest;
  }
  static Policies::Chosen chosen(const Policies& policies, const Policies::Wish& wish = {}) {
    const auto result = policies.choose("acme", wish);
    EXPECT_TRUE(result) << result.error().message();
    return result.value_or(Policies::Chosen());
  }
};

TEST_F(PoliciesTest, TakesAdministratorsFilesBeforePackagedOnes) {
  Policies policies(folders);
  EXPECT_TRUE(policies.policies().at("default").packaged);
  write(folders.policies, "default", "resources: {pids: 9}\n");
  EXPECT_THAT(policies.reload(), IsEmpty());
  EXPECT_FALSE(policies.policies().at("default").packaged);
  EXPECT_EQ(chosen(policies).policy.pids->value.count, 9U);
  std::filesystem::remove(folders.policies + "/default.yaml");
  EXPECT_THAT(policies.reload(), IsEmpty());
  EXPECT_FALSE(chosen(policies).policy.pids);
}

TEST_F(PoliciesTest, KeepsTheLastGoodVersionOfABadFile) {
  write(folders.policies, "mine", "resources: {pids: 9}\n");
  Policies policies(folders);
  write(folders.policies, "mine", "resources: {pids: many}\n");
  EXPECT_THAT(policies.reload(), ElementsAre(HasSubstr("mine.yaml:2:19: 'many' is not a whole number; the last good")));
  EXPECT_THAT(policies.reload(), IsEmpty());  // said once
  const auto result = chosen(policies, {.name = "mine", .own = {}, .asked = {}});
  EXPECT_EQ(result.policy.pids->value.count, 9U);
  EXPECT_THAT(result.notes, ElementsAre(HasSubstr("the last good version of")));
  EXPECT_THAT(policies.faults(), SizeIs(1));
  EXPECT_EQ(policies_feature(policies).state, Feature::State::degraded);
  write(folders.policies, "mine", "resources: {pids: 8}\n");
  EXPECT_THAT(policies.reload(), IsEmpty());
  EXPECT_THAT(chosen(policies, {.name = "mine", .own = {}, .asked = {}}).notes, IsEmpty());
  EXPECT_EQ(policies_feature(policies).state, Feature::State::enforced);
}

TEST_F(PoliciesTest, KeepsTheLastGoodVersionAcrossRestarts) {
  const LastGood kept(folder.path() + "/kept");
  write(folders.policies, "mine", "resources: {pids: 9}\n");
  write(folders.tenants, "acme", "resources: {cpu: 1}\n");
  const auto mine = [](const Policies& policies) { return chosen(policies, {.name = "mine", .own = {}, .asked = {}}); };
  const auto first = Policies(folders, kept).policies().at("mine").read;
  write(folders.policies, "mine", "resources: {pids: many}\n");
  write(folders.tenants, "acme", "colour: red\n");
  {
    Policies restarted(folders, kept);
    EXPECT_EQ(mine(restarted).policy.pids->value.count, 9U);
    EXPECT_EQ(mine(restarted).policy.cpu->value.percent, 100U);
    EXPECT_EQ(restarted.policies().at("mine").read, first);
    EXPECT_THAT(mine(restarted).notes, SizeIs(2));
    EXPECT_THAT(mine(restarted).notes[1], HasSubstr("the last good version of " + folders.policies +
                                                    "/mine.yaml, read at " + format_time(first) + ", is in force: "));
    EXPECT_THAT(restarted.faults(), SizeIs(2));
    EXPECT_EQ(policies_feature(restarted).state, Feature::State::degraded);
    EXPECT_FALSE(Policies(folders).choose("acme", {.name = "mine", .own = {}, .asked = {}}))
        << "without it there is none";
    EXPECT_EQ(mine(Policies(folders, kept)).policy.pids->value.count, 9U) << "nor only once";
  }
  // Nobody else reads it, and a new one that a crash left behind is none.
  const auto mode = [&](const std::string& path) {
    return static_cast<unsigned>(std::filesystem::status(folder.path() + path).permissions()) & 077U;
  };
  EXPECT_EQ(mode("/kept") | mode("/kept/policies") | mode("/kept/policies/mine"), 0U);
  std::ofstream(folder.path() + "/kept/policies/.new") << "half";
  std::ofstream(folder.path() + "/kept/policies/other") << "no record";
  EXPECT_EQ(mine(Policies(folders, kept)).policy.pids->value.count, 9U);
  // A file that is gone is gone, and mended is mended.
  std::filesystem::remove(folders.tenants + "/acme.yaml");
  write(folders.policies, "mine", "resources: {pids: 8}\n");
  EXPECT_EQ(mine(Policies(folders, kept)).policy.pids->value.count, 8U);
  write(folders.tenants, "acme", "colour: red\n");
  EXPECT_FALSE(Policies(folders, kept).choose("acme", {})) << "it was removed in between";
  write(folders.policies, "mine", "colour: red\n");
  std::filesystem::remove(folders.tenants + "/acme.yaml");
  EXPECT_EQ(mine(Policies(folders, kept)).policy.pids->value.count, 8U);
}

TEST_F(PoliciesTest, SaysWhereItCannotKeepThem) {
  Policies policies(folders, LastGood(folder.path() + "/later/kept"));
  EXPECT_THAT(policies.faults(), ElementsAre(HasSubstr("default.yaml: not kept for after a restart: ")));
  EXPECT_THAT(policies.reload(), IsEmpty());  // said once
  EXPECT_THAT(policies.faults(), SizeIs(1));  // and still so
  EXPECT_TRUE(policies.choose("acme", {}));
  std::filesystem::create_directory(folder.path() + "/later");
  EXPECT_THAT(policies.reload(), IsEmpty());
  EXPECT_THAT(policies.faults(), IsEmpty());
}

TEST_F(PoliciesTest, AFileThatNeverWasGoodIsRefusedAndHidesThePackagedOne) {
  write(folders.policies, "default", "colour: red\n");
  const Policies policies(folders);
  const auto result = policies.choose("acme", {});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind(), ErrorKind::unavailable);
  EXPECT_THAT(result.error().message(), HasSubstr("default.yaml:2:1: unknown key 'colour'"));
  EXPECT_EQ(policies_feature(policies).state, Feature::State::absent);
}

TEST_F(PoliciesTest, WithoutAnyFolderNothingStarts) {
  const Policies policies({"/nonexistent/a", "/nonexistent/b", "/nonexistent/c"});
  EXPECT_THAT(policies.faults(), IsEmpty());
  const auto result = policies.choose("acme", {});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind(), ErrorKind::not_found);
  EXPECT_THAT(result.error().hint(), HasSubstr("/nonexistent/a/default.yaml"));
}

TEST_F(PoliciesTest, HoldsATenantToItsCeilings) {
  write(folders.profiles, "build", "");
  write(folders.tenants, "acme", "resources: {pids: 5}\npolicies: [default]\n");
  Policies policies(folders);
  EXPECT_EQ(chosen(policies).policy.pids->value.count, 5U);
  EXPECT_FALSE(policies.choose("other", {})->policy.pids);
  const auto other = policies.choose("acme", {.name = "build", .own = {}, .asked = {}});
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().kind(), ErrorKind::forbidden);
  EXPECT_THAT(other.error().message(), HasSubstr("acme.yaml:3:12"));
  write(folders.tenants, "acme", "colour: red\n");
  static_cast<void>(policies.reload());
  EXPECT_EQ(chosen(policies).policy.pids->value.count, 5U);  // the last good ones
  const Policies fresh(folders);
  EXPECT_EQ(fresh.choose("acme", {}).error().kind(), ErrorKind::unavailable);
  EXPECT_TRUE(fresh.choose("other", {}));
}

TEST_F(PoliciesTest, WhereCeilingsCannotBeReadNobodyIsTakenToHaveNone) {
  EXPECT_TRUE(Policies(folders).choose("acme", {})) << "the folder is there and holds nothing";
  std::filesystem::remove(folders.tenants);
  EXPECT_TRUE(Policies(folders).choose("acme", {})) << "there is no folder";
  std::ofstream(folders.tenants) << "not a folder";
  const auto refused = Policies(folders).choose("acme", {});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind(), ErrorKind::unavailable);
  EXPECT_THAT(refused.error().message(), HasSubstr(folders.tenants));
}

TEST_F(PoliciesTest, TakesTheUsersFileAsText) {
  const Policies policies(folders);
  Policies::Wish wish;
  wish.own = {"mine.yaml", "version: 1\nresources: {pids: 7}\n"};
  EXPECT_EQ(chosen(policies, wish).policy.pids->origin.text(), "mine.yaml:2:19");
  wish.own = {"a\x1b[2J.yaml", "version: 2\ncolour: red\n"};
  const auto refused = policies.choose("acme", wish);
  ASSERT_FALSE(refused);
  EXPECT_EQ(std::ranges::count(refused.error().message(), '\n'), 1);  // both mistakes
  EXPECT_THAT(refused.error().message(), HasSubstr("a\\x1b[2J.yaml:1:10"));
}

TEST_F(PoliciesTest, FilesOfOtherNamesAreNotRead) {
  for (const char* name : {"Bad Name", ".hidden"}) write(folders.policies, name, "");
  std::ofstream(folders.policies + "/notes.txt") << "x";
  const Policies policies(folders);
  EXPECT_THAT(policies.policies(), SizeIs(1));
  EXPECT_THAT(policies.faults(), ElementsAre(HasSubstr("Bad Name.yaml: not read")));
}

TEST_F(PoliciesTest, AreLargeToTheByte) {
  std::ofstream(folders.policies + "/large.yaml") << "version: 1\n" << std::string(policy::file_bytes_max - 11, '\n');
  Policies policies(folders);
  EXPECT_THAT(policies.faults(), IsEmpty());
  std::ofstream(folders.policies + "/large.yaml") << "version: 1\n" << std::string(policy::file_bytes_max - 10, '\n');
  EXPECT_THAT(policies.reload(), ElementsAre(HasSubstr("large.yaml:1:1: cannot be read")));
}

TEST_F(PoliciesTest, TheWatchTellsOfChangesOnceTheyRest) {
  boost::asio::io_context context(1);
  int told = 0;
  const auto missing = folder.path() + "/later";
  const auto watch = PolicyWatch::open(context.get_executor(), {folders.policies, missing}, [&] { ++told; });
  ASSERT_TRUE(watch);
  write(folders.policies, "a", "");
  write(folders.policies, "b", "");
  fakes::run_until(context, [&] { return told > 0; });
  EXPECT_EQ(told, 1);
  std::filesystem::remove(folders.policies + "/a.yaml");
  fakes::run_until(context, [&] { return told > 1; });
  std::filesystem::create_directory(missing);
  (*watch)->renew();
  write(missing, "c", "");
  fakes::run_until(context, [&] { return told > 2; });
}

}  // namespace
}  // namespace agentos::daemon
