#include "daemon/http/server.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <exception>
#include <optional>
#include <utility>
#include <vector>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

#include "daemon/http/problem.hpp"
#include "daemon/http/state.hpp"
#include "os/socket.hpp"

namespace agentos::http {

namespace asio = boost::asio;
using asio::posix::stream_descriptor;

struct Server::State {
  State(asio::io_context& io, const Router& routes, Log logger, Limits limits)
      : shared(std::make_shared<ServerState>(io, routes, std::move(logger), limits)),
        context(io),
        acceptor(io),
        pause(io) {}

  std::shared_ptr<ServerState> shared;
  asio::io_context& context;
  stream_descriptor acceptor;
  asio::steady_timer pause;  // of the accept loop, when the process is out of descriptors
  std::filesystem::path path;
  struct stat file{};  // the socket file that is ours

  // Another server may have replaced it since.
  void remove_file() {
    struct stat now{};
    if (path.empty() || ::lstat(path.c_str(), &now) != 0) return;
    if (now.st_ino == file.st_ino && now.st_dev == file.st_dev) ::unlink(path.c_str());
    path.clear();
  }
};

namespace {

// One line of the truth for somebody who is not let in, if its socket takes it at once.
void turn_away(const UniqueFd& socket, const Error& error, unsigned status) {
  const std::string text = response_text(problem_response(error, status), 11, false);
  static_cast<void>(::send(socket.get(), text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT));
}

std::optional<std::pair<Error, unsigned>> full(const ServerState& state, uid_t uid) {
  const auto use = state.uids.find(uid);
  if (use != state.uids.end() && use->second.connections >= state.limits.connections_of_uid) {
    return std::pair(
        Error(ErrorKind::exhausted, "this user has " + std::to_string(use->second.connections) + " connections open",
              "close some first"),
        429U);
  }
  if (state.connections.size() >= state.limits.connections) {
    return std::pair(Error(ErrorKind::unavailable, "the daemon has as many connections as it serves", "try again"),
                     503U);
  }
  return std::nullopt;
}

void admit(asio::io_context& context, const std::shared_ptr<ServerState>& state, UniqueFd socket) {
  auto peer = peer_of(socket.get());
  if (!peer) return;
  if (const auto refusal = full(*state, peer->uid)) return turn_away(socket, refusal->first, refusal->second);
  const uid_t uid = peer->uid;
  auto connection =
      std::make_shared<Connection>(context.get_executor(), std::move(socket), std::move(*peer), state->disposal);
  state->connections.insert(connection);
  ++state->uids[uid].connections;
  auto ended = [state, connection, uid](std::exception_ptr exception) {
    // Others may hold the descriptor as well (the spawner, for the caller's credentials): end the connection itself.
    connection->shut_down(SHUT_RDWR);
    connection->clear_deadline();
    state->connections.erase(connection);
    --state->uids[uid].connections;
    state->release(uid);
    state->ended.cancel();
    if (!exception || state->stopping || !state->log) return;
    try {
      std::rethrow_exception(exception);
    } catch (const std::exception& thrown) {
      state->log(std::string("a connection ended: ") + thrown.what());
    }
  };
  asio::co_spawn(context, serve(state, connection),
                 asio::bind_cancellation_slot(connection->cancel.slot(), std::move(ended)));
}

// Until the acceptor is closed.
asio::awaitable<void> accept_all(std::shared_ptr<Server::State> server) {
  const auto state = server->shared;
  bool failing = false;
  while (!state->stopping && server->acceptor.is_open()) {
    UniqueFd socket(::accept4(server->acceptor.native_handle(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    boost::system::error_code error;
    if (socket) {
      failing = false;
      admit(server->context, state, std::move(socket));
      co_await asio::post(server->context, asio::use_awaitable);
    } else if (errno == EAGAIN) {
      co_await server->acceptor.async_wait(stream_descriptor::wait_read,
                                           asio::redirect_error(asio::use_awaitable, error));
    } else if (errno != EINTR && errno != ECONNABORTED) {
      // Out of descriptors or memory. The client stays in the queue, so this would be a busy loop.
      if (!std::exchange(failing, true) && state->log) state->log(std::string("accept: ") + ::strerrordesc_np(errno));
      server->pause.expires_after(std::chrono::milliseconds(100));
      co_await server->pause.async_wait(asio::redirect_error(asio::use_awaitable, error));
    }
  }
}

// Until no connection is left or the time is over.
asio::awaitable<void> wait_for_end(ServerState& state, std::chrono::milliseconds time) {
  const auto end = std::chrono::steady_clock::now() + time;
  while (!state.connections.empty() && std::chrono::steady_clock::now() < end) {
    boost::system::error_code error;
    state.ended.expires_at(end);
    co_await state.ended.async_wait(asio::redirect_error(asio::use_awaitable, error));
  }
}

void end_all(ServerState& state) {
  const std::vector<std::shared_ptr<Connection>> all(state.connections.begin(), state.connections.end());
  for (const auto& connection : all) {
    connection->shut_down(SHUT_RDWR);
    connection->cancel.emit(asio::cancellation_type::terminal);
  }
}

}  // namespace

Result<Server> Server::open(asio::io_context& context, const std::filesystem::path& socket, const Router& router,
                            Log log, Limits limits) {
  UniqueFd listener = AGENTOS_TRY(os::listen_unix(socket, SOCK_STREAM, 0666, SOCK_NONBLOCK));
  auto state = std::make_shared<State>(context, router, std::move(log), limits);
  if (::lstat(socket.c_str(), &state->file) != 0) return fail_errno("look at socket " + socket.string());
  state->path = socket;
  state->acceptor.assign(listener.release());
  return Server(std::move(state));
}

Server::Server(std::shared_ptr<State> state) : state_(std::move(state)) {}
Server::Server(Server&&) noexcept = default;

Server::~Server() {
  if (!state_) return;
  state_->shared->stopping = true;
  state_->remove_file();
  state_->acceptor.close();
  state_->pause.cancel();
  end_all(*state_->shared);
}

void Server::start() {
  asio::co_spawn(state_->context, accept_all(state_), asio::detached);
}

asio::awaitable<void> Server::stop() {
  const auto state = state_;
  ServerState& shared = *state->shared;
  shared.stopping = true;
  state->remove_file();
  state->acceptor.close();
  state->pause.cancel();
  const std::vector<std::shared_ptr<Connection>> all(shared.connections.begin(), shared.connections.end());
  for (const auto& connection : all) {
    if (connection->phase != Connection::Phase::handling) connection->shut_down(SHUT_RDWR);
  }
  co_await wait_for_end(shared, shared.limits.stop_time);
  end_all(shared);
  co_await wait_for_end(shared, shared.limits.stop_time);
}

std::size_t Server::connections() const {
  return state_->shared->connections.size();
}

}  // namespace agentos::http
