#include "daemon/spawnd_client.hpp"

#include <atomic>
#include <memory>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fakes/await.hpp"
#include "fakes/fake_spawnd.hpp"
#include "fakes/temporary_folder.hpp"

namespace agentos::daemon {
namespace {

using namespace std::chrono_literals;
using fakes::FakeSpawnd;
using testing::HasSubstr;
using Kind = SpawndReply::Kind;

class SpawndClientTest : public testing::Test {
 protected:
  fakes::TemporaryFolder folder;
  std::string socket = folder.path() + "/spawnd.sock";
  boost::asio::io_context context{1};
  std::atomic<int> probes{0};
  SpawndClient::Patience patience{.connect = 2000ms, .answer = 2000ms};

  std::unique_ptr<SpawndClient> client() {
    return std::make_unique<SpawndClient>(context.get_executor(), socket, [](const std::string&) {}, patience);
  }

  std::optional<FakeSpawnd::Answer> facts(const SpawndRequest& request) {
    if (request.kind != SpawndRequest::Kind::probe) return std::nullopt;
    ++probes;
    HostFacts host;
    host.kernel = "test";
    FakeSpawnd::Answer answer;
    answer.reply.kind = Kind::facts;
    answer.reply.facts = host.encode();
    return answer;
  }

  static std::vector<UniqueFd> seven() {
    std::vector<UniqueFd> fds;
    for (std::size_t i = 0; i < start_fds_required; ++i) fds.emplace_back(::dup(0));
    return fds;
  }
};

TEST_F(SpawndClientTest, ProbesOnceAConnection) {
  FakeSpawnd spawnd(socket, [this](const auto& request, const auto&) { return facts(request); });
  const auto asked = client();
  ASSERT_EQ(fakes::await(context, asked->probe())->kernel, "test");
  ASSERT_EQ(fakes::await(context, asked->probe())->kernel, "test");
  EXPECT_EQ(probes, 1);
}

TEST_F(SpawndClientTest, StartSendsTheDescriptorsAndBringsAPidfd) {
  std::atomic<std::size_t> got{0};
  FakeSpawnd spawnd(socket, [&](const SpawndRequest& request, const std::vector<UniqueFd>& fds) {
    got = fds.size();
    FakeSpawnd::Answer answer;
    answer.reply.kind = Kind::started;
    answer.reply.pid = 77;
    answer.reply.start_time = 5;
    answer.reply.cgroup = "/cg/" + request.plan.agent;
    answer.fd = 0;
    return std::optional(answer);
  });
  const auto asked = client();
  Plan plan;
  plan.agent = "a01";
  const auto started = fakes::await(context, asked->start(std::move(plan), seven()));
  ASSERT_TRUE(started) << started.error().message();
  EXPECT_EQ(got, start_fds_required);
  EXPECT_EQ(started->pid, 77);
  EXPECT_EQ(started->cgroup, "/cg/a01");
  EXPECT_TRUE(started->pidfd);
}

TEST_F(SpawndClientTest, ARefusalKeepsItsKindAndHint) {
  FakeSpawnd spawnd(socket, [](const auto&, const auto&) {
    FakeSpawnd::Answer answer;
    answer.reply.kind = Kind::failed;
    answer.reply.error = ErrorKind::unsupported;
    answer.reply.message = "no id-mapped mounts";
    answer.reply.hint = "use ext4";
    return std::optional(answer);
  });
  const auto asked = client();
  const auto refused = fakes::await(context, asked->remove("acme", "a01"));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind(), ErrorKind::unsupported);
  EXPECT_EQ(refused.error().hint(), "use ext4");
}

TEST_F(SpawndClientTest, WithoutSpawndItGivesUpInTimeAndSaysHowToStartIt) {
  patience.connect = 50ms;
  const auto asked = client();
  const auto failed = fakes::await(context, asked->probe());
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().kind(), ErrorKind::unavailable);
  EXPECT_THAT(failed.error().hint(), HasSubstr("systemctl start agentos-spawnd"));
}

TEST_F(SpawndClientTest, ARequestWaitsForASpawndThatComesLate) {
  const auto asked = client();
  std::unique_ptr<FakeSpawnd> late;
  boost::asio::steady_timer timer(context, 100ms);
  timer.async_wait([&](auto) {
    late = std::make_unique<FakeSpawnd>(socket, [this](const auto& request, const auto&) { return facts(request); });
  });
  EXPECT_TRUE(fakes::await(context, asked->probe()));
}

TEST_F(SpawndClientTest, AnAnswerThatNeverComesIsUnavailableAndTheNextWorks) {
  std::atomic<bool> dies{true};
  FakeSpawnd spawnd(socket, [&](const SpawndRequest& request, const auto&) {
    return dies.exchange(false) ? std::nullopt : facts(request);  // hangs up on the first
  });
  const auto asked = client();
  const auto lost = fakes::await(context, asked->start({}, seven()));
  ASSERT_FALSE(lost);
  EXPECT_EQ(lost.error().kind(), ErrorKind::unavailable);
  EXPECT_TRUE(fakes::await(context, asked->probe()));
  EXPECT_EQ(spawnd.connections(), 2);
}

TEST_F(SpawndClientTest, EachConnectionIsGreetedBeforeAnythingIsAskedOnIt) {
  std::vector<SpawndRequest::Kind> seen;
  std::atomic<bool> dies{false};
  FakeSpawnd spawnd(socket, [&](const SpawndRequest& request, const auto&) {
    seen.push_back(request.kind);
    return dies.exchange(false) ? std::nullopt : std::optional(facts(request).value_or(FakeSpawnd::Answer{}));
  });
  const auto asked = client();
  boost::asio::steady_timer slowly(context);
  asked->on_connection([&]() -> boost::asio::awaitable<void> {
    slowly.expires_after(20ms);
    co_await slowly.async_wait(boost::asio::use_awaitable);
    static_cast<void>(co_await asked->meter());
  });
  EXPECT_TRUE(fakes::await(context, asked->probe()));
  dies = true;
  EXPECT_FALSE(fakes::await(context, asked->remove("acme", "a01")));
  EXPECT_TRUE(fakes::await(context, asked->probe()));
  using enum SpawndRequest::Kind;
  EXPECT_THAT(seen, testing::ElementsAre(meter, probe, remove, meter, probe));
}

TEST_F(SpawndClientTest, AStartWithoutAPidfdIsAnError) {
  FakeSpawnd spawnd(socket, [](const auto&, const auto&) {
    FakeSpawnd::Answer answer;
    answer.reply.kind = Kind::started;
    return std::optional(answer);
  });
  const auto asked = client();
  EXPECT_EQ(fakes::await(context, asked->start({}, seven())).error().kind(), ErrorKind::internal);
}

}  // namespace
}  // namespace agentos::daemon
