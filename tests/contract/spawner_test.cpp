#include "agentos/ports/spawner.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <memory>

#include <gtest/gtest.h>

#include "agentos/model/init_spec.hpp"
#include "daemon/spawnd_client.hpp"
#include "fakes/await.hpp"
#include "fakes/fake_spawner.hpp"
#include "fakes/temporary_folder.hpp"
#include "os/cgroup.hpp"
#include "os/file.hpp"
#include "os/process.hpp"
#include "os/socket.hpp"
#include "process/files.hpp"
#include "sandbox/compile/compile.hpp"

namespace agentos {
namespace {

class Fake {
 public:
  explicit Fake(boost::asio::io_context&) {}
  Spawner& spawner() { return spawner_; }
  LayerStore& layers() { return spawner_; }
  std::string upper(const std::string& id) { return spawner_.layer(id); }
  void kill(const Started&, const std::string& id) { spawner_.kill(id); }

 private:
  fakes::TemporaryFolder folder_;
  fakes::FakeSpawner spawner_{folder_.path() + "/agentos.slice"};
};

// The daemon itself, with a slice of its own.
class Real {
 public:
  explicit Real(boost::asio::io_context& context) {
    const std::string socket = folder_.path() + "/spawnd.sock";
    daemon_ = ::fork();
    if (daemon_ == 0) {
      ::execl(AGENTOS_SPAWND, "agentos-spawnd", "--socket", socket.c_str(), "--user", "nobody", "--init", AGENTOS_INIT,
              "--cgroup-slice", slice_.c_str(), "--state-dir", state_.path().c_str(), nullptr);
      ::_exit(127);
    }
    client_ = std::make_unique<daemon::SpawndClient>(context.get_executor(), socket, [](const std::string&) {});
    if (auto facts = fakes::await(context, client_->probe())) slice_path_ = facts->slice;
  }
  Real(const Real&) = delete;
  Real& operator=(const Real&) = delete;
  ~Real() {
    ::kill(daemon_, SIGTERM);
    ::waitpid(daemon_, nullptr, 0);
    ::rmdir((slice_path_ + "/agentos-tenant@contract.service").c_str());
    ::rmdir(slice_path_.c_str());
  }
  Spawner& spawner() { return *client_; }
  LayerStore& layers() { return *client_; }
  std::string upper(const std::string& id) { return state_.path() + "/layers/" + id + "/upper"; }
  void kill(const Started& started, const std::string&) {
    ::syscall(SYS_pidfd_send_signal, started.pidfd.get(), SIGKILL, nullptr, 0);
  }

 private:
  fakes::TemporaryFolder folder_, state_;
  std::string slice_{"agentos-contract-" + std::to_string(::getpid()) + ".slice"};
  std::string slice_path_;
  pid_t daemon_{};
  std::unique_ptr<daemon::SpawndClient> client_;
};

template <class Adapter>
class SpawnerContract : public testing::Test {
 protected:
  static constexpr const char* id = "a01234567890a";
  fakes::TemporaryFolder folder;
  boost::asio::io_context context{1};
  std::unique_ptr<Adapter> adapter;

  void SetUp() override {
    const bool systemd = ::access("/run/systemd/system", F_OK) == 0;
    if (std::is_same_v<Adapter, Real> && (::geteuid() != 0 || systemd))
      GTEST_SKIP() << "needs root, and a host without systemd";
    ::chmod(folder.path().c_str(), 0755);
    adapter = std::make_unique<Adapter>(context);
  }

  // Every test has ended its agent: what it had is removed, as agentosd does.
  void TearDown() override {
    if (adapter) fakes::run_until(context, [this] { return remove().has_value(); });
  }

  Result<Started> start(WorkspaceMode mode = WorkspaceMode::bind) {
    auto facts = fakes::await(context, adapter->spawner().probe());
    if (!facts) return std::unexpected(facts.error());
    facts->seccomp_filter = facts->id_mapped_mounts = facts->overlay =
        true;  // what the fake leaves out, so that there is a plan
    sandbox::SandboxRequest request;
    request.agent = id;
    request.tenant = "contract";
    request.workspace = folder.path();
    request.workspace_mode = mode;
    sandbox::Report report;
    Plan plan = AGENTOS_TRY(sandbox::compile(request, *facts, report));
    const auto files = AGENTOS_TRY(process::AgentFiles::open(folder.path(), folder.path()));
    files.remove(id);
    auto opened = AGENTOS_TRY(files.create(id));
    InitSpec spec{.uid = agent_uid, .gid = agent_uid, .log_max = 1 << 20, .program = {}};
    spec.program.argv = {"/bin/sleep", "1000"};
    spec.program.cwd = folder.path();
    auto [caller, kept] = AGENTOS_TRY(os::socket_pair(SOCK_STREAM));
    std::vector<UniqueFd> fds;
    fds.push_back(std::move(caller));
    fds.emplace_back(::open(folder.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    fds.push_back(AGENTOS_TRY(os::sealed_memory("spec", spec.encode())));
    fds.push_back(std::move(opened.listener));
    fds.push_back(std::move(opened.log_0));
    fds.push_back(std::move(opened.log_1));
    fds.push_back(std::move(opened.exit_record));
    return fakes::await(context, adapter->spawner().start(std::move(plan), std::move(fds)));
  }

  Result<void> remove() { return fakes::await(context, adapter->spawner().remove("contract", id)); }

  static bool ends(const Started& started, int milliseconds) {
    pollfd watched{started.pidfd.get(), POLLIN, 0};
    return ::poll(&watched, 1, milliseconds) == 1;
  }
};
using Adapters = testing::Types<Fake, Real>;
TYPED_TEST_SUITE(SpawnerContract, Adapters);

TYPED_TEST(SpawnerContract, TheFactsSayWhereTheAgentsAre) {
  const auto facts = fakes::await(this->context, this->adapter->spawner().probe());
  ASSERT_TRUE(facts) << facts.error().message();
  const auto started = this->start();
  ASSERT_TRUE(started) << started.error().message();
  EXPECT_EQ(started->cgroup, facts->slice + "/agentos-tenant@contract.service/" + this->id);
  EXPECT_TRUE(os::Cgroup::open(started->cgroup));
  this->adapter->kill(*started, this->id);
  EXPECT_TRUE(this->ends(*started, 5000));
}

TYPED_TEST(SpawnerContract, AStartGivesAProcessThatIsNamedRightly) {
  const auto started = this->start();
  ASSERT_TRUE(started) << started.error().message();
  EXPECT_FALSE(this->ends(*started, 50)) << "it runs";
  EXPECT_TRUE(os::open_pidfd(started->pid, started->start_time));
  EXPECT_FALSE(os::open_pidfd(started->pid, started->start_time + 1));
  EXPECT_GE(started->uid_base, UidPool::first);
  this->adapter->kill(*started, this->id);
  EXPECT_TRUE(this->ends(*started, 5000));
}

TYPED_TEST(SpawnerContract, OneIdIsOneAgent) {
  const auto started = this->start();
  ASSERT_TRUE(started) << started.error().message();
  const auto again = this->start();
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().kind(), ErrorKind::exists) << again.error().message();
  EXPECT_FALSE(this->ends(*started, 50)) << "the first one is untouched";
  this->adapter->kill(*started, this->id);
  EXPECT_TRUE(this->ends(*started, 5000));
}

TYPED_TEST(SpawnerContract, ACgroupIsRemovedWhenItIsEmptyAndOnlyThen) {
  EXPECT_TRUE(this->remove()) << "of one that is not there: done";
  const auto started = this->start();
  ASSERT_TRUE(started) << started.error().message();
  const auto refused = this->remove();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind(), ErrorKind::conflict);
  this->adapter->kill(*started, this->id);
  ASSERT_TRUE(this->ends(*started, 5000));
  // The kernel takes a killed process out of its cgroup a moment after its pidfd tells.
  fakes::run_until(this->context, [this] { return this->remove().has_value(); });
  EXPECT_FALSE(os::Cgroup::open(started->cgroup));
  EXPECT_TRUE(this->remove());
}

TYPED_TEST(SpawnerContract, ALayerIsMadeWithItsAgentAndOutlivesIt) {
  const auto is_empty = [this] {
    const auto state = fakes::await(this->context, this->adapter->layers().look_at_layer(this->id));
    return state ? Result<bool>(state->empty) : std::unexpected(state.error());
  };
  const auto open = [this] {
    auto [mine, theirs] = *os::socket_pair(SOCK_STREAM);
    return fakes::await(this->context, this->adapter->layers().open_layer(this->id, std::move(mine)));
  };
  const auto remove = [this] { return fakes::await(this->context, this->adapter->layers().remove_layer(this->id)); };
  EXPECT_TRUE(remove()) << "of one that is not there: done";
  EXPECT_EQ(is_empty().error().kind(), ErrorKind::not_found);
  EXPECT_EQ(open().error().kind(), ErrorKind::not_found);

  const auto started = this->start(WorkspaceMode::overlay);
  ASSERT_TRUE(started) << started.error().message();
  EXPECT_EQ(is_empty(), true);
  const auto upper = open();
  ASSERT_TRUE(upper) << upper.error().message();
  this->adapter->kill(*started, this->id);
  ASSERT_TRUE(this->ends(*started, 5000));
  fakes::run_until(this->context, [this] { return this->remove().has_value(); });

  EXPECT_EQ(is_empty(), true) << "the agent has gone, its layer has not";
  ASSERT_EQ(::mkdirat(upper->get(), "made", 0755), 0) << "the descriptor is of the layer";
  EXPECT_EQ(::access((this->adapter->upper(this->id) + "/made").c_str(), F_OK), 0);
  EXPECT_EQ(is_empty(), false);
  const auto list = [this](const char* after) {
    return fakes::await(this->context, this->adapter->layers().list_layers(after)).value();
  };
  EXPECT_EQ(list(""), std::vector<std::string>{this->id});
  EXPECT_EQ(list(this->id), std::vector<std::string>());
  EXPECT_TRUE(remove());
  EXPECT_EQ(list(""), std::vector<std::string>());
  EXPECT_EQ(is_empty().error().kind(), ErrorKind::not_found);
}

TYPED_TEST(SpawnerContract, AnAgentThatWritesToItsWorkspaceItselfHasNoLayer) {
  const auto started = this->start(WorkspaceMode::bind);
  ASSERT_TRUE(started) << started.error().message();
  const auto state = fakes::await(this->context, this->adapter->layers().look_at_layer(this->id));
  ASSERT_FALSE(state);
  EXPECT_EQ(state.error().kind(), ErrorKind::not_found);
  this->adapter->kill(*started, this->id);
  EXPECT_TRUE(this->ends(*started, 5000));
}

}  // namespace
}  // namespace agentos
