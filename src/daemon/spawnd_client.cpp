#include "daemon/spawnd_client.hpp"

#include <algorithm>
#include <cerrno>
#include <exception>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "os/socket.hpp"

namespace agentos::daemon {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;

constexpr const char* spawnd_hint =
    "start it (systemctl start agentos-spawnd) and look at its log (journalctl -u agentos-spawnd)";

}  // namespace

SpawndClient::SpawndClient(asio::any_io_executor executor, std::string socket, Log log, Patience patience)
    : executor_(std::move(executor)), socket_(std::move(socket)), log_(std::move(log)), patience_(patience) {
  asio::co_spawn(executor_, run(), [](std::exception_ptr error) {
    if (error) std::rethrow_exception(error);
  });
}

SpawndClient::~SpawndClient() = default;

asio::awaitable<void> SpawndClient::run() {
  asio::steady_timer timer(executor_);
  std::chrono::milliseconds pause = 0ms;
  for (;;) {
    auto socket = os::connect_unix(socket_, SOCK_SEQPACKET, SOCK_NONBLOCK);
    std::string why;
    if (socket) {
      pause = 0ms;
      last_error_.clear();
      log_("connected to agentos-spawnd");
      connection_ = std::make_shared<Connection>(executor_, socket->release());
      asio::co_spawn(executor_, greet(connection_), [](std::exception_ptr error) {
        if (error) std::rethrow_exception(error);
      });
      why = (co_await read_replies(connection_)).message();
      connection_.reset();
      greeted_ = false;
      facts_.reset();
      for (const auto& [id, pending] : pending_) {
        pending->result = fail(ErrorKind::unavailable, "agentos-spawnd ended before it answered", spawnd_hint);
        pending->bell.ring();
      }
      pending_.clear();
    } else {
      why = socket.error().message();
    }
    if (why != last_error_) log_("no connection to agentos-spawnd: " + why);
    last_error_ = why;
    pause = std::clamp(pause * 2, 20ms, 1000ms);
    timer.expires_after(pause);
    co_await timer.async_wait(asio::use_awaitable);
  }
}

asio::awaitable<void> SpawndClient::greet(std::shared_ptr<Connection> connection) {
  if (greeting_) co_await greeting_();
  if (connection_ != connection) co_return;  // it ended meanwhile
  greeted_ = true;
  connected_.ring();
}

asio::awaitable<bool> SpawndClient::ready(process::Bell::Clock::time_point until) {
  while (!greeted_) {
    const bool rang = co_await connected_.wait(connected_.rings(), until);
    if (!rang) break;
  }
  co_return greeted_;
}

// Until the connection ends, or breaks the protocol.
asio::awaitable<Error> SpawndClient::read_replies(std::shared_ptr<Connection> connection) {
  for (;;) {
    auto packet = os::receive_packet(connection->native_handle(), plan_message_max);
    if (!packet && packet.error().number() == EAGAIN) {
      const auto [error] = co_await connection->async_wait(Connection::wait_read, asio::as_tuple(asio::use_awaitable));
      if (error) co_return Error(ErrorKind::unavailable, error.message());
      continue;
    }
    if (!packet) co_return packet.error();
    auto reply = SpawndReply::decode(packet->bytes);
    if (!reply) co_return reply.error();
    const auto found = pending_.find(reply->id);
    if (found == pending_.end()) continue;  // nobody waits for it any more
    const auto take = [&](std::size_t at) { return at < packet->fds.size() ? std::move(packet->fds[at]) : UniqueFd(); };
    found->second->result = Reply{std::move(*reply), take(0), take(1)};
    found->second->bell.ring();
    pending_.erase(found);
  }
}

asio::awaitable<Result<void>> SpawndClient::send(std::shared_ptr<Connection> connection, const std::string& packet,
                                                 const std::vector<UniqueFd>& fds) {
  std::vector<int> numbers;
  for (const auto& fd : fds) numbers.push_back(fd.get());
  for (;;) {
    auto sent = os::send_packet(connection->native_handle(), packet, numbers);
    if (sent || sent.error().number() != EAGAIN) co_return sent;
    const auto [error] = co_await connection->async_wait(Connection::wait_write, asio::as_tuple(asio::use_awaitable));
    if (error) co_return fail(ErrorKind::unavailable, error.message());
  }
}

asio::awaitable<Result<SpawndClient::Reply>> SpawndClient::ask(SpawndRequest request, std::vector<UniqueFd> fds) {
  const auto until = process::Bell::Clock::now() + patience_.connect;
  const bool there = co_await ready(until);
  if (!there) co_return absent();
  co_return co_await exchange(std::move(request), std::move(fds));
}

std::unexpected<Error> SpawndClient::absent() const {
  return fail(ErrorKind::unavailable, "agentos-spawnd is not there" + (last_error_.empty() ? "" : ": " + last_error_),
              spawnd_hint);
}

asio::awaitable<Result<SpawndClient::Reply>> SpawndClient::exchange(SpawndRequest request, std::vector<UniqueFd> fds) {
  if (connection_ == nullptr) co_return absent();
  request.id = ++last_id_;
  const std::string packet = request.encode();
  if (packet.size() > plan_message_max) co_return fail(ErrorKind::internal, "the plan is too long for one packet");
  const auto pending = std::make_shared<Pending>();
  pending_.emplace(request.id, pending);
  const auto sent = co_await send(connection_, packet, fds);
  if (!sent) {
    pending_.erase(request.id);
    co_return fail(ErrorKind::unavailable, "agentos-spawnd: " + sent.error().message(), spawnd_hint);
  }
  fds.clear();
  const auto until = process::Bell::Clock::now() + patience_.answer;
  while (!pending->result && co_await pending->bell.wait(0, until)) {
  }
  pending_.erase(request.id);
  if (!pending->result) co_return fail(ErrorKind::unavailable, "agentos-spawnd does not answer", spawnd_hint);
  if (!*pending->result) co_return std::unexpected(pending->result->error());
  Reply reply = std::move(**pending->result);
  if (reply.reply.kind == SpawndReply::Kind::failed) {
    co_return fail(reply.reply.error, std::move(reply.reply.message), std::move(reply.reply.hint));
  }
  co_return reply;
}

asio::awaitable<Result<HostFacts>> SpawndClient::probe() {
  if (facts_) co_return *facts_;
  SpawndRequest request;
  request.kind = SpawndRequest::Kind::probe;
  std::vector<UniqueFd> none;
  const auto answer = co_await ask(std::move(request), std::move(none));
  if (!answer) co_return std::unexpected(answer.error());
  auto facts = HostFacts::decode(answer->reply.facts);
  if (facts && connection_ != nullptr) facts_ = *facts;
  co_return facts;
}

asio::awaitable<Result<SpawndClient::Readers>> SpawndClient::meter() {
  SpawndRequest request;
  request.kind = SpawndRequest::Kind::meter;
  std::vector<UniqueFd> none;
  auto answer = co_await exchange(std::move(request), std::move(none));
  if (!answer) co_return std::unexpected(std::move(answer).error());
  if (!answer->second_fd) co_return fail(ErrorKind::internal, "agentos-spawnd gave no descriptors of its accounts");
  co_return Readers{std::move(answer->fd), std::move(answer->second_fd)};
}

asio::awaitable<Result<Started>> SpawndClient::start(Plan plan, std::vector<UniqueFd> fds) {
  SpawndRequest request;
  request.kind = SpawndRequest::Kind::start;
  request.plan = std::move(plan);
  auto answer = co_await ask(std::move(request), std::move(fds));
  if (!answer) co_return std::unexpected(std::move(answer).error());
  auto& reply = answer->reply;
  if (reply.kind != SpawndReply::Kind::started || !answer->fd) {
    co_return fail(ErrorKind::internal, "agentos-spawnd gave no process to a start");
  }
  co_return Started{std::move(answer->fd), reply.pid, reply.start_time, reply.uid_base, std::move(reply.cgroup)};
}

asio::awaitable<Result<void>> SpawndClient::remove(std::string tenant, std::string agent) {
  SpawndRequest request;
  request.kind = SpawndRequest::Kind::remove;
  request.tenant = std::move(tenant);
  request.agent = std::move(agent);
  std::vector<UniqueFd> none;
  const auto answer = co_await ask(std::move(request), std::move(none));
  if (!answer) co_return std::unexpected(answer.error());
  co_return Result<void>{};
}

asio::awaitable<Result<SpawndClient::Reply>> SpawndClient::ask_layer(SpawndRequest::Kind kind, std::string agent,
                                                                     UniqueFd caller) {
  SpawndRequest request;
  request.kind = kind;
  request.agent = std::move(agent);
  std::vector<UniqueFd> fds;
  if (caller) fds.push_back(std::move(caller));
  co_return co_await ask(std::move(request), std::move(fds));
}

asio::awaitable<Result<UniqueFd>> SpawndClient::open_layer(std::string agent, UniqueFd caller) {
  auto answer = co_await ask_layer(SpawndRequest::Kind::open_layer, std::move(agent), std::move(caller));
  if (!answer) co_return std::unexpected(std::move(answer).error());
  if (!answer->fd) co_return fail(ErrorKind::internal, "agentos-spawnd gave no descriptor of the layer");
  co_return std::move(answer->fd);
}

asio::awaitable<Result<LayerState>> SpawndClient::look_at_layer(std::string agent) {
  const auto answer = co_await ask_layer(SpawndRequest::Kind::check_layer, std::move(agent), UniqueFd());
  if (!answer) co_return std::unexpected(answer.error());
  co_return answer->reply.layer;
}

asio::awaitable<Result<void>> SpawndClient::remove_layer(std::string agent) {
  const auto answer = co_await ask_layer(SpawndRequest::Kind::remove_layer, std::move(agent), UniqueFd());
  if (!answer) co_return std::unexpected(answer.error());
  co_return Result<void>{};
}

asio::awaitable<Result<std::vector<std::string>>> SpawndClient::list_layers(std::string after) {
  auto answer = co_await ask_layer(SpawndRequest::Kind::list_layers, std::move(after), UniqueFd());
  if (!answer) co_return std::unexpected(std::move(answer).error());
  co_return std::move(answer->reply.layers);
}

}  // namespace agentos::daemon
