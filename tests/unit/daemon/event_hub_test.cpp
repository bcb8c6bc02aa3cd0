#include "daemon/event_hub.hpp"

#include <gtest/gtest.h>

#include "fakes/await.hpp"

namespace agentos::daemon {
namespace {

AgentEvent event(std::string id) {
  AgentEvent made;
  made.agent.id = std::move(id);
  return made;
}

TEST(EventHub, EverySubscriberGetsEveryEventInOrder) {
  boost::asio::io_context context{1};
  EventHub hub;
  const auto first = hub.subscribe();
  hub.publish(event("a"));
  const auto second = hub.subscribe();
  hub.publish(event("b"));
  EXPECT_EQ((*fakes::await(context, first->next()))->agent.id, "a");
  EXPECT_EQ((*fakes::await(context, first->next()))->agent.id, "b");
  EXPECT_EQ((*fakes::await(context, second->next()))->agent.id, "b");
}

TEST(EventHub, OneThatDoesNotReadIsCutOffAtTheNumber) {
  boost::asio::io_context context{1};
  EventHub hub;
  const auto slow = hub.subscribe();
  for (std::size_t i = 0; i < EventHub::queue_max; ++i) hub.publish(event("a"));
  EXPECT_TRUE(fakes::await(context, slow->next())) << "still within";
  hub.publish(event("b"));
  hub.publish(event("c"));
  EXPECT_FALSE(fakes::await(context, slow->next())) << "cut off";
}

}  // namespace
}  // namespace agentos::daemon
