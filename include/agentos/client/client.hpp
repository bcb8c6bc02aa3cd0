#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/value.hpp>

#include "agentos/base/fd.hpp"
#include "agentos/base/result.hpp"
#include "agentos/client/event_stream.hpp"

// The control API of agentosd over its unix socket. Who the caller is follows from the socket's peer credentials, so
// there is nothing to log in with. Blocking; one connection for each call, so a restart of agentosd between two calls
// is not seen.
namespace agentos::client {

constexpr std::string_view api_version = "v1";
constexpr std::string_view default_socket = "/run/agentos/agentos.sock";

struct Call {
  std::string method{"GET"};
  std::string target{};                                         // "/v1/agents?all=true", already escaped
  boost::json::value body{};                                    // null: none
  std::vector<int> fds{};                                       // borrowed; travel with the first byte of the request
  std::chrono::milliseconds timeout{std::chrono::seconds(60)};  // for the whole call; 0: none
  int interrupt{-1};  // when this descriptor becomes readable the call ends within 2 s (EINTR)
};

struct Reply {
  unsigned status{};
  boost::json::value body{};  // null: none
  UniqueFd fd;                // that came with the answer, if any
};

// False: stop listening.
using OnEvent = std::function<bool(const ServerEvent&)>;

class Client {
 public:
  explicit Client(std::string socket) : socket_(std::move(socket)) {}

  // A status of 400 and more is an Error: its kind, message (with the reasons of a refusal) and hint are those of the
  // problem that agentosd answered. Without an answer: unavailable (not running, no answer in time), forbidden (no
  // right to connect), unsupported (it speaks another version of this API).
  [[nodiscard]] Result<Reply> call(const Call& call) const;
  // A server-sent event stream, until it ends or `on_event` has had enough. `idle`: the longest silence (agentosd sends
  // a comment every 15 s).
  [[nodiscard]] Result<> follow(std::string_view target, const OnEvent& on_event,
                                std::chrono::milliseconds idle = std::chrono::seconds(60)) const;

  [[nodiscard]] const std::string& socket() const { return socket_; }

 private:
  std::string socket_;
};

// For a path segment or a query value (RFC 3986: everything but unreserved characters as %XX).
[[nodiscard]] std::string escape(std::string_view text);

// The error that a problem+json body (RFC 9457) of this status stands for. `body` may be anything.
[[nodiscard]] Error error_of_problem(unsigned status, const boost::json::value& body);

[[nodiscard]] Result<std::string> decode_base64(std::string_view text);

}  // namespace agentos::client
