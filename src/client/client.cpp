#include "agentos/client/client.hpp"

#include <unistd.h>

#include <cerrno>

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "client/exchange.hpp"
#include "os/socket.hpp"

namespace agentos::client {
namespace {

const char* how_to_start() {
  // systemd's own test for "PID 1 is systemd" (sd_booted).
  if (::access("/run/systemd/system", F_OK) == 0) return "start it: systemctl start agentosd";
  if (::access("/usr/libexec/agentos/supervise", X_OK) == 0) {
    return "start it: sudo /usr/libexec/agentos/supervise start";
  }
  return "start it: sudo packaging/quickstart in the source tree";
}

Error not_reached(Error error, const std::string& path) {
  switch (error.number()) {
    case ENOENT:
    case ECONNREFUSED:
      return {ErrorKind::unavailable, "agentosd is not running (nothing listens on " + path + ")", how_to_start()};
    case EACCES:
    case EPERM:
      return {ErrorKind::forbidden, "you may not connect to " + path,
              "every folder on the way needs search permission for you and the socket write permission; its packaged "
              "mode is 0666"};
    case EAGAIN:
      return {ErrorKind::unavailable, "agentosd has more callers waiting than it can take", "try again in a moment"};
    default:
      return std::move(error).within("agentosd is out of reach");
  }
}

Result<UniqueFd> reach(const std::string& path) {
  // Non-blocking, or connect(2) would wait for ever for a daemon that hangs with a full backlog.
  auto socket = os::connect_unix(path, SOCK_STREAM, SOCK_NONBLOCK);
  if (!socket && socket.error().kind() != ErrorKind::invalid) return std::unexpected(not_reached(socket.error(), path));
  return socket;
}

// Whoever does not know a path of this API is another version, or another program: its answer is no problem document,
// or one whose kind is unsupported (not_found: the path is known, the agent is not).
Error other_version(unsigned status) {
  return {ErrorKind::unsupported,
          "the agentosd that runs does not know what this agentos, of version " + std::string(api_version) +
              " of the API, asks for (it answered with status " + std::to_string(status) + ")",
          "this agentos is " AGENTOS_VERSION ": install the same version of both and restart agentosd"};
}

Result<boost::json::value> parse(const Incoming& answer) {
  if (answer.body.empty()) return boost::json::value();
  boost::system::error_code error;
  auto value = boost::json::parse(answer.body, error);
  if (!error) return value;
  if (answer.status >= 400) return std::unexpected(other_version(answer.status));
  return fail(ErrorKind::unavailable, "agentosd answered with malformed JSON: " + error.message());
}

Result<> check(const Incoming& answer, const boost::json::value& body) {
  if (answer.status < 400) return {};
  const bool is_problem = body.is_object() && body.get_object().contains("status");
  auto error = error_of_problem(answer.status, body);
  if ((answer.status == 404 || answer.status == 405) && (!is_problem || error.kind() == ErrorKind::unsupported))
    return std::unexpected(other_version(answer.status));
  return std::unexpected(std::move(error));
}

}  // namespace

Result<Reply> Client::call(const Call& call) const {
  const auto socket = AGENTOS_TRY(reach(socket_));
  Outgoing request{call.method, call.target, {}, call.fds, call.interrupt};
  if (!call.body.is_null()) request.body = boost::json::serialize(call.body);
  auto answer = AGENTOS_TRY(exchange(socket.get(), request, Deadline(call.timeout)));
  auto body = AGENTOS_TRY(parse(answer));
  AGENTOS_TRY(check(answer, body));
  return Reply{answer.status, std::move(body), std::move(answer.fd)};
}

Result<> Client::follow(std::string_view target, const OnEvent& on_event, std::chrono::milliseconds idle) const {
  const auto socket = AGENTOS_TRY(reach(socket_));
  EventParser events;
  bool stopped = false;
  const auto on_piece = [&](std::string_view piece) {
    events.feed(piece);
    while (const auto event = events.next()) {
      if (!on_event(*event)) stopped = true;
      if (stopped) return false;
    }
    return !events.overflowed();
  };
  const auto answer =
      AGENTOS_TRY(exchange(socket.get(), {"GET", std::string(target), {}, {}, -1}, Deadline(idle), on_piece));
  if (stopped) return {};
  if (events.overflowed()) return fail(ErrorKind::internal, "an event of agentosd is larger than 8 MiB");
  return check(answer, AGENTOS_TRY(parse(answer)));
}

}  // namespace agentos::client
