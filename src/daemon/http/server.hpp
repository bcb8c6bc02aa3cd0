#pragma once

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <memory>
#include <string_view>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include "agentos/base/result.hpp"
#include "daemon/http/router.hpp"

namespace agentos::http {

// What a client can push against. The numbers are the product's; tests make them small.
struct Limits {
  std::size_t header_bytes{16 << 10};           // request line and fields: 431
  std::size_t body_bytes{4 << 20};              // one body: 413
  std::size_t body_bytes_of_uid{32 << 20};      // all bodies that a uid has in the server at once: 429
  unsigned connections_of_uid{256};             // 429
  unsigned connections{4096};                   // 503
  std::chrono::milliseconds read_time{30'000};  // from a request's first byte to its last: 408
  std::chrono::milliseconds write_time{
      30'000};  // without progress of a response; streams wait as long as the client does
  std::chrono::milliseconds idle_time{120'000};  // between requests
  std::chrono::milliseconds ping_time{15'000};   // between comments of a silent event stream
  std::chrono::milliseconds stop_time{2'000};    // for running requests after stop()
};

// HTTP/1.1 on a unix stream socket that everybody may connect to: peer credentials, not file modes, decide what a
// caller may do. Descriptors travel by SCM_RIGHTS with the first byte of a request (at most 4, opened with O_PATH or
// O_DIRECTORY: closing anything else could block on its owner's file system) and of a response (one).
class Server {
 public:
  using Log = std::function<void(std::string_view line)>;  // what a handler threw, an accept that failed

  // Binds and listens; a socket file left by a dead server is replaced. exists: another server answers on `socket`.
  // `context` and `router` must outlive the server; it runs on the context's one thread.
  static Result<Server> open(boost::asio::io_context& context, const std::filesystem::path& socket,
                             const Router& router, Log log, Limits limits = {});
  Server(Server&&) noexcept;
  Server& operator=(Server&&) = delete;
  ~Server();  // closes everything at once

  void start();  // begins to accept
  // Stops accepting, closes idle connections and streams, gives running requests Limits::stop_time. Removes the socket
  // file.
  boost::asio::awaitable<void> stop();

  [[nodiscard]] std::size_t connections() const;  // open now

  struct State;

 private:
  explicit Server(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;
};

}  // namespace agentos::http
