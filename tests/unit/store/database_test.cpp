#include "store/sqlite/database.hpp"

#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fakes/temporary_folder.hpp"
#include "store/sqlite/agent_store.hpp"

namespace agentos::store {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

constexpr std::array one{Migration{1, "CREATE TABLE thing (value INTEGER)"}};
constexpr std::array two{Migration{1, "CREATE TABLE thing (value INTEGER)"},
                         Migration{2, "ALTER TABLE thing ADD COLUMN more TEXT DEFAULT 'kept'"}};

class DatabaseTest : public testing::Test {
 protected:
  fakes::TemporaryFolder folder;
  std::string path = folder.path() + "/test.db";

  Result<Database> open(std::span<const Migration> migrations) { return Database::open(path, migrations, 50ms); }
};

TEST_F(DatabaseTest, MigratesWhatIsThereAndKeepsIt) {
  {
    auto old = open(one);
    ASSERT_TRUE(old) << old.error().message();
    ASSERT_TRUE(old->execute("INSERT INTO thing VALUES (7)"));
  }
  auto database = open(two);
  ASSERT_TRUE(database) << database.error().message();
  auto rows = database->prepare("SELECT value, more FROM thing");
  ASSERT_TRUE(rows.step().value_or(false));
  EXPECT_EQ(rows.number(0), 7);
  EXPECT_EQ(rows.bytes(1), "kept");
}

TEST_F(DatabaseTest, RefusesASchemaOfALaterVersion) {
  ASSERT_TRUE(open(two));
  const auto refused = open(one);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind(), ErrorKind::unsupported);
  EXPECT_THAT(refused.error().message(), HasSubstr("schema 2"));
  EXPECT_THAT(refused.error().hint(), HasSubstr("newer agentos"));
}

TEST_F(DatabaseTest, AFailedMigrationLeavesTheOldSchema) {
  ASSERT_TRUE(open(one));
  constexpr std::array broken{one[0], Migration{2, "CREATE TABLE other (value); CREATE TABLE thing (value)"}};
  EXPECT_FALSE(open(broken));
  auto database = open(one);
  ASSERT_TRUE(database);
  EXPECT_FALSE(database->execute("SELECT * FROM other"));
}

TEST_F(DatabaseTest, TheFileIsForItsOwnerOnly) {
  ::umask(0);
  const auto database = open(one);
  ASSERT_TRUE(database);
  for (const std::string& file : {path, path + "-wal"}) {
    struct stat status{};
    ASSERT_EQ(::stat(file.c_str(), &status), 0) << file;
    EXPECT_EQ(status.st_mode & 0777, 0600U) << file;
  }
}

TEST_F(DatabaseTest, SaysThatADamagedFileIsDamaged) {
  std::ofstream(path) << std::string(8192, 'x');
  const auto refused = open(one);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message(), HasSubstr("damaged"));
  EXPECT_THAT(refused.error().hint(), HasSubstr("backup"));
}

TEST_F(DatabaseTest, SaysWhoMayWriteWhereItCannot) {
  const auto refused = Database::open(folder.path() + "/no/such/folder.db", one);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind(), ErrorKind::not_found);
  EXPECT_THAT(refused.error().hint(), HasSubstr("agentosd"));
}

TEST_F(DatabaseTest, ALockOfAnotherProgramIsUnavailableAndSoonOver) {
  auto mine = SqliteAgentStore::open(path, 50ms);
  ASSERT_TRUE(mine);
  auto other = Database::open(path, {}, 50ms);
  ASSERT_FALSE(other) << "an older program must not open it";  // it knows no migration
  constexpr std::array same{Migration{1, ""}};
  other = Database::open(path, same, 50ms);
  ASSERT_TRUE(other) << other.error().message();
  Agent agent;
  agent.id = "a01";
  ASSERT_TRUE(other->execute("BEGIN IMMEDIATE"));
  const auto began = std::chrono::steady_clock::now();
  const auto refused = (*mine)->put(agent);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind(), ErrorKind::unavailable);
  EXPECT_THAT(refused.error().message(), HasSubstr("locked"));
  EXPECT_THAT(refused.error().hint(), HasSubstr("fuser"));
  EXPECT_LT(std::chrono::steady_clock::now() - began, 2s);
  ASSERT_TRUE(other->execute("ROLLBACK"));
  EXPECT_TRUE((*mine)->put(agent)) << "the statement is usable again";
}

// The process that wrote is killed without any chance to tidy up.
TEST_F(DatabaseTest, WhatWasStoredSurvivesKill9) {
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    auto opened = SqliteAgentStore::open(path);
    Agent agent;
    agent.id = "a01";
    agent.goal = "survive";
    if (!opened || !(*opened)->put(agent)) ::_exit(1);
    ::kill(::getpid(), SIGKILL);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  ASSERT_TRUE(WIFSIGNALED(status));
  auto reopened = SqliteAgentStore::open(path);
  ASSERT_TRUE(reopened);
  const auto agent = (*reopened)->get("a01");
  ASSERT_TRUE(agent);
  EXPECT_EQ(agent->goal, "survive");
}

// On a file system of 1 MiB, in a mount namespace of its own.
TEST_F(DatabaseTest, AFullDiskIsToldAndLosesNothing) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root to mount a small file system";
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    const std::string mount = folder.path();
    if (::unshare(CLONE_NEWNS) != 0 || ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        ::mount("none", mount.c_str(), "tmpfs", 0, "size=1m") != 0) {
      ::_exit(10);
    }
    auto opened = SqliteAgentStore::open(path);
    if (!opened) ::_exit(11);
    Agent agent;
    agent.id = "a00";
    if (!(*opened)->put(agent)) ::_exit(12);
    agent.goal = std::string(64 << 10, 'g');
    Result<> last;
    for (int i = 1; last && i < 64; ++i) {
      agent.id = "a" + std::to_string(i);
      last = (*opened)->put(agent);
    }
    if (last || last.error().kind() != ErrorKind::exhausted || last.error().hint().empty()) ::_exit(13);
    if (!(*opened)->get("a00")) ::_exit(14);
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  ASSERT_TRUE(WIFEXITED(status));
  if (WEXITSTATUS(status) == 10) GTEST_SKIP() << "cannot mount here";
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

// Writes happen on the daemon's only thread: that is fine as long as one takes far less than a millisecond.
TEST_F(DatabaseTest, AWriteTakesWellUnderAMillisecond) {
  auto opened = SqliteAgentStore::open(path);
  ASSERT_TRUE(opened);
  Agent agent;
  agent.goal = std::string(500, 'g');
  std::vector<std::chrono::steady_clock::duration> times;
  for (int i = 0; i < 300; ++i) {
    agent.id = "a" + std::to_string(i);
    const auto began = std::chrono::steady_clock::now();
    ASSERT_TRUE((*opened)->put(agent));
    times.push_back(std::chrono::steady_clock::now() - began);
  }
  std::ranges::sort(times);
  RecordProperty("median_us", static_cast<int>(times[150] / 1us));
  EXPECT_LT(times[150], 1ms);
}

}  // namespace
}  // namespace agentos::store
