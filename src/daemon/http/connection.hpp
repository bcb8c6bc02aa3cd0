#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include "agentos/base/fd.hpp"
#include "agentos/base/result.hpp"
#include "daemon/http/fd_disposal.hpp"
#include "daemon/http/peer.hpp"

namespace agentos::http {

constexpr std::size_t max_request_fds = 65;  // a workspace, and what an agent is granted

// Credentials as they were when the client connected.
[[nodiscard]] Result<Peer> peer_of(int socket);

// One client's socket: bytes and descriptors in and out, under one deadline. Owned by shared_ptr: its timer refers to
// it.
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(const boost::asio::any_io_executor& executor, UniqueFd socket, Peer peer, FdDisposal& disposal);

  enum class Io : std::uint8_t { ok, closed, late, refused };
  enum class Phase : std::uint8_t { idle, handling, streaming };

  // Waits for more bytes and puts them behind input(). refused: descriptors that nobody takes (why: refusal()).
  boost::asio::awaitable<Io> receive();
  // Writes all of it; `fd` (or -1) goes with the first byte. `time`: without any progress; zero: for ever.
  boost::asio::awaitable<Io> send(std::string_view bytes, int fd, std::chrono::milliseconds time);
  // Writes these few bytes now or not at all.
  void try_send(std::string_view bytes);

  void set_deadline(std::chrono::milliseconds time);  // receive() is `late` after it
  void clear_deadline();
  void shut_down(int how);  // as shutdown(2): wakes whoever waits here

  // The descriptors that belong to the request whose last byte has just been taken from input().
  std::vector<UniqueFd> take_fds();

  [[nodiscard]] std::string& input() { return input_; }
  [[nodiscard]] const Error& refusal() const { return refusal_; }
  [[nodiscard]] const Peer& peer() const { return peer_; }
  [[nodiscard]] boost::asio::any_io_executor executor() { return socket_.get_executor(); }
  [[nodiscard]] int fd() { return socket_.native_handle(); }

  Phase phase{Phase::idle};
  boost::asio::cancellation_signal cancel;  // ends the coroutine that serves this connection

  // Completes when the client has closed its socket, or shut_down() was called. Not at a half-closed socket, whose
  // client still reads.
  static boost::asio::awaitable<void> closed(std::shared_ptr<Connection> connection);

 private:
  struct Arrival {
    std::uint64_t end;  // of the bytes it came with, counted from the connection's first
    UniqueFd fd;
  };
  Io read_some(bool& nothing);
  Io keep(std::vector<UniqueFd> fds, bool truncated);

  boost::asio::posix::stream_descriptor socket_;
  boost::asio::steady_timer timer_;
  Peer peer_;
  FdDisposal& disposal_;
  std::string input_;
  std::uint64_t received_{0};
  std::vector<Arrival> arrivals_;
  Error refusal_{ErrorKind::invalid, {}};
  std::uint64_t deadline_{0};  // counts them: a timer that fires for an old one is ignored
  bool late_{false};
};

}  // namespace agentos::http
