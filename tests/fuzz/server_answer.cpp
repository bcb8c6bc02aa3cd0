#include <sys/socket.h>

#include <string>
#include <vector>

#include <boost/json/parse.hpp>

#include "agentos/client/client.hpp"
#include "agentos/client/event_stream.hpp"
#include "client/exchange.hpp"
#include "fuzz.hpp"
#include "os/socket.hpp"

namespace {

using namespace agentos;
using namespace agentos::client;

using Events = std::vector<std::pair<std::string, std::string>>;

Events events_of(std::string_view bytes, std::size_t piece) {
  EventParser parser;
  Events events;
  while (!bytes.empty()) {
    parser.feed(bytes.substr(0, piece));
    bytes.remove_prefix(std::min(piece, bytes.size()));
    while (auto event = parser.next()) events.emplace_back(event->name, event->data);
  }
  return events;
}

// The answer that comes over a socket which its sender has closed behind it. Empty: not all of it fits into one.
std::optional<Result<Incoming>> answer_of(std::string_view bytes, const OnPiece& on_piece) {
  auto sockets = os::socket_pair(SOCK_STREAM);
  AGENTOS_ASSERT(sockets);
  auto& [mine, theirs] = *sockets;
  const auto sent = ::send(theirs.get(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  if (sent != static_cast<ssize_t>(bytes.size())) return std::nullopt;
  theirs.reset();
  return exchange(mine.get(), {"GET", "/v1/agents", {}, {}, -1}, Deadline(std::chrono::seconds(5)), on_piece);
}

}  // namespace

// What the CLI takes from the other end of its socket, which may be another program than agentosd: whole answers,
// problems and event streams, cut anywhere.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = fuzz::text_of(data, size);
  if (const auto answer = answer_of(bytes, {}); answer && *answer) {
    boost::system::error_code error;
    const auto body = boost::json::parse((*answer)->body, error);
    if (!error && (*answer)->status >= 400)
      AGENTOS_ASSERT(!error_of_problem((*answer)->status, body).message().empty());
  }
  std::string streamed;
  (void)answer_of(bytes, [&](std::string_view piece) {
    streamed += piece;
    return true;
  });
  const auto whole = events_of(bytes, bytes.size() + 1);
  AGENTOS_ASSERT(events_of(bytes, size == 0 ? 1 : data[0] % 7U + 1) == whole);
  for (const auto& [name, event] : whole) AGENTOS_ASSERT(!name.empty() && name.find('\n') == name.npos);
  (void)events_of(streamed, 3);
  if (const auto decoded = decode_base64(bytes)) AGENTOS_ASSERT(decoded->size() <= bytes.size());
  return 0;
}
