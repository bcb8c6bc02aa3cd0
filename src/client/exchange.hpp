#pragma once

#include <chrono>
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "agentos/base/fd.hpp"
#include "agentos/base/result.hpp"

// One HTTP request and its answer over a connected unix stream socket.
namespace agentos::client {

class Deadline {
 public:
  using Clock = std::chrono::steady_clock;
  explicit Deadline(std::chrono::milliseconds timeout) : timeout_(timeout) { restart(); }
  void restart() { at_ = Clock::now() + timeout_; }
  void at_most(std::chrono::milliseconds left);
  [[nodiscard]] int poll_timeout() const;  // milliseconds, -1: none

 private:
  std::chrono::milliseconds timeout_;
  Clock::time_point at_;
};

struct Outgoing {
  std::string method, target, body;  // body: JSON, or empty
  std::span<const int> fds;
  int interrupt{-1};
};

struct Incoming {
  unsigned status{};
  std::string body;  // what `on_piece` has not taken
  UniqueFd fd;
  bool is_json{};
};

// `on_piece`, when set, is given the body of a 200 as it comes; false ends the exchange. The deadline then starts anew
// with each piece.
using OnPiece = std::function<bool(std::string_view)>;

[[nodiscard]] Result<Incoming> exchange(int socket, const Outgoing& request, Deadline deadline,
                                        const OnPiece& on_piece = {});

}  // namespace agentos::client
