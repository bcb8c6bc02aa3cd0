#include "process/submission.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace agentos::process {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Submission good() {
  Submission submission;
  submission.command = {"true"};
  submission.workspace = "/home/alice/project";
  submission.workspace_fd.reset(::dup(0));
  return submission;
}

TEST(Submission, AGoodOneHasNoRefusal) {
  EXPECT_THAT(refusals(good()), IsEmpty());
}

TEST(Submission, EveryReasonIsTold) {
  Submission submission;
  submission.name = "No Name";
  submission.type = "";
  submission.goal = std::string(goal_bytes_max + 1, 'g');
  submission.environment = {"=x", "NOVALUE"};
  submission.workspace = "relative";
  EXPECT_THAT(refusals(submission),
              ElementsAre(HasSubstr("no command"), HasSubstr("'=x'"), HasSubstr("'NOVALUE'"), HasSubstr("'No Name'"),
                          HasSubstr("type"), HasSubstr("goal"), HasSubstr("absolute"), HasSubstr("descriptor")));
}

TEST(Submission, ANameMustNotLookLikeAnId) {
  auto submission = good();
  submission.name = "a01234567890a";
  EXPECT_THAT(refusals(submission), ElementsAre(HasSubstr("id")));
  submission.name = "administrator";
  EXPECT_THAT(refusals(submission), IsEmpty());
}

TEST(Submission, TheLongestProgramIsAccepted) {
  const std::string argument(program_bytes_max - 1, 'x');
  EXPECT_THAT(refusals({argument}, {}), IsEmpty());
  EXPECT_THAT(refusals({argument + "x"}, {}), ElementsAre(HasSubstr("2.0MiB is the most")));
  EXPECT_THAT(refusals({std::string("a\0b", 3)}, {}), ElementsAre(HasSubstr("NUL")));
}

TEST(Submission, ALongCommandIsRememberedInPart) {
  auto submission = good();
  submission.command = {"cmd", std::string(recorded_command_max, 'x'), "last"};
  const Agent agent = record_of(submission, "a01", TimePoint());
  EXPECT_THAT(agent.command, ElementsAre("cmd", "[2 more arguments]"));
}

TEST(Submission, EnvironmentTellsTheTruthAboutTheAgent) {
  Agent agent;
  agent.id = "a01";
  agent.tenant = "acme";
  const auto pipes =
      environment_of(agent, {}, {"PATH=/mine", "AGENTOS_TENANT=lie", "X=1", "X=2"}, false, "xterm-256color");
  EXPECT_THAT(pipes, Contains("PATH=/mine"));
  EXPECT_THAT(pipes, Contains("X=2"));
  EXPECT_THAT(pipes, Contains("AGENTOS_TENANT=acme"));
  EXPECT_THAT(pipes, Contains("AGENTOS_AGENT_ID=a01"));
  EXPECT_THAT(pipes, Contains("HOME=/home/agent"));
  EXPECT_THAT(pipes, testing::Not(Contains(HasSubstr("TERM="))));
  EXPECT_THAT(environment_of(agent, {}, {}, true, "xterm-256color"), Contains("TERM=xterm-256color"));
}

TEST(AgentIds, RiseAlsoWhenTheClockDoesNot) {
  AgentIds ids;
  const TimePoint now(std::chrono::milliseconds(1'763'900'000'000));
  std::string last;
  for (const auto time : {now, now, now - std::chrono::hours(1), now + std::chrono::milliseconds(1)}) {
    const std::string id = ids.next(time, 0xFFFFFFFF);
    EXPECT_TRUE(is_agent_id(id)) << id;
    EXPECT_GT(id, last);
    last = id;
  }
}

TEST(AgentRecord, IsRefusedWhenCutOrOfAnotherVersion) {
  Agent agent;
  agent.id = "a01";
  agent.command = {"a", "b"};
  agent.exit = ExitRecord{ExitRecord::Kind::exited, 3, 5};
  agent.kill_at = TimePoint(std::chrono::milliseconds(9));
  agent.usage.activity = Activity{.forks = 1, .received_packets = 8, .dropped = 1ULL << 40U};
  const std::string bytes = agent.encode();
  ASSERT_TRUE(Agent::decode(bytes));
  EXPECT_EQ(Agent::decode(bytes)->encode(), bytes);
  EXPECT_EQ(Agent::decode(bytes)->usage, agent.usage);
  for (std::size_t size = 0; size < bytes.size(); ++size) EXPECT_FALSE(Agent::decode(bytes.substr(0, size))) << size;
  EXPECT_FALSE(Agent::decode(bytes + "x"));
  std::string newer = bytes;
  newer[0] = 5;
  EXPECT_THAT(Agent::decode(newer).error().hint(), HasSubstr("newer agentos"));
}

// Version 3 is the same without what was counted, version 2 also without policy and wall time, version 1 also without
// the workspace's mode: every workspace was bound.
TEST(AgentRecord, OfEarlierVersionsIsRead) {
  Agent agent;
  agent.id = "a01";
  agent.workspace = "/w";
  agent.workspace_mode = WorkspaceMode::bind;
  std::string bytes = agent.encode();
  agent.usage.activity.emplace();
  const std::string counted = agent.encode();
  agent.usage.activity.reset();
  const auto activity = std::ranges::mismatch(bytes, counted).in1 - bytes.begin();
  agent.workspace_mode = WorkspaceMode::overlay;
  const std::string other = agent.encode();
  const auto mode = std::ranges::mismatch(bytes, other).in1 - bytes.begin();
  agent.policy = "p";
  const std::string third = agent.encode();
  const auto policy = std::ranges::mismatch(other, third).in1 - other.begin();
  bytes.erase(static_cast<std::size_t>(activity), 1);
  bytes[0] = 3;
  ASSERT_TRUE(Agent::decode(bytes));
  EXPECT_FALSE(Agent::decode(bytes)->usage.activity);
  bytes.erase(static_cast<std::size_t>(policy), 5);  // no text, no time
  bytes[0] = 2;
  const auto second = Agent::decode(bytes);
  ASSERT_TRUE(second);
  EXPECT_EQ(second->policy, "");
  EXPECT_FALSE(second->wall);
  bytes.erase(static_cast<std::size_t>(mode), 1);
  bytes[0] = 1;
  const auto read = Agent::decode(bytes);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->workspace, "/w");
  EXPECT_EQ(read->workspace_mode, WorkspaceMode::bind);
}

}  // namespace
}  // namespace agentos::process
