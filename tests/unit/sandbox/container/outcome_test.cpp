#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include <gtest/gtest.h>

#include "sandbox/container/report.hpp"
#include "sandbox/container/start.hpp"

namespace agentos::container {
namespace {

struct Outcome : ::testing::Test {
  Outcome() {
    int ends[2];
    EXPECT_EQ(::pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
    starting.report.reset(ends[0]);
    child.reset(ends[1]);
  }
  Starting starting;
  UniqueFd child;
};

// agentosd may freeze the agent's cgroup just there: waiting would be for as long as it likes.
TEST_F(Outcome, is_not_waited_for_between_the_last_report_and_exec) {
  EXPECT_FALSE(outcome(starting));
  Reporter(child.get()).about_to_execute();
  EXPECT_FALSE(outcome(starting));
  EXPECT_FALSE(outcome(starting));
  child.reset();
  const auto ended = outcome(starting);
  ASSERT_TRUE(ended);
  EXPECT_TRUE(*ended);
}

TEST_F(Outcome, is_a_failure_when_the_child_is_gone_before_it_was_ready) {
  child.reset();
  const auto ended = outcome(starting);
  ASSERT_TRUE(ended);
  EXPECT_FALSE(*ended);
}

TEST_F(Outcome, is_what_the_child_says_went_wrong_at_the_very_end) {
  Reporter(child.get()).about_to_execute();
  EXPECT_FALSE(outcome(starting));
  ChildReport report{ChildReport::failed, ENOEXEC, {"execute agentos-init"}};
  ASSERT_EQ(::write(child.get(), &report, sizeof report), static_cast<ssize_t>(sizeof report));
  const auto ended = outcome(starting);
  ASSERT_TRUE(ended);
  ASSERT_FALSE(*ended);
  EXPECT_EQ(ended->error().number(), ENOEXEC);
}

}  // namespace
}  // namespace agentos::container
