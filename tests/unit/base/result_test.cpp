#include "agentos/base/result.hpp"

#include <cerrno>

#include <gtest/gtest.h>

namespace agentos {
namespace {

Result<int> half(int value) {
  if (value % 2 != 0) return fail(ErrorKind::invalid, "odd", "give an even number");
  return value / 2;
}

Result<int> quarter(int value) {
  const int once = AGENTOS_TRY(half(value));
  return AGENTOS_TRY(half(once));
}

Result<> check(int value) {
  AGENTOS_TRY(half(value));
  return {};
}

TEST(Result, try_gives_the_value_or_leaves) {
  EXPECT_EQ(quarter(8), 2);
  EXPECT_EQ(quarter(6).error().message(), "odd");
  EXPECT_EQ(quarter(6).error().hint(), "give an even number");
  EXPECT_TRUE(check(2));
  EXPECT_FALSE(check(3));
}

TEST(Error, carries_the_trail_and_the_errno) {
  const auto error = Error::from_errno(EACCES, "open /etc/shadow").within("start agent");
  EXPECT_EQ(error.message(), "start agent: open /etc/shadow: Permission denied");
  EXPECT_EQ(error.kind(), ErrorKind::forbidden);
  EXPECT_EQ(error.number(), EACCES);
}

TEST(Error, the_kind_follows_from_the_errno) {
  EXPECT_EQ(Error::from_errno(ENOENT, "").kind(), ErrorKind::not_found);
  EXPECT_EQ(Error::from_errno(ENOSPC, "").kind(), ErrorKind::exhausted);
  EXPECT_EQ(Error::from_errno(ENOSYS, "").kind(), ErrorKind::unsupported);
  EXPECT_EQ(Error::from_errno(ECONNREFUSED, "").kind(), ErrorKind::unavailable);
  EXPECT_EQ(Error::from_errno(EIO, "").kind(), ErrorKind::internal);
}

}  // namespace
}  // namespace agentos
