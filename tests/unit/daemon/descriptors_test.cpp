#include "daemon/descriptors.hpp"

#include <sys/resource.h>

#include <gtest/gtest.h>

namespace agentos::daemon {

TEST(Descriptors, AnAgentTakesTwoAndAQuarterIsForClients) {
  EXPECT_EQ(live_agents_max(20'000), 7'500U);
  EXPECT_EQ(live_agents_max(1024), 384U);
  EXPECT_EQ(live_agents_max(2), 1U);
  EXPECT_EQ(live_agents_max(1), 0U);
}

TEST(Descriptors, NeverMoreAgentsThanRangesOfUids) {
  EXPECT_EQ(live_agents_max(42'664), 15'999U);
  EXPECT_EQ(live_agents_max(65'536), 16'000U);
}

TEST(Descriptors, TheLimitIsRaisedAndCounted) {
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  rlimit low = before;
  low.rlim_cur = 100;
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &low), 0);
  EXPECT_EQ(live_agents_max(), 37U);
  raise_descriptor_limit();
  rlimit after{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &after), 0);
  EXPECT_GT(after.rlim_cur, 100U);
  EXPECT_LE(after.rlim_cur, 65'536U);
  EXPECT_GT(live_agents_max(), 37U);
  EXPECT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
}

}  // namespace agentos::daemon
