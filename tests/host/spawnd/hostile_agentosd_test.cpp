// A hostile agentosd that does more than to change a plan: each is one way that was open once.
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>

#include "harness.hpp"
#include "os/socket.hpp"

namespace agentos::test {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

constexpr uid_t somebody = 12345;

// At a socket that somebody listens on, SO_PEERCRED names the listener to whoever connects: so agentosd could be root,
// by connecting to any socket of root's.
TEST_F(SpawndTest, whom_agentosd_connected_to_is_not_its_caller) {
  ASSERT_EQ(::chmod(folder_.c_str(), 0777), 0);
  const std::string path = folder_ + "/their.sock";
  auto ready = os::socket_pair(SOCK_STREAM);
  ASSERT_TRUE(ready);
  const pid_t child = ::fork();
  if (child == 0) {
    if (::setgid(somebody) != 0 || ::setuid(somebody) != 0) ::_exit(9);
    const auto listener = os::listen_unix(path, SOCK_STREAM, 0666);
    if (!listener || ::write(ready->second.get(), "r", 1) != 1) ::_exit(8);
    for (;;) ::pause();
  }
  ready->second.reset();
  char byte{};
  ASSERT_EQ(::read(ready->first.get(), &byte, 1), 1) << "nobody listens";
  auto wanted = request({"hostname"});
  auto connected = os::connect_unix(path, SOCK_STREAM);
  ASSERT_TRUE(connected);
  ASSERT_EQ(os::peer_credentials(connected->get())->uid, somebody) << "what the kernel says about the other end";
  wanted.fds[0] = std::move(*connected);
  wanted.message.plan.caller_uid = wanted.message.plan.caller_gid = somebody;
  const auto reply = send(wanted);
  EXPECT_EQ(reply.kind, SpawndReply::Kind::failed);
  EXPECT_THAT(reply.message, HasSubstr("has a name"));
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
}

TEST_F(SpawndTest, whoever_connected_to_agentosd_is_its_caller) {
  ASSERT_EQ(::chmod(folder_.c_str(), 0777), 0);
  const std::string path = folder_ + "/api.sock";
  const auto listener = os::listen_unix(path, SOCK_STREAM, 0666);
  ASSERT_TRUE(listener);
  const pid_t child = ::fork();
  if (child == 0) {
    if (::setgid(somebody) != 0 || ::setuid(somebody) != 0) ::_exit(9);
    const auto socket = os::connect_unix(path, SOCK_STREAM);
    for (;;) ::pause();
  }
  auto wanted = request({"hostname"});
  wanted.fds[0].reset(::accept4(listener->get(), nullptr, nullptr, SOCK_CLOEXEC));
  wanted.message.plan.caller_uid = wanted.message.plan.caller_gid = somebody;
  wait_for_end(send(wanted));
  EXPECT_THAT(log(), HasSubstr(agent_));
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
}

TEST_F(SpawndTest, another_users_layer_is_not_had_by_connecting_to_a_daemon_of_roots) {
  workspace_mode_ = WorkspaceMode::empty;
  wait_for_end(send(request({"hostname"})));
  SpawndRequest open;
  open.kind = SpawndRequest::Kind::open_layer;
  open.agent = agent_;
  const auto with = [&](UniqueFd fd) {
    std::vector<UniqueFd> fds;
    fds.push_back(std::move(fd));
    return send(open, fds);
  };
  const std::string path = folder_ + "/roots.sock";
  const auto listener = os::listen_unix(path, SOCK_STREAM, 0666);
  EXPECT_THAT(with(std::move(*os::connect_unix(path, SOCK_STREAM))).message, HasSubstr("has a name"));
  const UniqueFd client = std::move(*os::connect_unix(path, SOCK_STREAM));
  static_cast<void>(::accept4(listener->get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  UniqueFd accepted(::accept4(listener->get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  ASSERT_TRUE(accepted);
  EXPECT_EQ(with(std::move(accepted)).kind, SpawndReply::Kind::layer);
}

TEST_F(SpawndTest, a_start_that_fails_takes_no_earlier_layer_with_it) {
  workspace_mode_ = WorkspaceMode::empty;
  wait_for_end(send(request({"hostname"})));
  while (remove().error == ErrorKind::conflict) {
  }
  const std::string written = state() + "/layers/" + agent_ + "/upper/written";
  std::ofstream(written) << "work of a day";
  ASSERT_TRUE(fs::exists(written));
  tenant_ = "spawnd-test";
  EXPECT_EQ(send(request({"hostname"})).kind, SpawndReply::Kind::failed) << "the layer is there already";
  EXPECT_TRUE(fs::exists(written));
  workspace_mode_ = WorkspaceMode::bind;
  auto wanted = request({"hostname"});
  wanted.message.plan.cgroup.push_back({"pids.max", "nonsense"});
  EXPECT_EQ(send(wanted).kind, SpawndReply::Kind::failed);
  EXPECT_TRUE(fs::exists(written));
}

TEST_F(SpawndTest, a_refused_start_makes_no_tenant) {
  const std::string slice = facts_.cgroup_root + "/" + slice_;
  auto wanted = request({"hostname"});
  wanted.message.plan.tenant = "never-seen";
  wanted.message.plan.caller_uid = somebody;
  EXPECT_EQ(send(wanted).kind, SpawndReply::Kind::failed);
  EXPECT_FALSE(fs::exists(slice + "/agentos-tenant@never-seen.service"));
  ASSERT_EQ(answer("hostname"), agent_);
  EXPECT_TRUE(fs::exists(tenant_cgroup())) << "where it would be";
}

}  // namespace
}  // namespace agentos::test
