#include <fstream>

#include <gmock/gmock.h>

#include "policy/parse.hpp"
#include "unit/process/fixture.hpp"

// What the process manager does with the policy an agent is started under.
namespace agentos::process {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using namespace std::chrono_literals;

class PolicyOfAgents : public AgentsFixture {
 protected:
  Submission with_policy(std::string_view rest) {
    auto made = submission("held");
    auto parsed = policy::parse("version: 1\n" + std::string(rest), "p.yaml");
    EXPECT_TRUE(parsed);
    made.policy = parsed.value_or(policy::Policy());
    made.policy_name = "p";
    return made;
  }
};

TEST_F(PolicyOfAgents, IsKeptBesideTheRecordAndGoesWithIt) {
  auto submitted = submit(with_policy("environment: {set: {A: b}, pass: []}\n"));
  ASSERT_TRUE(submitted) << submitted.error().message();
  const auto id = submitted->agent.id;
  EXPECT_EQ(submitted->agent.policy, "p");
  EXPECT_THAT(spawner.spec(id).program.env, Contains("A=b"));
  const auto kept = agents->files().policy(id);
  ASSERT_TRUE(kept) << kept.error().message();
  EXPECT_EQ(kept->set[0].origin.text(), "p.yaml:2:21");
  restart();
  EXPECT_EQ(agents->files().policy(id)->set.size(), 1U);
  spawner.end(id, exited(0));
  EXPECT_EQ(final_record(id).policy, "p");
  EXPECT_TRUE(await(agents->remove(id, true)));
  EXPECT_TRUE(agents->files().policy(id)->set.empty());  // as of an agent of before there were policies
}

TEST_F(PolicyOfAgents, HoldsWhatIsExecutedLater) {
  const auto id = submit(with_policy("environment: {pass: [\"OK_*\"]}\n"))->agent.id;
  Program program;
  program.argv = {"sh"};
  program.env = {"OTHER=x"};
  const auto refused = agents->exec(id, program, "");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind(), ErrorKind::forbidden);
  EXPECT_THAT(refused.error().message(), HasSubstr("'OTHER' may not enter: environment.pass lets in OK_* (p.yaml:2:"));
  program.env = {"OK_A=x"};
  EXPECT_TRUE(agents->exec(id, program, ""));
}

TEST_F(PolicyOfAgents, EndsItWhenItsTimeIsOver) {
  const auto endless = submit(submission("endless"))->agent.id;
  const auto id = submit(with_policy("limits: {wall: 1s}\n"))->agent.id;
  EXPECT_EQ(status(id), Status::running);
  run_until([&] { return status(id) == Status::stopping; });
  EXPECT_EQ(agents->get(id)->reason, "its time is over: limits.wall is 1s (p.yaml:2:16)");
  EXPECT_THAT(spawner.signals(id), Contains(SIGTERM));
  spawner.end(id, exited(0));
  EXPECT_EQ(final_record(id).status, Status::terminated);
  EXPECT_EQ(status(endless), Status::running);
  EXPECT_THAT(spawner.signals(endless), IsEmpty());
}

TEST_F(PolicyOfAgents, EndsItWhenItIsIdle) {
  const auto id = submit(with_policy("limits: {idle: 1s}\n"))->agent.id;
  spawner.write(id, "cpu.stat", "usage_usec 1000\n");
  const auto begun = Bell::Clock::now();
  run_until([&] { return status(id) == Status::stopping; });
  EXPECT_GE(Bell::Clock::now() - begun, 900ms);
  EXPECT_EQ(agents->get(id)->reason, "idle for 1s (limits.idle, p.yaml:2:16)");
}

TEST_F(PolicyOfAgents, IsNotIdleWhileItWorksOrWrites) {
  auto working_policy = with_policy("limits: {idle: 1s}\n");
  working_policy.name = "working";
  const auto working = submit(std::move(working_policy))->agent.id;
  const auto writing = submit(with_policy("limits: {idle: 1s}\n"))->agent.id;
  std::uint64_t used = 0;
  const auto begun = Bell::Clock::now();
  run_until([&] {
    spawner.write(working, "cpu.stat", "usage_usec " + std::to_string(used += 20'000) + "\n");
    spawner.write(writing, "cpu.stat", "usage_usec 7\n");
    std::ofstream(agents->files().logs(writing)[0], std::ios::app) << "x";
    return Bell::Clock::now() - begun > 2500ms;
  });
  EXPECT_EQ(status(working), Status::running);
  EXPECT_EQ(status(writing), Status::running);
  run_until([&] { return status(writing) == Status::stopping; });  // and then it writes no more
}

TEST_F(PolicyOfAgents, GivesNoMoreTimeToWhatOutlivesARestart) {
  const auto id = submit(with_policy("limits: {wall: 1h}\n"))->agent.id;
  restart();
  EXPECT_EQ(status(id), Status::running);
  ahead = 2h;
  restart();
  run_until([&] { return status(id) == Status::stopping; });
  EXPECT_THAT(agents->get(id)->reason, HasSubstr("limits.wall is 1h"));
}

}  // namespace
}  // namespace agentos::process
