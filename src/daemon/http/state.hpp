#pragma once

#include <sys/types.h>

#include <cstddef>
#include <map>
#include <memory>
#include <set>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "daemon/http/connection.hpp"
#include "daemon/http/fd_disposal.hpp"
#include "daemon/http/router.hpp"
#include "daemon/http/server.hpp"

namespace agentos::http {

// What the connections of one server share. They hold it, so it is there as long as any of them.
struct ServerState {
  ServerState(boost::asio::io_context& io, const Router& routes, Server::Log logger, Limits numbers)
      : router(routes), log(std::move(logger)), limits(numbers), ended(io) {}

  struct Use {
    unsigned connections{0};
    std::size_t body_bytes{0};
  };

  const Router& router;
  Server::Log log;
  Limits limits;
  FdDisposal disposal;
  std::map<uid_t, Use> uids;  // those that use anything
  std::set<std::shared_ptr<Connection>> connections;
  bool stopping{false};
  boost::asio::steady_timer ended;  // cancelled when a connection ends

  void release(uid_t uid) {
    const auto use = uids.find(uid);
    if (use != uids.end() && use->second.connections == 0 && use->second.body_bytes == 0) uids.erase(use);
  }
};

// A uid's share of the memory for bodies, given back at the end of its life.
class BodyShare {
 public:
  BodyShare(ServerState& state, uid_t uid) : state_(state), uid_(uid) {}
  BodyShare(const BodyShare&) = delete;
  BodyShare& operator=(const BodyShare&) = delete;
  ~BodyShare() {
    state_.uids[uid_].body_bytes -= bytes_;
    state_.release(uid_);
  }
  [[nodiscard]] bool take(std::size_t bytes) {
    auto& used = state_.uids[uid_].body_bytes;
    if (used + bytes > state_.limits.body_bytes_of_uid) return false;
    used += bytes;
    bytes_ += bytes;
    return true;
  }

 private:
  ServerState& state_;
  uid_t uid_;
  std::size_t bytes_{0};
};

// Answers the requests of one connection until it ends.
boost::asio::awaitable<void> serve(std::shared_ptr<ServerState> state, std::shared_ptr<Connection> connection);

// A whole response as bytes.
[[nodiscard]] std::string response_text(const Response& response, unsigned version, bool keep_alive,
                                        std::string_view allow = {});

}  // namespace agentos::http
