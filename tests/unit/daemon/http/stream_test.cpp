#include <atomic>

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/json/object.hpp>
#include <gmock/gmock.h>

#include "fixture.hpp"

// Event streams, long polls, and how they end.
namespace agentos::http {
namespace {

using boost::asio::awaitable;
using boost::asio::use_awaitable;
using std::chrono::milliseconds;
using testing::HasSubstr;

awaitable<void> sleep(milliseconds time) {
  boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor, time);
  co_await timer.async_wait(use_awaitable);
}

class Streaming : public ServerTest {
 protected:
  Streaming() {
    router.add_stream("GET", "/three", [](Request&, EventStream& stream) -> awaitable<Result<void>> {
      for (int i = 0; i < 3; ++i) {
        const boost::json::value data = boost::json::object{{"i", i}, {"text", "a\nb"}};
        co_await stream.send(i == 2 ? "" : "count", data);
      }
      co_return Result<void>{};
    });
    router.add_stream("GET", "/refused", [](Request&, EventStream&) -> awaitable<Result<void>> {
      co_return fail(ErrorKind::forbidden, "no");
    });
    router.add_stream("GET", "/late", [](Request&, EventStream& stream) -> awaitable<Result<void>> {
      const boost::json::value data = 1;
      co_await stream.send("", data);
      co_return fail(ErrorKind::internal, "too late to say");
    });
    router.add_stream("GET", "/silent", [this](Request&, EventStream& stream) -> awaitable<Result<void>> {
      const Running running(*this);
      co_await stream.open();
      co_await stream.closed();
      co_return Result<void>{};
    });
    router.add_stream("GET", "/flood", [this](Request&, EventStream& stream) -> awaitable<Result<void>> {
      const Running running(*this);
      const boost::json::value data = boost::json::string(std::string(10'000, 'x'));
      for (;;) {
        const bool sent = co_await stream.send("", data);
        if (!sent) break;
        ++sent_;
      }
      co_return Result<void>{};
    });
    router.add("GET", "/wait", [this](Request& request) -> awaitable<Result<Response>> {
      const Running running(*this);
      co_await request.closed();
      co_return fail(ErrorKind::unavailable, "gone");
    });
    router.add("GET", "/slow", [this](Request&) -> awaitable<Result<Response>> {
      const Running running(*this);
      while (!release_) co_await sleep(milliseconds(5));
      co_return Response{200, "done", {}};
    });
    router.add("GET", "/never", [this](Request&) -> awaitable<Result<Response>> {
      const Running running(*this);
      co_await sleep(std::chrono::hours(1));
      co_return Response{200, "done", {}};
    });
  }

  struct Running {
    explicit Running(Streaming& owner) : test(owner) { ++test.running_; }
    ~Running() { --test.running_; }
    Running(const Running&) = delete;
    Running& operator=(const Running&) = delete;
    Streaming& test;
  };

  std::atomic<int> running_{0};
  std::atomic<int> sent_{0};
  std::atomic<bool> release_{false};  // lets /slow answer
};

TEST_F(Streaming, EventsComeInChunksAndTheConnectionGoesOn) {
  start();
  auto client = this->client();
  client.send(Client::request("GET", "/three"));
  const auto answer = client.answer();
  EXPECT_EQ(answer.status, 200U);
  EXPECT_EQ(answer.fields.at("Content-Type"), "text/event-stream");
  EXPECT_EQ(answer.fields.at("Transfer-Encoding"), "chunked");
  ASSERT_TRUE(client.receive_until("\r\n0\r\n\r\n"));
  EXPECT_EQ(client.input,
            "2a\r\nevent: count\ndata: {\"i\":0,\"text\":\"a\\nb\"}\n\n\r\n"
            "2a\r\nevent: count\ndata: {\"i\":1,\"text\":\"a\\nb\"}\n\n\r\n"
            "1d\r\ndata: {\"i\":2,\"text\":\"a\\nb\"}\n\n\r\n0\r\n\r\n");
  client.input.clear();
  EXPECT_EQ(client.ask("GET", "/refused").status, 403U);
}

TEST_F(Streaming, AnOldClientGetsItUntilTheConnectionsEnd) {
  start();
  auto client = this->client();
  client.send("GET /three HTTP/1.0\r\n\r\n");
  const auto answer = client.answer();
  EXPECT_FALSE(answer.fields.contains("Transfer-Encoding"));
  while (client.receive()) {
  }
  EXPECT_THAT(client.input, testing::StartsWith("event: count\ndata: "));
  EXPECT_THAT(client.input, testing::EndsWith("\n\n"));
}

TEST_F(Streaming, AnErrorBeforeTheFirstEventIsAProblemAndLaterTheEnd) {
  start();
  auto client = this->client();
  const auto refused = client.ask("GET", "/refused");
  EXPECT_EQ(refused.status, 403U);
  EXPECT_EQ(refused.fields.at("Content-Type"), "application/problem+json");
  client.send(Client::request("GET", "/late"));
  EXPECT_EQ(client.answer().status, 200U);
  while (client.receive()) {
  }
  EXPECT_THAT(client.input, HasSubstr("data: 1\n"));
  EXPECT_THAT(log(), testing::ElementsAre("GET /late: too late to say"));
}

TEST_F(Streaming, ASilentStreamIsOpenAtOnceAndPings) {
  start({.ping_time = milliseconds(20)});
  auto client = this->client();
  client.send(Client::request("GET", "/silent"));
  EXPECT_EQ(client.answer().status, 200U);
  ASSERT_TRUE(client.receive_until("8\r\n: ping\n\n\r\n8\r\n: ping\n\n\r\n"));
}

TEST_F(Streaming, AClientThatLeavesEndsItsStreamAndItsPoll) {
  start();
  const std::size_t before = open_fds();
  for (const char* path : {"/silent", "/flood", "/wait"}) {
    auto client = this->client();
    client.send(Client::request("GET", path));
    ASSERT_TRUE(eventually([this] { return running_ == 1; })) << path;
    client.close();
    EXPECT_TRUE(eventually([this] { return running_ == 0 && connections() == 0; })) << path;
  }
  EXPECT_TRUE(eventually([&] { return open_fds() == before; }));
}

TEST_F(Streaming, AClientThatDoesNotReadHoldsTheHandlerAndOneEvent) {
  start({.ping_time = milliseconds(5)});
  auto client = this->client();
  client.send(Client::request("GET", "/flood"));
  // The socket takes what its buffer holds; then the handler waits, however often it gets its turn.
  int last = -1;
  auto other = this->client();
  ASSERT_TRUE(eventually([&] {
    last = sent_;
    for (int i = 0; i < 100; ++i) other.ask("GET", "/refused");
    return last > 0 && sent_ == last;
  }));
  EXPECT_LT(last, 1000);
  // It goes on where it was, no ping in the middle of an event.
  std::size_t events = 0;
  client.answer();
  while (sent_ < last + 100 && client.receive()) {
  }
  const std::string event = "271a\r\ndata: \"" + std::string(10'000, 'x') + "\"\n\n\r\n";
  const std::string ping = "8\r\n: ping\n\n\r\n";
  std::string_view rest = client.input;
  while (rest.size() >= event.size()) {
    const std::string_view next = rest.starts_with(ping) ? ping : event;
    ASSERT_TRUE(rest.starts_with(next)) << rest.substr(0, 40);
    if (next == event) ++events;
    rest.remove_prefix(next.size());
  }
  EXPECT_GE(events, 100U);
}

TEST_F(Streaming, AHalfClosedClientKeepsItsStream) {
  start({.ping_time = milliseconds(10)});
  auto client = this->client();
  client.send(Client::request("GET", "/silent"));
  client.half_close();
  EXPECT_TRUE(client.receive_until(": ping"));
  EXPECT_EQ(running_, 1);
}

TEST_F(Streaming, StopLetsRequestsEndAndClosesTheRest) {
  start({.stop_time = std::chrono::seconds(60)});
  auto idle = client();
  ASSERT_EQ(idle.ask("GET", "/refused").status, 403U);
  auto silent = client();
  silent.send(Client::request("GET", "/silent"));
  ASSERT_EQ(silent.answer().status, 200U);
  auto half = client();
  half.send("GET /slow HT");
  auto slow = client();
  slow.send(Client::request("GET", "/slow"));
  ASSERT_TRUE(eventually([this] { return running_ == 2; }));
  auto stopped = begin_stop();
  EXPECT_TRUE(idle.ended());
  EXPECT_TRUE(half.ended());
  EXPECT_TRUE(silent.ended());
  EXPECT_FALSE(client().connected());
  release_ = true;
  const auto answer = slow.answer();
  EXPECT_EQ(answer.status, 200U);
  EXPECT_EQ(answer.fields.at("Connection"), "close");
  EXPECT_TRUE(slow.ended());
  stopped.get();
  EXPECT_EQ(running_, 0);
  EXPECT_TRUE(log().empty());
}

TEST_F(Streaming, StopDoesNotWaitForEver) {
  start({.stop_time = milliseconds(100)});
  auto client = this->client();
  client.send(Client::request("GET", "/never"));
  ASSERT_TRUE(eventually([this] { return running_ == 1; }));
  stop();
  EXPECT_TRUE(client.ended());
  EXPECT_EQ(running_, 0);
}

TEST_F(Streaming, ADestroyedServerLeavesNoSocketAndNoHandler) {
  start();
  auto never = client();
  never.send(Client::request("GET", "/never"));
  auto flood = client();
  flood.send(Client::request("GET", "/flood"));
  ASSERT_TRUE(eventually([this] { return running_ == 2; }));
  halt();
  EXPECT_FALSE(std::filesystem::exists(socket_));
  EXPECT_EQ(never.answer().status, 0U);
}

}  // namespace
}  // namespace agentos::http
