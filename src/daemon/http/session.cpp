#include <sys/socket.h>

#include <exception>
#include <optional>
#include <utility>

#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/json/serialize.hpp>
#include <boost/system/system_error.hpp>

#include "agentos/base/text.hpp"
#include "daemon/http/json.hpp"
#include "daemon/http/message.hpp"
#include "daemon/http/problem.hpp"
#include "daemon/http/state.hpp"
#include "daemon/http/stream.hpp"
#include "daemon/http/target.hpp"

namespace agentos::http {

namespace asio = boost::asio;
using std::chrono::milliseconds;

namespace {

struct Incoming {
  std::optional<Message> message;  // none: the connection has ended
  std::optional<Error> refusal;    // the connection ends with this answer
  unsigned status{400};
};

Incoming refused(Error error, unsigned status) {
  return {std::nullopt, std::move(error), status};
}

asio::awaitable<Incoming> read_request(ServerState& state, Connection& connection, BodyShare& share) {
  MessageReader reader(state.limits.header_bytes, state.limits.body_bytes);
  bool begun = false;
  bool has_head = false;
  connection.set_deadline(state.limits.idle_time);
  for (;;) {
    if (!connection.input().empty()) {
      if (!std::exchange(begun, true)) connection.set_deadline(state.limits.read_time);
      if (auto read = reader.read(connection.input()); !read)
        co_return refused(std::move(read).error(), reader.status());
      if (reader.has_head() && !std::exchange(has_head, true)) {
        if (!share.take(reader.body_size())) {
          co_return refused(
              Error(ErrorKind::exhausted, "this user sends too much at once", "try again when other requests are done"),
              429);
        }
        if (!reader.done() && reader.expects_continue()) {
          const auto io = co_await connection.send("HTTP/1.1 100 Continue\r\n\r\n", -1, milliseconds(0));
          if (io != Connection::Io::ok) co_return Incoming{};
        }
      }
      if (reader.done()) break;
    }
    const auto io = co_await connection.receive();
    if (io == Connection::Io::refused) co_return refused(connection.refusal(), 400);
    if (io == Connection::Io::late && begun) {
      co_return refused(Error(ErrorKind::invalid, "the request did not arrive in time"), 408);
    }
    if (io != Connection::Io::ok) co_return Incoming{};
  }
  connection.clear_deadline();
  co_return Incoming{reader.take(), std::nullopt, 0};
}

// Says why to a client that may still be sending: closing with unread bytes would take the answer away from it.
asio::awaitable<void> refuse(ServerState& state, Connection& connection, Error error, unsigned status) {
  const std::string text = response_text(problem_response(error, status), 11, false);
  const auto io = co_await connection.send(text, -1, state.limits.write_time);
  if (io != Connection::Io::ok) co_return;
  connection.shut_down(SHUT_WR);
  connection.set_deadline(state.limits.stop_time);
  for (;;) {
    connection.input().clear();
    static_cast<void>(connection.take_fds());
    const auto drained = co_await connection.receive();
    if (drained == Connection::Io::closed || drained == Connection::Io::late) co_return;
  }
}

Result<Request> request_of(Message& message, const std::shared_ptr<Connection>& connection) {
  Request request;
  auto target = AGENTOS_TRY(parse_target(message.target));
  request.method = std::move(message.method);
  request.path = std::move(target.path);
  request.query = std::move(target.query);
  request.peer = connection->peer();
  request.connection = connection->fd();
  request.closed = [connection] { return Connection::closed(connection); };
  return request;
}

class Session {
 public:
  Session(std::shared_ptr<ServerState> state, std::shared_ptr<Connection> connection)
      : state_(std::move(state)), connection_(std::move(connection)) {}

  asio::awaitable<void> run() {
    for (bool more = true; more && !state_->stopping;) {
      connection_->phase = Connection::Phase::idle;
      BodyShare share(*state_, connection_->peer().uid);
      // Behind everybody else who is ready: a client that never pauses gets no more than its turn.
      co_await asio::post(connection_->executor(), asio::use_awaitable);
      Incoming incoming = co_await read_request(*state_, *connection_, share);
      if (incoming.refusal) {
        co_await refuse(*state_, *connection_, std::move(*incoming.refusal), incoming.status);
        co_return;
      }
      if (!incoming.message) co_return;
      more = co_await answer(*incoming.message);
    }
  }

 private:
  asio::awaitable<bool> answer(Message& message) {
    version_ = message.version;
    keep_alive_ = message.keep_alive;
    std::vector<UniqueFd> fds = connection_->take_fds();
    auto request = request_of(message, connection_);
    if (!request) {
      const bool kept = co_await write(problem_response(request.error()));
      co_return kept;
    }
    request->fds = std::move(fds);
    const auto route = state_->router.find(request->method, request->path, request->parameters);
    if (!route) {
      const std::string allow = state_->router.methods_of(request->path);
      const bool kept = co_await write(problem_response(route.error(), allow.empty() ? 404 : 405), allow);
      co_return kept;
    }
    if (!message.body.empty()) {
      auto body = parse_json(message.body);
      message.body = {};
      if (!body) {
        const bool kept = co_await write(problem_response(body.error()));
        co_return kept;
      }
      request->body = std::move(*body);
    }
    const bool kept = co_await handle(**route, *request);
    co_return kept;
  }

  asio::awaitable<bool> handle(const Router::Route& route, Request& request) {
    ConnectionStream stream(connection_, version_, keep_alive_, state_->limits.ping_time);
    Response response;
    std::optional<Error> error;
    try {
      if (route.stream) {
        connection_->phase = Connection::Phase::streaming;
        auto result = co_await route.stream(request, stream);
        if (!result) error = reported(route, std::move(result).error());
      } else {
        connection_->phase = Connection::Phase::handling;
        auto result = co_await route.handler(request);
        if (result) {
          response = std::move(*result);
        } else {
          error = reported(route, std::move(result).error());
        }
      }
    } catch (const boost::system::system_error& thrown) {
      if (state_->stopping && thrown.code() == asio::error::operation_aborted) throw;
      error = unexpected(route, thrown.what());
    } catch (const std::exception& thrown) {
      error = unexpected(route, thrown.what());
    }
    if (stream.opened() || (route.stream && !error)) {
      const bool kept = co_await stream.finish();
      co_return kept && !error && !state_->stopping;
    }
    if (error) response = problem_response(*error);
    const bool kept = co_await write(std::move(response));
    co_return kept;
  }

  asio::awaitable<bool> write(Response response, std::string_view allow = {}) {
    const bool keep = keep_alive_ && !state_->stopping;
    const std::string text = response_text(response, version_, keep, allow);
    response.body = nullptr;
    const auto io = co_await connection_->send(text, response.fd.get(), state_->limits.write_time);
    co_return keep&& io == Connection::Io::ok;
  }

  Error reported(const Router::Route& route, Error error) {
    if (error.kind() == ErrorKind::internal) log(route, error.message());
    return error;
  }

  Error unexpected(const Router::Route& route, const char* what) {
    log(route, std::string("unexpected: ") + what);
    return {ErrorKind::internal, "the request failed inside the daemon", "the daemon's log says more"};
  }

  void log(const Router::Route& route, std::string_view what) {
    if (state_->log) state_->log(route.method + " " + route.pattern + ": " + printable(what));
  }

  std::shared_ptr<ServerState> state_;
  std::shared_ptr<Connection> connection_;
  unsigned version_{11};
  bool keep_alive_{false};
};

}  // namespace

std::string response_text(const Response& response, unsigned version, bool keep_alive, std::string_view allow) {
  const std::string body = response.body.is_null() ? std::string() : boost::json::serialize(response.body);
  Head head;
  head.status = response.status;
  head.version = version;
  if (!body.empty()) head.content_type = response.status >= 400 ? "application/problem+json" : "application/json";
  head.content_length = body.size();
  head.keep_alive = keep_alive;
  head.allow = allow;
  return head_text(head) + body;
}

asio::awaitable<void> serve(std::shared_ptr<ServerState> state, std::shared_ptr<Connection> connection) {
  Session session(std::move(state), std::move(connection));
  co_await session.run();
}

}  // namespace agentos::http
