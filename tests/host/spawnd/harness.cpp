#include "harness.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>

#include "os/file.hpp"
#include "os/process.hpp"
#include "os/socket.hpp"
#include "sandbox/compile/compile.hpp"

namespace agentos::test {

namespace fs = std::filesystem;

void SpawndTest::SetUp() {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root";
  char name[] = "/var/tmp/agentos-spawnd-test-XXXXXX";
  ASSERT_NE(::mkdtemp(name), nullptr);
  folder_ = name;
  workspace_ = folder_ + "/workspace";
  fs::create_directory(workspace_);
  slice_ = fs::exists("/run/systemd/system") ? "agentos.slice" : "agentos-test.slice";
  prepare();
  if (!IsSkipped() && !HasFatalFailure()) start_spawnd();
}

void SpawndTest::start_spawnd() {
  const std::string socket = folder_ + "/spawnd.sock";
  spawnd_ = ::fork();
  if (spawnd_ == 0) {
    if (own_mounts_ &&
        (::unshare(CLONE_NEWNS) != 0 || ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0)) {
      ::_exit(127);
    }
    ::execl(SPAWND, "agentos-spawnd", "--socket", socket.c_str(), "--user", "nobody", "--init", WITNESS,
            "--cgroup-slice", slice_.c_str(), "--state-dir", state().c_str(), nullptr);
    ::_exit(127);
  }
  // The socket is the sign of readiness; a daemon that has ended will never make it.
  Result<UniqueFd> connection = os::connect_unix(socket, SOCK_SEQPACKET);
  while (!connection && ::waitpid(spawnd_, nullptr, WNOHANG) == 0)
    connection = os::connect_unix(socket, SOCK_SEQPACKET);
  ASSERT_TRUE(connection) << connection.error().message();
  connection_ = std::move(*connection);
  SpawndRequest probe;
  probe.kind = SpawndRequest::Kind::probe;
  auto facts = HostFacts::decode(send(probe).facts);
  ASSERT_TRUE(facts) << facts.error().message();
  facts_ = std::move(*facts);
}

void SpawndTest::kill_spawnd() {
  ::kill(spawnd_, SIGKILL);
  ::waitpid(spawnd_, nullptr, 0);
  spawnd_ = -1;
}

void SpawndTest::TearDown() {
  if (spawnd_ > 0) {
    for (const auto& agent : agent_cgroups()) {
      [[maybe_unused]] const auto killed =
          os::write_file(AT_FDCWD, tenant_cgroup() + "/" + agent + "/cgroup.kill", "1");
      agent_ = agent;
      while (remove().error == ErrorKind::conflict) {
      }
    }
    ::kill(spawnd_, SIGTERM);
    int status = -1;
    ::waitpid(spawnd_, &status, 0);
    EXPECT_EQ(status, 0) << "agentos-spawnd did not end well";
  }
  if (!facts_.systemd && !slice_.empty()) {
    ::rmdir(tenant_cgroup().c_str());
    ::rmdir((facts_.cgroup_root + "/" + slice_).c_str());
  }
  if (folder_.empty()) return;
  // What spawnd deletes in the background may go away under our hands: then once more.
  std::error_code error;
  for (int tries = 0; tries < 1000; ++tries) {
    fs::remove_all(folder_, error);
    if (!error) return;
  }
  ADD_FAILURE() << folder_ << " stays: " << error.message();
}

std::string SpawndTest::tenant_cgroup() const {
  return facts_.cgroup_root + "/" + slice_ + "/agentos-tenant@" + tenant_ + ".service";
}

std::vector<std::string> SpawndTest::agent_cgroups() const {
  std::vector<std::string> names;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(tenant_cgroup(), error)) {
    // On systemd hosts `unit` holds the process of the tenant's unit, and `.control` held the one that put it there.
    const std::string name = entry.path().filename();
    if (entry.is_directory() && name != "unit" && name != ".control") names.push_back(name);
  }
  return names;
}

SpawndTest::Request SpawndTest::request(const std::vector<std::string>& tries) {
  Request request;
  sandbox::SandboxRequest wanted;
  wanted.agent = agent_;
  wanted.name = agent_;
  wanted.tenant = tenant_;
  wanted.workspace = workspace_;
  wanted.workspace_mode = workspace_mode_;
  sandbox::Report report;
  auto plan = sandbox::compile(wanted, facts_, report);
  EXPECT_TRUE(plan) << plan.error().message();
  request.message.kind = SpawndRequest::Kind::start;
  request.message.plan = std::move(*plan);
  request.message.plan.layer_limit = layer_limit_;

  std::string lines;
  for (const auto& line : tries) lines += line + "\n";
  auto caller = os::socket_pair(SOCK_STREAM);
  auto listener = os::listen_unix(folder_ + "/attach-" + std::to_string(next_request_) + ".sock", SOCK_SEQPACKET, 0600);
  const auto file = [&](const char* name) {
    return UniqueFd(::open((folder_ + "/" + name).c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  };
  request.fds.push_back(std::move(caller->first));
  request.fds.emplace_back(::open(workspace_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  request.fds.push_back(std::move(*os::sealed_memory("spec", lines)));
  request.fds.push_back(std::move(*listener));
  for (const char* name : {"log.0", "log.1", "exit"}) request.fds.push_back(file(name));
  return request;
}

SpawndReply SpawndTest::send(const SpawndRequest& message, const std::vector<UniqueFd>& fds) {
  SpawndRequest numbered = message;
  numbered.id = next_request_++;
  std::vector<int> numbers;
  for (const auto& fd : fds) numbers.push_back(fd.get());
  const auto sent = os::send_packet(connection_.get(), numbered.encode(), numbers);
  EXPECT_TRUE(sent) << sent.error().message();
  auto packet = os::receive_packet(connection_.get(), plan_message_max);
  if (!packet) {
    ADD_FAILURE() << packet.error().message();
    return {};
  }
  auto reply = SpawndReply::decode(packet->bytes);
  EXPECT_TRUE(reply);
  EXPECT_EQ(reply->id, numbered.id);
  if (!packet->fds.empty()) pidfd_ = std::move(packet->fds[0]);
  return reply ? *reply : SpawndReply{};
}

void SpawndTest::wait_for_end(const SpawndReply& started) {
  ASSERT_EQ(started.kind, SpawndReply::Kind::started) << started.message;
  pollfd ended{pidfd_.get(), POLLIN, 0};
  ASSERT_EQ(::poll(&ended, 1, 20000), 1) << "the sandbox has not ended";
}

SpawndReply SpawndTest::remove() {
  SpawndRequest removal;
  removal.kind = SpawndRequest::Kind::remove;
  removal.tenant = tenant_;
  removal.agent = agent_;
  return send(removal);
}

std::string SpawndTest::log() const {
  return os::read_file(AT_FDCWD, folder_ + "/log.0").value_or("no log");
}

std::vector<std::pair<std::string, std::string>> SpawndTest::run(const std::vector<std::string>& tries) {
  wait_for_end(send(request(tries)));
  SpawndReply removed = remove();
  while (removed.kind == SpawndReply::Kind::failed && removed.error == ErrorKind::conflict) removed = remove();
  EXPECT_EQ(removed.kind, SpawndReply::Kind::removed) << removed.message;
  std::vector<std::pair<std::string, std::string>> answers;
  std::string rest = log();
  for (std::size_t i = 0; i < tries.size(); ++i) {
    const std::string mark = tries[i] + ": ";
    const auto begin = rest.find(mark);
    if (begin == std::string::npos) {
      ADD_FAILURE() << "no answer to '" << tries[i] << "' in: " << rest;
      answers.emplace_back(tries[i], "");
      continue;
    }
    rest.erase(0, begin + mark.size());
    const auto end = i + 1 < tries.size() ? rest.find("\n" + tries[i + 1] + ": ") : rest.size() - 1;
    answers.emplace_back(tries[i], rest.substr(0, end));
  }
  return answers;
}

}  // namespace agentos::test
