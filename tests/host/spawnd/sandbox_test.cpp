// What a process finds in the sandbox that spawnd builds, before agentos-init has done anything.
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include <gmock/gmock.h>

#include "harness.hpp"

namespace agentos::test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

TEST_F(SpawndTest, process_is_confined) {
  const std::string status = answer("read /proc/self/status");
  EXPECT_THAT(status, HasSubstr("NoNewPrivs:\t1"));
  EXPECT_THAT(status, HasSubstr("Seccomp:\t2"));
  // CAP_KILL 5, SETGID 6, SETUID 7, SETPCAP 8: what agentos-init needs to start programs as the agent.
  EXPECT_THAT(status, HasSubstr("CapEff:\t00000000000001e0"));
  EXPECT_THAT(status, HasSubstr("CapPrm:\t00000000000001e0"));
  EXPECT_THAT(status, HasSubstr("CapBnd:\t00000000000001e0"));
  EXPECT_THAT(status, HasSubstr("CapInh:\t0000000000000000"));
  EXPECT_THAT(status, HasSubstr("CapAmb:\t0000000000000000"));
  EXPECT_THAT(status, HasSubstr("Groups:\t \n"));
  EXPECT_THAT(status, HasSubstr("NSpid:\t1\n"));
}

TEST_F(SpawndTest, host_ids_are_of_the_agents_own_range) {
  const auto started = send(request({"wait"}));
  ASSERT_EQ(started.kind, SpawndReply::Kind::started) << started.message;
  std::ifstream status("/proc/" + std::to_string(started.pid) + "/status");
  const std::string text((std::istreambuf_iterator<char>(status)), {});
  const std::string base = std::to_string(started.uid_base);
  EXPECT_GE(started.uid_base, UidPool::first);
  EXPECT_EQ((started.uid_base - UidPool::first) % UidPool::range, 0U);
  EXPECT_THAT(text, HasSubstr("Uid:\t" + base + "\t" + base + "\t" + base + "\t" + base));
}

TEST_F(SpawndTest, two_agents_have_two_ranges) {
  const auto first = send(request({"wait"}));
  agent_ = "second";
  const auto second = send(request({"wait"}));
  ASSERT_EQ(first.kind, SpawndReply::Kind::started) << first.message;
  ASSERT_EQ(second.kind, SpawndReply::Kind::started) << second.message;
  EXPECT_NE(first.uid_base, second.uid_base);
}

TEST_F(SpawndTest, only_the_given_descriptors_are_open) {
  EXPECT_EQ(answer("open-descriptors"), "0 1 2 3 4 5 6 7 ");
}

TEST_F(SpawndTest, nothing_of_the_host_but_programs_is_there) {
  const auto answers = run({"list /", "list /home", "list /root", "list /run", "read /etc/shadow", "read /etc/passwd",
                            "hostname", "list /usr/bin", "list /sys/class"});
  EXPECT_THAT(answers[0].second, Not(HasSubstr("boot")));
  EXPECT_EQ(answers[1].second, "agent ");
  EXPECT_THAT(answers[2].second, ::testing::AnyOf("", StartsWith("error")));
  EXPECT_EQ(answers[3].second, "agentos ");  // its own names
  EXPECT_THAT(answers[4].second, StartsWith("error"));
  EXPECT_THAT(answers[5].second, HasSubstr("agent:x:1000:1000"));
  EXPECT_EQ(answers[6].second, agent_);
  EXPECT_THAT(answers[7].second, HasSubstr("sh "));
  EXPECT_THAT(answers[8].second, StartsWith("error"));
}

TEST_F(SpawndTest, writes_reach_the_workspace_and_private_places_only) {
  const auto answers =
      run({"become 1000", "write " + workspace_ + "/made", "write /tmp/made", "write /usr/bin/made", "write /made",
           "write /etc/passwd", "write /proc/sys/kernel/core_pattern", "write /home/agent/made"});
  EXPECT_EQ(answers[0].second, "ok");
  EXPECT_EQ(answers[1].second, "ok");
  EXPECT_EQ(answers[2].second, "ok");
  for (std::size_t i = 3; i <= 6; ++i) EXPECT_THAT(answers[i].second, StartsWith("error")) << answers[i].first;
  EXPECT_EQ(answers[7].second, "ok");
}

TEST_F(SpawndTest, the_callers_files_are_the_agents_inside_and_stay_the_callers_outside) {
  const auto answers = run({"become 1000", "write " + workspace_ + "/made", "chmod-setuid " + workspace_ + "/made"});
  EXPECT_EQ(answers[1].second, "ok");
  EXPECT_THAT(answers[2].second, StartsWith("error")) << "a setuid file would be the caller's";
  struct stat status{};
  ASSERT_EQ(::stat((workspace_ + "/made").c_str(), &status), 0);
  EXPECT_EQ(status.st_uid, 0U);
  EXPECT_EQ(status.st_mode & 07777, 0644U);
}

TEST_F(SpawndTest, privileged_calls_are_refused) {
  const auto answers = run({"mount /tmp", "unshare", "bpf", "socket 16", "socket 17", "socket 1", "socket 2"});
  for (std::size_t i = 0; i <= 2; ++i)
    EXPECT_EQ(answers[i].second, "error Operation not permitted") << answers[i].first;
  EXPECT_EQ(answers[3].second, "ok") << "netlink route";
  EXPECT_THAT(answers[4].second, StartsWith("error")) << "packet sockets";
  EXPECT_EQ(answers[5].second, "ok");
  EXPECT_EQ(answers[6].second, "ok");
}

}  // namespace
}  // namespace agentos::test
