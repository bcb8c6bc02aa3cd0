#include <csignal>

#include "unit/process/fixture.hpp"

// What a new agentosd makes of what an earlier one left.
namespace agentos::process {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

class AdoptTest : public AgentsFixture {};

TEST_F(AdoptTest, ARunningAgentGoesOn) {
  const std::string id = started("builder");
  const auto before = store.get(id)->encode();
  restart();
  EXPECT_EQ(agents->get(id)->encode(), before);
  EXPECT_THAT(seen, IsEmpty());
  EXPECT_EQ(agents->usage(*agents->get(id)).cpu_usec, 1500U);
  spawner.end(id, exited(3));
  EXPECT_EQ(final_record(id).reason, "exit status 3");
}

TEST_F(AdoptTest, AnAgentThatEndedMeanwhileGetsItsExitStatus) {
  const std::string id = started();
  agents.reset();
  spawner.end(id, exited(0));
  restart();
  EXPECT_EQ(status(id), Status::completed);
  EXPECT_THAT(seen, ElementsAre("running>completed"));
  run_until([&] { return !spawner.removed().empty(); });
}

TEST_F(AdoptTest, AnAgentKilledMeanwhileHasFailed) {
  const std::string id = started();
  agents.reset();
  spawner.kill(id);
  restart();
  EXPECT_EQ(status(id), Status::failed);
  EXPECT_EQ(agents->get(id)->reason, "killed");
}

TEST_F(AdoptTest, AfterARebootTheyAreLostButAnExitRecordCounts) {
  const std::string lost = started();
  const std::string done = started();
  agents.reset();
  spawner.kill(lost);
  spawner.end(done, exited(0));
  boot_id = "boot-2";
  restart();
  EXPECT_EQ(status(lost), Status::failed);
  EXPECT_EQ(agents->get(lost)->reason, "lost with its host");
  EXPECT_FALSE(agents->get(lost)->exit);
  EXPECT_EQ(status(done), Status::completed);
}

TEST_F(AdoptTest, AReusedPidIsAnotherProcess) {
  const std::string id = started();
  agents.reset();
  Agent record = *store.get(id);
  record.process.start_time += 1;
  ASSERT_TRUE(store.put(record));
  restart();
  EXPECT_EQ(status(id), Status::failed);
}

TEST_F(AdoptTest, TheFreezerKnowsWhetherItIsPaused) {
  const std::string id = started();
  agents.reset();
  spawner.write(id, "cgroup.freeze", "1\n");  // died before it stored "paused"
  restart();
  EXPECT_EQ(status(id), Status::paused);
  agents.reset();
  spawner.write(id, "cgroup.freeze", "0\n");
  restart();
  EXPECT_EQ(status(id), Status::running);
}

TEST_F(AdoptTest, AStoppingAgentIsKilledWhenItsGraceIsOver) {
  const std::string id = started();
  ASSERT_TRUE(agents->terminate(id, "enough", 10s));
  EXPECT_THAT(spawner.signals(id), ElementsAre(SIGTERM));
  agents.reset();
  ahead = 11s;
  restart();
  EXPECT_EQ(status(id), Status::stopping);
  run_until([&] { return spawner.read(id, "cgroup.kill") == "1"; });
  spawner.kill(id);
  EXPECT_EQ(final_record(id).status, Status::terminated);
  EXPECT_EQ(agents->get(id)->reason, "enough");
}

TEST_F(AdoptTest, AStartThatNeverHappenedHasFailed) {
  Agent agent;
  agent.tenant = "acme";
  for (const auto& [id, status] : {std::pair{"a01111111111a", Status::submitted},
                                   {"a01111111111b", Status::admitted},
                                   {"a01111111111c", Status::starting}}) {
    agent.id = id;
    agent.status = status;
    agent.process.boot_id = status == Status::starting ? boot_id : "";
    ASSERT_TRUE(store.put(agent));
  }
  restart();
  EXPECT_EQ(status("a01111111111a"), Status::failed);
  EXPECT_EQ(status("a01111111111b"), Status::failed);
  // Whether this one runs is known when spawnd has said where its cgroup would be.
  EXPECT_EQ(status("a01111111111c"), Status::starting);
  EXPECT_EQ(final_record("a01111111111c").status, Status::failed);
}

TEST_F(AdoptTest, StraysAreKilledAndRemoved) {
  const std::string kept = started();
  const std::string stray = spawner.cgroup("acme", "a02222222222a");
  const std::string other = spawner.cgroup("acme", "gateway");
  for (const auto& path : {stray, other}) std::filesystem::create_directories(path);
  const std::string leftover = folder.path() + "/agents/a03333333333a";
  std::filesystem::create_directories(leftover);
  restart();
  EXPECT_FALSE(std::filesystem::exists(leftover));
  run_until([&] { return !spawner.removed().empty(); });
  EXPECT_THAT(spawner.removed(), ElementsAre("a02222222222a"));
  EXPECT_TRUE(std::filesystem::exists(other)) << "not an agent's";
  EXPECT_EQ(status(kept), Status::running);
  EXPECT_TRUE(has_files(kept));
}

TEST_F(AdoptTest, WithoutSpawndRunningAgentsAreAdoptedAllTheSame) {
  const std::string id = started();
  spawner.failure = Error(ErrorKind::unavailable, "spawnd is not there");
  restart();
  EXPECT_EQ(status(id), Status::running);
  spawner.end(id, exited(0));
  EXPECT_EQ(final_record(id).status, Status::completed);
}

}  // namespace
}  // namespace agentos::process
