#include "os/cgroup.hpp"

#include <gtest/gtest.h>

namespace agentos::os {
namespace {

TEST(NumberIn, a_single_value) {
  EXPECT_EQ(number_in("4096\n"), 4096U);
  EXPECT_EQ(number_in("18446744073709551615\n"), UINT64_MAX);
  for (const char* text : {"", "\n", "max\n", "-1\n", "4096 1\n", "18446744073709551616\n"})
    EXPECT_EQ(number_in(text), std::nullopt) << text;
}

TEST(NumberIn, one_line_of_many) {
  constexpr auto text = "usage_usec 1500\nuser_usec 1000\nuser 7\nbad x\nlast 3";
  EXPECT_EQ(number_in(text, "usage_usec"), 1500U);
  EXPECT_EQ(number_in(text, "user"), 7U);
  EXPECT_EQ(number_in(text, "last"), 3U);
  for (const char* key : {"usage", "bad", "none", "last 3"}) EXPECT_EQ(number_in(text, key), std::nullopt) << key;
}

}  // namespace
}  // namespace agentos::os
