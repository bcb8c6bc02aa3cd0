#include <fcntl.h>
#include <sys/stat.h>

#include <stdexcept>

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <gmock/gmock.h>

#include "fixture.hpp"

// What one client sees that behaves, or nearly.
namespace agentos::http {
namespace {

using boost::asio::awaitable;

class Serving : public ServerTest {
 protected:
  Serving() {
    router.add("GET", "/hello/{name}", [](Request& request) -> awaitable<Result<Response>> {
      boost::json::object body{{"name", request.parameters.at("name")},
                               {"uid", request.peer.uid},
                               {"gid", request.peer.gid},
                               {"pid", request.peer.pid}};
      body["groups"] = request.peer.groups.size();
      for (const auto& [key, value] : request.query) body["?" + key] = value;
      co_return Response{200, std::move(body), {}};
    });
    router.add("POST", "/echo", [](Request& request) -> awaitable<Result<Response>> {
      co_return Response{201, std::move(request.body), {}};
    });
    router.add("DELETE", "/echo",
               [](Request&) -> awaitable<Result<Response>> { co_return Response{204, nullptr, {}}; });
    router.add("GET", "/broken", [](Request&) -> awaitable<Result<Response>> {
      throw std::runtime_error("secret\x1b[2J");
      co_return Response{};
    });
    router.add("GET", "/refused", [](Request&) -> awaitable<Result<Response>> {
      co_return fail(ErrorKind::conflict, "not now", "later");
    });
    router.add("POST", "/own", [](Request&) -> awaitable<Result<Response>> {
      co_return Response{422, boost::json::object{{"reasons", {"a", "b"}}}, {}};
    });
  }
};

TEST_F(Serving, AnswersAndKnowsItsCaller) {
  start();
  auto client = this->client();
  const auto answer = client.ask("GET", "/hello/w%C3%B6rld?a=b%20c");
  EXPECT_EQ(answer.status, 200U);
  EXPECT_EQ(answer.fields.at("Content-Type"), "application/json");
  const auto body = boost::json::parse(answer.body).as_object();
  EXPECT_EQ(body.at("name").as_string(), "wörld");
  EXPECT_EQ(body.at("?a").as_string(), "b c");
  EXPECT_EQ(body.at("uid").to_number<uid_t>(), ::getuid());
  EXPECT_EQ(body.at("gid").to_number<gid_t>(), ::getgid());
  EXPECT_EQ(body.at("pid").to_number<pid_t>(), ::getpid());
  EXPECT_EQ(body.at("groups").to_number<int>(), ::getgroups(0, nullptr));
}

TEST_F(Serving, KeepsTheConnectionForMany) {
  start();
  auto client = this->client();
  for (int i = 0; i < 100; ++i) {
    const std::string text = "{\"i\":" + std::to_string(i) + "}";
    const auto answer = client.ask("POST", "/echo", text);
    ASSERT_EQ(answer.status, 201U);
    ASSERT_EQ(answer.body, text);
  }
  EXPECT_EQ(client.ask("DELETE", "/echo").status, 204U);
  EXPECT_EQ(connections(), 1U);
}

TEST_F(Serving, AnswersPipelinedRequestsInOrder) {
  start();
  auto client = this->client();
  std::string all;
  for (int i = 0; i < 50; ++i) all += Client::request("POST", "/echo", std::to_string(i));
  ASSERT_TRUE(client.send(all));
  for (int i = 0; i < 50; ++i) EXPECT_EQ(client.answer().body, std::to_string(i));
}

TEST_F(Serving, ClosesWhenAskedTo) {
  start();
  auto client = this->client();
  client.send("GET /hello/a HTTP/1.1\r\nConnection: close\r\n\r\n");
  const auto answer = client.answer();
  EXPECT_EQ(answer.status, 200U);
  EXPECT_EQ(answer.fields.at("Connection"), "close");
  EXPECT_TRUE(client.ended());
  auto old = this->client();
  old.send("GET /hello/a HTTP/1.0\r\n\r\n");
  EXPECT_EQ(old.answer().status, 200U);
  EXPECT_TRUE(old.ended());
}

TEST_F(Serving, AnswersAClientThatHasSaidAllItHasToSay) {
  start();
  auto client = this->client();
  client.send(Client::request("POST", "/echo", "1"));
  client.half_close();
  EXPECT_EQ(client.answer().body, "1");
  EXPECT_TRUE(client.ended());
}

TEST_F(Serving, UnknownPathsAndMethodsAreProblems) {
  start();
  auto client = this->client();
  const auto missing = client.ask("GET", "/nothing");
  EXPECT_EQ(missing.status, 404U);
  EXPECT_EQ(missing.fields.at("Content-Type"), "application/problem+json");
  EXPECT_EQ(boost::json::parse(missing.body).at("kind").as_string(), "unsupported");
  const auto wrong = client.ask("PUT", "/echo", "1");
  EXPECT_EQ(wrong.status, 405U);
  EXPECT_EQ(wrong.fields.at("Allow"), "POST, DELETE");
  EXPECT_EQ(client.ask("GET", "/hello/a?x=1&x=2").status, 400U);
  EXPECT_EQ(client.ask("POST", "/echo", "1").status, 201U);  // and the connection is as good as before
}

TEST_F(Serving, BadJsonIsLocated) {
  start();
  auto client = this->client();
  const auto answer = client.ask("POST", "/echo", "{\"a\": 1,\n \"b\": oops}");
  EXPECT_EQ(answer.status, 400U);
  EXPECT_THAT(answer.body, testing::HasSubstr("line 2, column 7"));
  EXPECT_EQ(client.ask("POST", "/echo", "{\"a\": 1}").status, 201U);
}

TEST_F(Serving, ErrorsOfHandlersAreProblems) {
  start();
  auto client = this->client();
  const auto answer = client.ask("GET", "/refused");
  EXPECT_EQ(answer.status, 409U);
  EXPECT_EQ(boost::json::parse(answer.body).at("hint").as_string(), "later");
  const auto own = client.ask("POST", "/own");
  EXPECT_EQ(own.status, 422U);
  EXPECT_EQ(own.fields.at("Content-Type"), "application/problem+json");
  EXPECT_TRUE(log().empty());
}

TEST_F(Serving, AHandlerThatThrowsIsLoggedAndTheServerGoesOn) {
  start();
  auto client = this->client();
  const auto answer = client.ask("GET", "/broken");
  EXPECT_EQ(answer.status, 500U);
  EXPECT_THAT(answer.body, testing::Not(testing::HasSubstr("secret")));
  EXPECT_THAT(log(), testing::ElementsAre("GET /broken: unexpected: secret\\x1b[2J"));
  EXPECT_EQ(client.ask("POST", "/echo", "1").status, 201U);
}

TEST_F(Serving, ContinuesForWhoAsksFirst) {
  start();
  auto client = this->client();
  client.send("POST /echo HTTP/1.1\r\nContent-Length: 1\r\nExpect: 100-continue\r\n\r\n");
  ASSERT_TRUE(client.receive_until("\r\n\r\n"));
  EXPECT_EQ(client.input, "HTTP/1.1 100 Continue\r\n\r\n");
  client.input.clear();
  client.send("7");
  EXPECT_EQ(client.answer().body, "7");
}

TEST_F(Serving, LargeBodiesGoBothWays) {
  start();
  auto client = this->client();
  const std::string text = "\"" + std::string((4 << 20) - 2, 'x') + "\"";  // the limit itself
  const auto answer = client.ask("POST", "/echo", text);
  EXPECT_EQ(answer.status, 201U);
  EXPECT_TRUE(answer.body == text);
}

TEST_F(Serving, SocketIsOpenToEverybodyAndGoneAfterStop) {
  start();
  struct stat status{};
  ASSERT_EQ(::stat(socket_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777U, 0666U);
  stop();
  EXPECT_FALSE(std::filesystem::exists(socket_));
}

TEST_F(Serving, ASecondServerIsRefusedAndAStaleSocketReplaced) {
  start();
  boost::asio::io_context context;
  const auto second = Server::open(context, socket_, router, {});
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().kind(), ErrorKind::exists);
  EXPECT_EQ(client().ask("POST", "/echo", "1").status, 201U);  // the first is still there

  const auto stale = folder_ / "stale.sock";
  {
    UniqueFd dead(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    stale.string().copy(address.sun_path, sizeof address.sun_path - 1);
    ASSERT_EQ(::bind(dead.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  }
  EXPECT_TRUE(Server::open(context, stale, router, {}));

  const auto file = folder_ / "file";
  ASSERT_TRUE(UniqueFd(::open(file.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600)));
  EXPECT_FALSE(Server::open(context, file, router, {}));
  EXPECT_TRUE(std::filesystem::is_regular_file(file));
}

TEST_F(Serving, AServerTooBusyToAcceptIsNotTakenForDead) {
  UniqueFd busy(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  socket_.string().copy(address.sun_path, sizeof address.sun_path - 1);
  const auto* where = reinterpret_cast<const sockaddr*>(&address);
  ASSERT_EQ(::bind(busy.get(), where, sizeof address), 0);
  ASSERT_EQ(::listen(busy.get(), 0), 0);
  std::vector<UniqueFd> waiting;
  do waiting.emplace_back(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  while (::connect(waiting.back().get(), where, sizeof address) == 0);
  ASSERT_EQ(errno, EAGAIN);
  boost::asio::io_context context;
  const auto server = Server::open(context, socket_, router, {});
  ASSERT_FALSE(server);
  EXPECT_EQ(server.error().kind(), ErrorKind::exists);
  EXPECT_TRUE(std::filesystem::exists(socket_));
}

}  // namespace
}  // namespace agentos::http
