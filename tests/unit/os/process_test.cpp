#include "os/process.hpp"

#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <string>

#include <gtest/gtest.h>

namespace agentos::os {
namespace {

TEST(Process, a_pidfd_is_for_the_process_that_was_meant) {
  const pid_t child = ::fork();
  if (child == 0) {
    for (;;) ::pause();
  }
  const auto time = start_time(child);
  ASSERT_TRUE(time);
  const auto fd = open_pidfd(child, *time);
  ASSERT_TRUE(fd);
  EXPECT_EQ(open_pidfd(child, *time + 1).error().kind(), ErrorKind::not_found) << "another process with this pid";
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  pollfd ended{fd->get(), POLLIN, 0};
  EXPECT_EQ(::poll(&ended, 1, 0), 1);
  EXPECT_FALSE(open_pidfd(child, *time));
}

TEST(Process, what_is_no_stat_of_a_process_has_no_time) {
  const std::string fields = " S 1 2 3 0 -1 4194560 1 0 0 0 3 1 0 0 20 0 1 0 ";
  EXPECT_EQ(start_time_in("7 (sh)" + fields + "77005 4354048 612\n"), 77005U);
  EXPECT_EQ(start_time_in("7 (a) R 1 (b)" + fields + "77005"), 77005U);
  for (const std::string& text : {std::string(), std::string("7 (sh"), std::string("7 (sh) S 1"), "7 (sh)" + fields,
                                  "7 (sh)" + fields + "-5", "7 (sh)" + fields + "99999999999999999999"})
    EXPECT_FALSE(start_time_in(text)) << text;
}

TEST(Process, a_name_with_parentheses_does_not_move_the_fields) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::prctl(PR_SET_NAME, ") R 1 2 (");
    for (;;) ::pause();
  }
  const auto mine = start_time(::getpid());
  const auto its = start_time(child);
  ASSERT_TRUE(mine);
  ASSERT_TRUE(its);
  EXPECT_GE(*its, *mine);
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
}

}  // namespace
}  // namespace agentos::os
