#include "observer/meter/share.hpp"

#include <gtest/gtest.h>

namespace agentos::observer {
namespace {

using namespace std::chrono_literals;

constexpr Share::Terms terms{.burst = 10, .per_second = 2};

int taken(Share& share, Share::Clock::time_point now, int tries) {
  int count = 0;
  while (tries-- > 0) count += share.take(terms, now) ? 1 : 0;
  return count;
}

TEST(ShareTest, ABurstThenARate) {
  const Share::Clock::time_point start{};
  Share share(terms, start);
  EXPECT_EQ(taken(share, start, 25), 10);
  EXPECT_EQ(share.withheld(), 15U);
  EXPECT_EQ(taken(share, start + 3s, 25), 6);
  EXPECT_EQ(taken(share, start + 3s, 1), 0);
}

TEST(ShareTest, WhatIsNotUsedIsNotSavedBeyondTheBurst) {
  const Share::Clock::time_point start{};
  Share share(terms, start);
  EXPECT_EQ(taken(share, start + 1h, 25), 10);
}

TEST(ShareTest, WhatIsWithheldIsToldOnce) {
  const Share::Clock::time_point start{};
  Share share(terms, start);
  taken(share, start, 13);
  EXPECT_EQ(share.take_untold(), 3U);
  EXPECT_EQ(share.take_untold(), 0U);
  EXPECT_EQ(share.withheld(), 3U);
}

}  // namespace
}  // namespace agentos::observer
