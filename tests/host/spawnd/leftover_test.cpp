// What stays behind: nothing after an end, and what must after a crash of spawnd.
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>

#include "harness.hpp"
#include "os/file.hpp"
#include "os/process.hpp"

namespace agentos::test {
namespace {

std::size_t open_descriptors(pid_t process) {
  const std::filesystem::directory_iterator entries("/proc/" + std::to_string(process) + "/fd");
  return static_cast<std::size_t>(std::distance(begin(entries), end(entries)));
}

TEST_F(SpawndTest, a_hundred_starts_leave_nothing) {
  ASSERT_EQ(answer("hostname"), agent_);
  const auto descriptors = open_descriptors(spawnd_);
  for (int i = 0; i < 100; ++i) ASSERT_EQ(answer("hostname"), agent_);
  constexpr std::size_t networks_made_ahead = 8;
  EXPECT_LE(open_descriptors(spawnd_), descriptors + networks_made_ahead);
  EXPECT_TRUE(agent_cgroups().empty());
  // The last one may be on its way still.
  const std::string path = "/proc/" + std::to_string(spawnd_) + "/task/" + std::to_string(spawnd_) + "/children";
  const auto patience = std::chrono::steady_clock::now() + std::chrono::seconds(5);
  std::string children;
  do children = os::read_file(AT_FDCWD, path).value_or("unreadable");
  while (!children.empty() && std::chrono::steady_clock::now() < patience);
  EXPECT_EQ(children, "") << "unreaped children";
}

TEST_F(SpawndTest, layers_are_listed_a_thousand_at_a_time) {
  const auto list = [this](const std::string& after) {
    SpawndRequest request;
    request.kind = SpawndRequest::Kind::list_layers;
    request.agent = after;
    return send(request).layers;
  };
  const auto all = 2 * SpawndReply::layers_max;
  const auto name = [](std::size_t number) { return std::to_string(100'000 + number) + std::string(57, 'x'); };
  for (std::size_t made = 0; made < all; ++made) {
    std::filesystem::create_directory(state() + "/layers/" + name(made));
  }
  const auto first = list("");
  ASSERT_EQ(first.size(), SpawndReply::layers_max);
  EXPECT_EQ(first.front(), name(0));
  const auto second = list(first.back());
  ASSERT_EQ(second.size(), SpawndReply::layers_max);
  EXPECT_EQ(second.front(), name(SpawndReply::layers_max));
  EXPECT_EQ(second.back(), name(all - 1));
  EXPECT_TRUE(list(second.back()).empty());
}

TEST_F(SpawndTest, an_agent_is_not_removed_while_it_runs) {
  const auto started = send(request({"wait"}));
  ASSERT_EQ(started.kind, SpawndReply::Kind::started) << started.message;
  EXPECT_EQ(remove().error, ErrorKind::conflict);
  ASSERT_TRUE(os::write_file(AT_FDCWD, started.cgroup + "/cgroup.kill", "1"));
  wait_for_end(started);
}

TEST_F(SpawndTest, agents_outlive_spawnd_and_keep_their_range) {
  const auto started = send(request({"wait"}));
  ASSERT_EQ(started.kind, SpawndReply::Kind::started) << started.message;
  kill_spawnd();
  EXPECT_EQ(os::start_time(started.pid).value_or(0), started.start_time);
  start_spawnd();
  agent_ = "second";
  const auto second = send(request({"wait"}));
  ASSERT_EQ(second.kind, SpawndReply::Kind::started) << second.message;
  EXPECT_NE(second.uid_base, started.uid_base);
}

TEST_F(SpawndTest, the_same_agent_is_not_started_twice) {
  const auto first = send(request({"wait"}));
  ASSERT_EQ(first.kind, SpawndReply::Kind::started) << first.message;
  EXPECT_EQ(send(request({"wait"})).error, ErrorKind::exists);
}

TEST_F(SpawndTest, a_limit_that_the_kernel_refuses_leaves_nothing) {
  auto wanted = request({"hostname"});
  wanted.message.plan.cgroup.push_back({"pids.max", "nonsense"});
  const auto reply = send(wanted);
  EXPECT_EQ(reply.kind, SpawndReply::Kind::failed);
  EXPECT_NE(reply.message.find("pids.max"), std::string::npos) << reply.message;
  EXPECT_TRUE(agent_cgroups().empty());
}

}  // namespace
}  // namespace agentos::test
