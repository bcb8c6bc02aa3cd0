#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <boost/json/value.hpp>

#include "agentos/base/fd.hpp"
#include "agentos/base/result.hpp"
#include "daemon/http/peer.hpp"

namespace agentos::http {

struct Request {
  std::string method;
  std::string path;
  std::map<std::string, std::string, std::less<>> parameters;  // of the pattern: {"ref": "builder"}
  std::map<std::string, std::string, std::less<>> query;
  boost::json::value body;  // null when there is none
  Peer peer;
  int connection{-1};         // the connection's own descriptor, borrowed
  std::vector<UniqueFd> fds;  // that came with the request; what the handler leaves is closed
  // Completes when the client has closed the connection: lets a long poll stop waiting. Set by the server.
  std::function<boost::asio::awaitable<void>()> closed;
};

struct Response {
  unsigned status{200};
  boost::json::value body;  // null: no content; from status 400 on it is sent as application/problem+json
  UniqueFd fd;              // travels with the response when set
};

// One open server-sent event stream.
class EventStream {
 public:
  EventStream() = default;
  EventStream(const EventStream&) = delete;
  EventStream& operator=(const EventStream&) = delete;
  virtual ~EventStream() = default;
  // Sends the response's head now, so that the client knows that it misses nothing from here on. send() does it
  // otherwise.
  virtual boost::asio::awaitable<bool> open() = 0;
  // False when the client is gone: return from the handler. An empty `event` leaves the field out.
  virtual boost::asio::awaitable<bool> send(std::string_view event, const boost::json::value& data) = 0;
  // Completes when the client has closed the connection. Lets a handler stop waiting for events that may never come.
  virtual boost::asio::awaitable<void> closed() = 0;
};

using Handler = std::function<boost::asio::awaitable<Result<Response>>(Request&)>;
using StreamHandler = std::function<boost::asio::awaitable<Result<void>>(Request&, EventStream&)>;

// Which handler answers which method and path. Patterns are literal segments and {name} segments.
class Router {
 public:
  void add(std::string_view method, std::string_view pattern, Handler handler);
  // An error before the first event is answered as a problem; after it the stream just ends.
  void add_stream(std::string_view method, std::string_view pattern, StreamHandler handler);

  struct Route {
    std::string method;
    std::string pattern;
    std::vector<std::string> segments;
    Handler handler;  // one of the two is set
    StreamHandler stream;
  };
  // not_found: no such path. invalid: the path exists, the method does not (405); methods_of() has those that do.
  // Parameters are percent-decoded; those that are not valid UTF-8 or hold a NUL make the path not_found.
  [[nodiscard]] Result<const Route*> find(std::string_view method, std::string_view path,
                                          std::map<std::string, std::string, std::less<>>& parameters) const;
  [[nodiscard]] std::string methods_of(std::string_view path) const;  // "GET, POST"; empty: no such path
  [[nodiscard]] const std::vector<Route>& routes() const { return routes_; }

 private:
  std::vector<Route> routes_;
};

}  // namespace agentos::http
