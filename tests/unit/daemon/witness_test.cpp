#include "daemon/witness.hpp"

#include <boost/asio/io_context.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fakes/memory_journal.hpp"

namespace agentos::daemon {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

class WitnessTest : public testing::Test {
 protected:
  boost::asio::io_context context{1};
  fakes::MemoryJournal journal{context.get_executor()};
  Witness::Clock::time_point now{};
  Witness witness{journal, {.burst = 3, .per_second = 1}, [this] { return now; }};

  static Agent agent(std::string id, std::string tenant = "acme") {
    Agent made;
    made.id = std::move(id);
    made.tenant = std::move(tenant);
    return made;
  }

  void exits(std::uint64_t cgroup, int pid = 1) {
    agentos_exit ended{};
    ended.event = {.time = 1,
                   .cgroup = cgroup,
                   .row = 0,
                   .kind = AGENTOS_EVENT_EXIT,
                   .pid = pid,
                   .parent = 0,
                   .uid = 0,
                   .size = sizeof ended};
    witness.heard(ended.event);
  }

  // "agent kind", or with the body of those of the journal's own.
  std::vector<std::string> seen() const {
    std::vector<std::string> all;
    for (const auto& record : journal.records) {
      const auto& entry = record.entry;
      all.push_back(entry.agent + " " + (entry.kind == audit_kind::audit_withheld ? entry.body : entry.kind));
    }
    return all;
  }
};

TEST_F(WitnessTest, AnEventIsItsAgents) {
  witness.began(7, agent("a1"));
  witness.began(8, agent("a2", "other"));
  exits(8);
  exits(7);
  EXPECT_THAT(seen(), ElementsAre("a2 process.exit", "a1 process.exit"));
  EXPECT_EQ(journal.records.front().entry.tenant, "other");
}

TEST_F(WitnessTest, WhatIsHeardBeforeTheAgentIsKnownWaitsForIt) {
  exits(7, 1);
  exits(8, 1);
  exits(7, 2);
  EXPECT_TRUE(seen().empty());
  witness.began(7, agent("a1"));
  EXPECT_THAT(seen(), ElementsAre("a1 process.exit", "a1 process.exit"));
  EXPECT_THAT(journal.records[1].entry.body, testing::HasSubstr("\"pid\":2"));
}

TEST_F(WitnessTest, WhoNeverBecomesKnownIsCounted) {
  exits(7);
  exits(7);
  now += Witness::patience + 1s;
  witness.began(8, agent("a2"));
  EXPECT_THAT(seen(), ElementsAre(R"( {"records":2})"));
}

TEST_F(WitnessTest, TooManyWithoutAnAgentAreCounted) {
  for (std::size_t i = 0; i < Witness::early_max + 5; ++i) exits(7);
  now += Witness::patience + 1s;
  witness.began(7, agent("a1"));
  EXPECT_THAT(seen(), ElementsAre(" {\"records\":" + std::to_string(Witness::early_max + 5) + "}"));
}

TEST_F(WitnessTest, AnAgentThatTellsTooMuchIsHeldToItsShareAndTheOthersAreNot) {
  witness.began(7, agent("a1"));
  witness.began(8, agent("a2"));
  for (int i = 0; i < 10; ++i) exits(7);
  exits(8);
  EXPECT_THAT(seen(), ElementsAre("a1 process.exit", "a1 process.exit", "a1 process.exit", "a2 process.exit"));
  EXPECT_EQ(witness.withheld(7), 7U);
  EXPECT_EQ(witness.withheld(8), 0U);
  journal.records.clear();
  now += 1s;
  exits(7);
  exits(7);
  EXPECT_THAT(seen(), ElementsAre(R"(a1 {"records":7})", "a1 process.exit"));
  journal.records.clear();
  witness.ended("a1");
  EXPECT_THAT(seen(), ElementsAre(R"(a1 {"records":1})"));
  EXPECT_EQ(witness.withheld(7), 8U);
}

TEST_F(WitnessTest, TheLastEventsComeWhenTheAgentHasEnded) {
  witness.began(7, agent("a1"));
  witness.ended("a1");
  exits(7);
  EXPECT_THAT(seen(), ElementsAre("a1 process.exit"));
  now += Witness::patience + 1s;
  exits(7);
  now += Witness::patience + 1s;
  witness.began(8, agent("a2"));
  EXPECT_THAT(seen(), ElementsAre("a1 process.exit", R"( {"records":1})"));
}

}  // namespace
}  // namespace agentos::daemon
