#include "os/process.hpp"

#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

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
