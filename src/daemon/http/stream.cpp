#include "daemon/http/stream.hpp"

#include <utility>

#include <boost/json/serialize.hpp>

#include "daemon/http/message.hpp"

namespace agentos::http {

namespace asio = boost::asio;

// Its own object, since the timer may fire after the stream's end.
struct ConnectionStream::Ping : std::enable_shared_from_this<Ping> {
  Ping(const asio::any_io_executor& executor, std::shared_ptr<Connection> owner, std::string what,
       std::chrono::milliseconds every)
      : timer(executor), connection(std::move(owner)), text(std::move(what)), time(every) {}

  asio::steady_timer timer;
  std::shared_ptr<Connection> connection;
  std::string text;
  std::chrono::milliseconds time;
  bool writing{false};  // bytes of an event are on their way: nothing may come between them
  bool ended{false};

  void restart() {
    timer.expires_after(time);
    timer.async_wait([weak = weak_from_this()](boost::system::error_code error) {
      const auto self = weak.lock();
      if (error || !self || self->ended) return;
      if (!self->writing) self->connection->try_send(self->text);
      self->restart();
    });
  }
};

ConnectionStream::ConnectionStream(std::shared_ptr<Connection> connection, unsigned version, bool keep_alive,
                                   std::chrono::milliseconds ping)
    : connection_(std::move(connection)), version_(version), keep_alive_(keep_alive && version == 11) {
  ping_ = std::make_shared<Ping>(connection_->executor(), connection_, framed(": ping\n\n"), ping);
}

ConnectionStream::~ConnectionStream() {
  ping_->ended = true;
  ping_->timer.cancel();
}

std::string ConnectionStream::framed(std::string_view text) const {
  return version_ == 11 ? chunk_text(text)
                        : std::string(text);  // HTTP/1.0 knows no chunks: the end is the connection's
}

asio::awaitable<bool> ConnectionStream::write(std::string_view bytes) {
  if (broken_) co_return false;
  ping_->writing = true;
  const auto io = co_await connection_->send(bytes, -1, std::chrono::milliseconds(0));
  ping_->writing = false;
  broken_ = io != Connection::Io::ok;
  co_return !broken_;
}

asio::awaitable<bool> ConnectionStream::open() {
  if (opened_) co_return !broken_;
  opened_ = true;
  Head head;
  head.version = version_;
  head.content_type = "text/event-stream";
  head.chunked = true;
  head.keep_alive = keep_alive_;
  const std::string text = head_text(head);
  const bool sent = co_await write(text);
  if (sent) ping_->restart();
  co_return sent;
}

asio::awaitable<bool> ConnectionStream::send(std::string_view event, const boost::json::value& data) {
  const std::string text = framed(event_text(event, boost::json::serialize(data)));
  const bool ready = co_await open();
  if (!ready) co_return false;
  const bool sent = co_await write(text);
  if (sent) ping_->restart();
  co_return sent;
}

asio::awaitable<void> ConnectionStream::closed() {
  return Connection::closed(connection_);
}

asio::awaitable<bool> ConnectionStream::finish() {
  const bool ready = co_await open();
  if (!ready) co_return false;
  if (!keep_alive_ && version_ != 11) co_return false;
  const bool sent = co_await write("0\r\n\r\n");
  co_return sent&& keep_alive_;
}

}  // namespace agentos::http
