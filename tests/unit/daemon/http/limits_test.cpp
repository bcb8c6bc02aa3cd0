#include <boost/asio/awaitable.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <gmock/gmock.h>

#include "fixture.hpp"

// What a client can push against, each limit at its number.
namespace agentos::http {
namespace {

using boost::asio::awaitable;
using std::chrono::milliseconds;
using testing::HasSubstr;

class Limited : public ServerTest {
 protected:
  Limited() {
    router.add("GET", "/", [](Request&) -> awaitable<Result<Response>> { co_return Response{200, true, {}}; });
    router.add("POST", "/", [](Request&) -> awaitable<Result<Response>> { co_return Response{200, true, {}}; });
    router.add("GET", "/large", [](Request&) -> awaitable<Result<Response>> {
      co_return Response{200, boost::json::string(std::string(1 << 20, 'x')), {}};
    });
    router.add("GET", "/wait", [](Request& request) -> awaitable<Result<Response>> {
      co_await request.closed();
      co_return Response{200, true, {}};
    });
  }
};

TEST_F(Limited, NumbersOfTheProduct) {
  const Limits limits;
  EXPECT_EQ(limits.header_bytes, 16U * 1024);
  EXPECT_EQ(limits.body_bytes, 4U * 1024 * 1024);
  EXPECT_EQ(limits.connections_of_uid, 256U);
  EXPECT_EQ(limits.connections, 4096U);
  EXPECT_EQ(limits.read_time, std::chrono::seconds(30));
  EXPECT_EQ(limits.ping_time, std::chrono::seconds(15));
  EXPECT_EQ(limits.stop_time, std::chrono::seconds(2));
}

TEST_F(Limited, ALongHeadIs431) {
  start();
  const auto head = [](std::size_t size) {
    const std::string start = "GET / HTTP/1.1\r\nX: ";
    return start + std::string(size - start.size() - 4, 'x') + "\r\n\r\n";
  };
  auto client = this->client();
  client.send(head(16 << 10));
  EXPECT_EQ(client.answer().status, 200U);
  client.send(head((16 << 10) + 1));
  EXPECT_EQ(client.answer().status, 431U);
  EXPECT_TRUE(client.ended());
}

TEST_F(Limited, ALongBodyIs413AndTheAnswerArrivesAlthoughTheClientStillSends) {
  start();
  auto client = this->client();
  client.send("POST / HTTP/1.1\r\nContent-Length: " + std::to_string((4 << 20) + 1) + "\r\n\r\n");
  client.send(std::string((4 << 20) + 1, ' '));
  const auto answer = client.answer();
  EXPECT_EQ(answer.status, 413U);
  EXPECT_THAT(answer.body, HasSubstr("4194304"));
}

TEST_F(Limited, NonsenseIs400AndTheEnd) {
  start();
  auto client = this->client();
  client.send("\x16\x03\x01\x02\r\n\r\n");
  const auto answer = client.answer();
  EXPECT_EQ(answer.status, 400U);
  EXPECT_EQ(answer.fields.at("Connection"), "close");
  EXPECT_TRUE(client.ended());
}

TEST_F(Limited, AUidHasSoManyConnections) {
  start();
  std::vector<Client> clients;
  for (unsigned i = 0; i < Limits{}.connections_of_uid; ++i) {
    clients.push_back(client());
    ASSERT_EQ(clients.back().ask("GET", "/").status, 200U) << i;
  }
  auto one_more = client();
  const auto refused = one_more.answer();
  EXPECT_EQ(refused.status, 429U);
  EXPECT_THAT(refused.body, HasSubstr("256 connections open"));
  EXPECT_TRUE(one_more.ended());
  EXPECT_EQ(clients.front().ask("GET", "/").status, 200U);
  clients.pop_back();
  EXPECT_TRUE(eventually([this] { return connections() == 255; }));
  EXPECT_EQ(client().ask("GET", "/").status, 200U);
}

TEST_F(Limited, AllTogetherHaveSoManyConnections) {
  start({.connections = 3});
  std::vector<Client> clients;
  for (int i = 0; i < 3; ++i) {
    clients.push_back(client());
    ASSERT_EQ(clients.back().ask("GET", "/").status, 200U);
  }
  EXPECT_EQ(client().answer().status, 503U);
}

TEST_F(Limited, AUidsBodiesAreBounded) {
  start({.body_bytes_of_uid = 1000});
  const auto announce = [](Client& client, std::size_t size) {
    client.send("POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: " + std::to_string(size) + "\r\n\r\n");
  };
  auto first = client();
  announce(first, 600);
  ASSERT_TRUE(first.receive_until("100 Continue\r\n\r\n"));  // it has its share now
  auto second = client();
  announce(second, 401);
  EXPECT_EQ(second.answer().status, 429U);
  auto third = client();
  announce(third, 400);
  ASSERT_TRUE(third.receive_until("100 Continue\r\n\r\n"));
  first.close();
  ASSERT_TRUE(eventually([this] { return connections() <= 2; }));
  auto fourth = client();
  announce(fourth, 600);
  EXPECT_TRUE(fourth.receive_until("100 Continue\r\n\r\n"));
}

TEST_F(Limited, AByteATimeIsNotForEver) {
  start({.read_time = milliseconds(300), .stop_time = milliseconds(100)});
  auto client = this->client();
  const auto begin = std::chrono::steady_clock::now();
  // Sends for as long as the server lets it: each byte comes well before the deadline, the request never ends.
  pollfd answered{client.fd(), POLLIN, 0};
  const std::string bytes = "GET / HTTP/1.1\r\nX: ";
  std::size_t sent = 0;
  while (::poll(&answered, 1, 20) == 0) {
    if (!client.send(sent < bytes.size() ? bytes.substr(sent, 1) : "x")) break;
    ++sent;
    ASSERT_LT(sent, 500U) << "nobody stops it";
  }
  EXPECT_GE(std::chrono::steady_clock::now() - begin, milliseconds(290));
  EXPECT_EQ(client.answer().status, 408U);
  EXPECT_TRUE(client.ended());
}

TEST_F(Limited, AnIdleConnectionIsClosedAfterAWhile) {
  start({.idle_time = milliseconds(100)});
  EXPECT_TRUE(client().ended());
}

TEST_F(Limited, ALongPollIsNotSlow) {
  start({.read_time = milliseconds(30), .write_time = milliseconds(30)});
  auto client = this->client();
  client.send(Client::request("GET", "/wait"));
  pollfd ready{client.fd(), POLLIN, 0};
  EXPECT_EQ(::poll(&ready, 1, 200), 0) << "it was answered or closed";
  client.close();
  EXPECT_TRUE(eventually([this] { return connections() == 0; }));
}

TEST_F(Limited, WhoDoesNotReadItsAnswerIsClosed) {
  start({.write_time = milliseconds(1500)});
  auto client = this->client();
  client.send(Client::request("GET", "/large"));
  EXPECT_TRUE(eventually([this] { return connections() == 0; }));
  auto patient = this->client();
  EXPECT_EQ(patient.ask("GET", "/large").body.size(), (1U << 20) + 2);
}

TEST_F(Limited, ManyClientsThatMisbehaveHoldUpNobody) {
  start();
  std::vector<Client> clients;
  for (int i = 0; i < 20; ++i) {
    clients.push_back(client());
    clients.back().send(i % 2 ? "GET / HT" : "POST / HTTP/1.1\r\nContent-Length: 100\r\n\r\nabc");
    clients.push_back(client());
    clients.back().send(Client::request("GET", "/large"));
  }
  EXPECT_EQ(client().ask("GET", "/").status, 200U);
}

}  // namespace
}  // namespace agentos::http
