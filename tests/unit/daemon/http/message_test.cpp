#include "daemon/http/message.hpp"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace agentos::http {
namespace {

constexpr std::size_t header_limit = 512;
constexpr std::size_t body_limit = 64;

MessageReader reader() {
  return {header_limit, body_limit};
}

unsigned status_for(std::string input) {
  auto message = reader();
  return message.read(input) ? 0 : message.status();
}

TEST(MessageReader, ReadsARequestWithABody) {
  auto message = reader();
  std::string input = "POST /v1/agents?x=1 HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello";
  ASSERT_TRUE(message.read(input));
  ASSERT_TRUE(message.done());
  EXPECT_EQ(message.body_size(), 5U);
  const auto taken = message.take();
  EXPECT_EQ(taken.method, "POST");
  EXPECT_EQ(taken.target, "/v1/agents?x=1");
  EXPECT_EQ(taken.body, "hello");
  EXPECT_TRUE(taken.keep_alive);
  EXPECT_EQ(input, "");
}

TEST(MessageReader, AnyCutOfTheBytesGivesTheSame) {
  const std::string bytes = "POST /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n";
  for (std::size_t step = 1; step <= bytes.size(); ++step) {
    auto message = reader();
    std::string input;
    for (std::size_t at = 0; at < bytes.size(); at += step) {
      ASSERT_FALSE(message.done()) << step;
      input += bytes.substr(at, step);
      ASSERT_TRUE(message.read(input)) << step;
    }
    ASSERT_TRUE(message.done()) << step;
    EXPECT_EQ(message.take().body, "abcdefg");
  }
}

TEST(MessageReader, LeavesTheNextRequestAlone) {
  auto message = reader();
  const std::string next = "GET /b HTTP/1.1\r\n\r\n";
  std::string input = "POST /a HTTP/1.1\r\nContent-Length: 2\r\n\r\nxy" + next;
  ASSERT_TRUE(message.read(input));
  ASSERT_TRUE(message.done());
  EXPECT_EQ(input, next);
}

TEST(MessageReader, HeadHasALimit) {
  const std::string start = "GET / HTTP/1.1\r\nX: ";
  const std::string end = "\r\n\r\n";
  const std::size_t room = header_limit - start.size() - end.size();
  EXPECT_EQ(status_for(start + std::string(room, 'x') + end), 0U);
  EXPECT_EQ(status_for(start + std::string(room + 1, 'x') + end), 431U);
  EXPECT_EQ(status_for(start + std::string(2 * header_limit, 'x')), 431U);  // no end in sight
  EXPECT_EQ(status_for("GET /" + std::string(2 * header_limit, 'x')), 431U);
}

TEST(MessageReader, BodyHasALimit) {
  const auto announced = [](std::size_t size) {
    return "POST / HTTP/1.1\r\nContent-Length: " + std::to_string(size) + "\r\n\r\n";
  };
  EXPECT_EQ(status_for(announced(body_limit) + std::string(body_limit, 'x')), 0U);
  EXPECT_EQ(status_for(announced(body_limit + 1)), 413U);  // before any of it is read
  EXPECT_EQ(status_for(announced(body_limit + 1) + std::string(2 * header_limit, 'x')), 413U) << "and with it, not 431";
  const std::string chunked = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n";
  EXPECT_EQ(status_for(chunked + chunk_text(std::string(body_limit, 'x')) + "0\r\n\r\n"), 0U);
  EXPECT_EQ(status_for(chunked + chunk_text(std::string(body_limit, 'x')) + chunk_text("y")), 413U);
}

TEST(MessageReader, NonsenseIsRefused) {
  EXPECT_EQ(status_for("GET / HTTP/1.1\r\n\r\n"), 0U);
  EXPECT_EQ(status_for("GET / HTTP/2.0\r\n\r\n"), 505U);
  for (const char* bytes : {"GET /\r\n\r\n", "GET  / HTTP/1.1\r\n\r\n", "\x16\x03\x01\x02\x03\x01",
                            "GET / HTTP/1.1\r\nno colon\r\n\r\n", "GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
                            "GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
                            "GET / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
                            "GET / HTTP/1.1\r\nContent-Length: 99999999999999999999999\r\n\r\n",
                            "GET / HTTP/1.1\r\nA: \x01\r\n\r\n", "GET /\x7f HTTP/1.1\r\n\r\n"}) {
    EXPECT_EQ(status_for(bytes), 400U) << bytes;
  }
}

TEST(MessageReader, KnowsWhoWaitsForContinue) {
  auto message = reader();
  std::string input = "POST / HTTP/1.1\r\nContent-Length: 2\r\nExpect: 100-Continue\r\n\r\n";
  ASSERT_TRUE(message.read(input));
  EXPECT_TRUE(message.has_head());
  EXPECT_FALSE(message.done());
  EXPECT_TRUE(message.expects_continue());
}

TEST(MessageReader, KeepAliveFollowsVersionAndField) {
  const auto keeps = [](std::string input) {
    auto message = reader();
    EXPECT_TRUE(message.read(input));
    return message.take().keep_alive;
  };
  EXPECT_TRUE(keeps("GET / HTTP/1.1\r\n\r\n"));
  EXPECT_FALSE(keeps("GET / HTTP/1.1\r\nConnection: close\r\n\r\n"));
  EXPECT_FALSE(keeps("GET / HTTP/1.0\r\n\r\n"));
  EXPECT_TRUE(keeps("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"));
}

TEST(HeadText, SaysWhatFollows) {
  EXPECT_EQ(head_text({.status = 201, .content_type = "application/json", .content_length = 12}),
            "HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: 12\r\n\r\n");
  EXPECT_EQ(head_text({.status = 204}), "HTTP/1.1 204 No Content\r\n\r\n");
  EXPECT_EQ(head_text({.status = 200}), "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(
      head_text({.status = 200, .content_type = "text/event-stream", .chunked = true, .keep_alive = false}),
      "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n");
}

TEST(EventText, IsOneEventInOneChunk) {
  EXPECT_EQ(event_text("agent", "{}"), "event: agent\ndata: {}\n\n");
  EXPECT_EQ(event_text("", "{}"), "data: {}\n\n");
  EXPECT_EQ(chunk_text(event_text("", "{}")), "a\r\ndata: {}\n\n\r\n");
}

}  // namespace
}  // namespace agentos::http
