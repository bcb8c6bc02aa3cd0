#include "agentos/model/lifecycle.hpp"

#include <set>

#include <gtest/gtest.h>

namespace agentos {
namespace {

static_assert(next(Status::submitted, Event::admit) == Status::admitted);
static_assert(next(Status::completed, Event::resume) == std::nullopt);
static_assert(Status{} == Status::submitted, "the zero value has no process");

TEST(Lifecycle, a_state_and_an_event_lead_to_one_state) {
  std::set<std::pair<Status, Event>> seen;
  for (const auto& transition : transitions) EXPECT_TRUE(seen.insert({transition.from, transition.event}).second);
}

TEST(Lifecycle, final_states_are_those_without_a_way_out) {
  for (const Status status : {Status::completed, Status::failed, Status::terminated, Status::rejected})
    EXPECT_TRUE(is_final(status));
  for (const Status status : {Status::submitted, Status::admitted, Status::starting, Status::running, Status::paused,
                              Status::waiting_for_human, Status::stopping}) {
    EXPECT_FALSE(is_final(status));
  }
}

TEST(Lifecycle, every_state_with_a_process_can_be_terminated_and_lost) {
  for (const Status status : {Status::starting, Status::running, Status::paused, Status::waiting_for_human}) {
    EXPECT_EQ(next(status, Event::terminate), Status::stopping) << name(status);
    EXPECT_EQ(next(status, Event::killed), Status::failed) << name(status);
  }
}

TEST(Lifecycle, every_state_is_reached_and_every_reached_state_ends) {
  std::set<Status> reached{Status::submitted};
  for (std::size_t i = 0; i < transitions.size(); ++i) {
    for (const auto& transition : transitions) {
      if (reached.contains(transition.from)) reached.insert(transition.to);
    }
  }
  EXPECT_EQ(reached.size(), 11U);
}

TEST(Lifecycle, names_are_read_back) {
  EXPECT_EQ(status_named("waiting_for_human"), Status::waiting_for_human);
  EXPECT_EQ(name(Event::exited_nonzero), "exited_nonzero");
  EXPECT_EQ(status_named("asleep"), std::nullopt);
}

}  // namespace
}  // namespace agentos
