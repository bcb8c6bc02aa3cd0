#include "agentos/client/client.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "scripted_server.hpp"

namespace agentos::client {
namespace {

using testing::answer;
using testing::Asked;
using ::testing::HasSubstr;
using testing::Scripted;
using testing::ScriptedServer;
using namespace std::chrono_literals;

std::size_t open_descriptors() {
  const std::filesystem::directory_iterator all("/proc/self/fd");
  return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

TEST(Client, SendsAJsonRequestAndReadsTheAnswer) {
  const ScriptedServer server([](const Asked&) { return Scripted{answer(201, R"({"id":"a1"})")}; });
  const auto reply = Client(server.socket())
                         .call({.method = "POST", .target = "/v1/agents", .body = boost::json::object{{"name", "x"}}});
  ASSERT_TRUE(reply) << reply.error().message();
  EXPECT_EQ(reply->status, 201U);
  EXPECT_EQ(reply->body.at("id").as_string(), "a1");
  EXPECT_FALSE(reply->fd);
  EXPECT_EQ(server.asked(0).line(), "POST /v1/agents");
  EXPECT_EQ(server.asked(0).body, R"({"name":"x"})");
  EXPECT_THAT(server.asked(0).head, HasSubstr("Content-Type: application/json"));
}

TEST(Client, ReadsAnAnswerThatComesByteByByte) {
  const ScriptedServer server(
      [](const Asked&) { return Scripted{.bytes = answer(200, R"({"agents":[1,2,3]})"), .cut = 1}; });
  const auto reply = Client(server.socket()).call({.target = "/v1/agents"});
  ASSERT_TRUE(reply) << reply.error().message();
  EXPECT_EQ(reply->body.at("agents").as_array().size(), 3U);
}

TEST(Client, PassesDescriptorsBothWays) {
  const testing::TemporaryFolder folder;
  const auto before = open_descriptors();
  {
    const UniqueFd sent(::open(folder.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    const UniqueFd given(::open("/dev/zero", O_RDONLY | O_CLOEXEC));
    const ScriptedServer server([&](const Asked&) { return Scripted{.bytes = answer(201, "{}"), .fd = given.get()}; });
    // A body larger than a socket buffer: the descriptor travels once, with the first byte.
    const auto reply = Client(server.socket())
                           .call({.method = "POST",
                                  .target = "/v1/agents",
                                  .body = boost::json::object{{"pad", std::string(1 << 20, 'x')}},
                                  .fds = {sent.get()}});
    ASSERT_TRUE(reply) << reply.error().message();
    struct stat here{}, there{};
    ASSERT_EQ(server.asked(0).fds.size(), 1U);
    ASSERT_EQ(::fstat(sent.get(), &here) + ::fstat(server.asked(0).fds[0].get(), &there), 0);
    EXPECT_EQ(here.st_ino, there.st_ino);
    ASSERT_TRUE(reply->fd);
    EXPECT_EQ(::fcntl(reply->fd.get(), F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    char zero = 'x';
    EXPECT_EQ(::read(reply->fd.get(), &zero, 1), 1);
    EXPECT_EQ(zero, '\0');
  }
  EXPECT_EQ(open_descriptors(), before);
}

TEST(Client, MakesAnErrorOfAProblem) {
  const ScriptedServer server([](const Asked&) {
    return Scripted{answer(
        409,
        R"({"title":"Conflict","status":409,"detail":"the name 'b' is taken","hint":"choose another","kind":"exists"})",
        "application/problem+json")};
  });
  const auto reply = Client(server.socket()).call({.target = "/v1/agents"});
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().kind(), ErrorKind::exists);
  EXPECT_EQ(reply.error().message(), "the name 'b' is taken");
  EXPECT_EQ(reply.error().hint(), "choose another");
}

TEST(Client, TellsAnotherVersionOfTheApi) {
  for (const auto& unknown :
       {answer(404, "no such page", "text/plain"),
        answer(404, R"({"status":404,"kind":"unsupported","detail":"nothing here"})", "application/problem+json"),
        answer(405, R"({"status":405,"kind":"unsupported","detail":"not so"})", "application/problem+json")}) {
    const ScriptedServer server([&](const Asked&) { return Scripted{unknown}; });
    const auto reply = Client(server.socket()).call({.target = "/v1/agents"});
    ASSERT_FALSE(reply);
    EXPECT_EQ(reply.error().kind(), ErrorKind::unsupported);
    EXPECT_THAT(reply.error().message(), HasSubstr("does not know what this agentos, of version v1"));
  }
  const ScriptedServer same([](const Asked&) {
    return Scripted{
        answer(404, R"({"status":404,"kind":"not_found","detail":"no agent x"})", "application/problem+json")};
  });
  EXPECT_EQ(Client(same.socket()).call({.target = "/v1/agents/x"}).error().message(), "no agent x");
}

TEST(Client, TellsThatNothingListens) {
  const testing::TemporaryFolder folder;
  const auto reply = Client(folder.path() / "absent.sock").call({.target = "/v1/version"});
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().kind(), ErrorKind::unavailable);
  EXPECT_THAT(reply.error().message(), HasSubstr("agentosd is not running"));
  EXPECT_THAT(reply.error().hint(), HasSubstr("start it"));
}

TEST(Client, TellsThatASocketIsForbidden) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root to become another user";
  const ScriptedServer server([](const Asked&) { return Scripted{answer(200, "{}")}; });
  ASSERT_EQ(::chmod(server.socket().c_str(), 0600), 0);
  ASSERT_TRUE(Client(server.socket()).call({.target = "/v1/version"}));  // allowed for the owner
  ASSERT_EQ(::seteuid(65534), 0);
  const auto reply = Client(server.socket()).call({.target = "/v1/version"});
  ASSERT_EQ(::seteuid(0), 0);
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().kind(), ErrorKind::forbidden);
  EXPECT_THAT(reply.error().message(), HasSubstr("you may not connect"));
}

TEST(Client, TellsAnAnswerThatBreaksOff) {
  const ScriptedServer server(
      [](const Asked&) { return Scripted{"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{\"a\""}; });
  const auto reply = Client(server.socket()).call({.target = "/v1/version"});
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().kind(), ErrorKind::unavailable);
}

TEST(Client, TellsAnAnswerThatIsNotHttp) {
  const ScriptedServer server([](const Asked&) { return Scripted{"220 mail.example ESMTP\r\n\r\n"}; });
  const auto reply = Client(server.socket()).call({.target = "/v1/version"});
  ASSERT_FALSE(reply);
  EXPECT_THAT(reply.error().message(), HasSubstr("not HTTP"));
}

TEST(Client, GivesUpWhenNothingIsAnswered) {
  const ScriptedServer server([](const Asked&) { return Scripted{.keep_open = true}; });
  const auto reply = Client(server.socket()).call({.target = "/v1/version", .timeout = 50ms});
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().kind(), ErrorKind::unavailable);
  EXPECT_THAT(reply.error().message(), HasSubstr("does not answer"));
}

TEST(Client, AnInterruptEndsACallSoon) {
  const ScriptedServer server([](const Asked&) { return Scripted{.keep_open = true}; });
  const UniqueFd interrupt(::eventfd(1, EFD_CLOEXEC));
  const auto reply = Client(server.socket()).call({.target = "/v1/version", .interrupt = interrupt.get()});
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().number(), EINTR);
}

TEST(Client, FollowsAChunkedEventStreamToItsEnd) {
  const std::string chunk = "event: agent\ndata: {\"n\":1}\n\n: ping\n\ndata: second\n\n";
  std::array<char, 16> size{};
  std::snprintf(size.data(), size.size(), "%zx", chunk.size());
  const std::string bytes = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n" +
                            std::string(size.data()) + "\r\n" + chunk + "\r\n0\r\n\r\n";
  for (const std::size_t cut : {0, 1, 7}) {
    const ScriptedServer server([&](const Asked&) { return Scripted{.bytes = bytes, .cut = cut}; });
    std::vector<std::string> seen;
    const auto followed = Client(server.socket()).follow("/v1/events", [&](const ServerEvent& event) {
      seen.push_back(event.name + "=" + event.data);
      return true;
    });
    ASSERT_TRUE(followed) << followed.error().message();
    EXPECT_THAT(seen, ::testing::ElementsAre("agent={\"n\":1}", "message=second"));
  }
}

TEST(Client, StopsFollowingWhenToldAndTellsABrokenStream) {
  const std::string head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";
  const ScriptedServer server([&](const Asked&) { return Scripted{head + "9\r\ndata: 1\n\n\r\n"}; });
  EXPECT_TRUE(Client(server.socket()).follow("/v1/events", [](const ServerEvent&) { return false; }));
  const auto broken = Client(server.socket()).follow("/v1/events", [](const ServerEvent&) { return true; });
  ASSERT_FALSE(broken);
  EXPECT_EQ(broken.error().kind(), ErrorKind::unavailable);
}

TEST(Client, FollowReportsAProblem) {
  const ScriptedServer server([](const Asked&) {
    return Scripted{
        answer(404, R"({"status":404,"kind":"not-found","detail":"no agent 'x'"})", "application/problem+json")};
  });
  const auto followed = Client(server.socket()).follow("/v1/agents/x/logs", [](const ServerEvent&) { return true; });
  ASSERT_FALSE(followed);
  EXPECT_EQ(followed.error().kind(), ErrorKind::not_found);
}

}  // namespace
}  // namespace agentos::client
