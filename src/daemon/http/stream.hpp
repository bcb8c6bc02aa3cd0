#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

#include <boost/asio/steady_timer.hpp>

#include "daemon/http/connection.hpp"
#include "daemon/http/router.hpp"

namespace agentos::http {

// Server-sent events on one connection: a chunk for each event, a comment when there was none for a while. At most one
// event is on its way: send() completes when the socket has taken it.
class ConnectionStream final : public EventStream {
 public:
  ConnectionStream(std::shared_ptr<Connection> connection, unsigned version, bool keep_alive,
                   std::chrono::milliseconds ping);
  ~ConnectionStream() override;

  boost::asio::awaitable<bool> open() override;
  boost::asio::awaitable<bool> send(std::string_view event, const boost::json::value& data) override;
  boost::asio::awaitable<void> closed() override;

  [[nodiscard]] bool opened() const { return opened_; }
  boost::asio::awaitable<bool> finish();  // false: the connection is of no further use

 private:
  struct Ping;
  boost::asio::awaitable<bool> write(std::string_view bytes);
  [[nodiscard]] std::string framed(std::string_view text) const;

  std::shared_ptr<Connection> connection_;
  unsigned version_;
  bool keep_alive_;
  bool opened_{false};
  bool broken_{false};
  std::shared_ptr<Ping> ping_;
};

}  // namespace agentos::http
