#include "process/bell.hpp"

#include <memory>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

namespace agentos::process {
namespace {

boost::asio::awaitable<void> count_rings(Bell& bell, int& rung) {
  const bool woken = co_await bell.wait(bell.rings());
  if (woken) ++rung;
}

TEST(Bell, WakesAllWhoWait) {
  boost::asio::io_context context;
  Bell bell;
  int rung = 0;
  for (int i = 0; i < 3; ++i) boost::asio::co_spawn(context, count_rings(bell, rung), boost::asio::detached);
  context.poll();
  EXPECT_EQ(rung, 0);
  bell.ring();
  context.run();
  EXPECT_EQ(rung, 3);
}

// As when agentosd ends: the services go before the io_context, whose end destroys what still waits. With the
// sanitizers this finds a waiter that would take itself off the list of a bell that is gone.
TEST(Bell, MayGoBeforeThoseWhoWaitForIt) {
  auto context = std::make_unique<boost::asio::io_context>();
  auto bell = std::make_unique<Bell>();
  int rung = 0;
  for (int i = 0; i < 2; ++i) boost::asio::co_spawn(*context, count_rings(*bell, rung), boost::asio::detached);
  context->poll();
  bell.reset();
  context.reset();
  EXPECT_EQ(rung, 0);
}

}  // namespace
}  // namespace agentos::process
