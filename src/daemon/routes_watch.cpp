#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/detail/base64.hpp>
#include <boost/json/object.hpp>

#include "daemon/agent_json.hpp"
#include "daemon/api.hpp"
#include "daemon/fields.hpp"
#include "daemon/log_reader.hpp"

namespace agentos::daemon {

namespace asio = boost::asio;
namespace json = boost::json;
using config::Permission;
using http::EventStream;
using http::Request;
using namespace asio::experimental::awaitable_operators;

namespace {

constexpr std::size_t tail_max = 100'000;  // lines
constexpr int records_a_turn = 64;

struct LogQuery {
  std::int64_t since_ns{};
  std::optional<std::size_t> tail;
  bool follow{};
};

Result<LogQuery> log_query(const Request& request) {
  LogQuery query;
  query.tail = AGENTOS_TRY(query_number<std::size_t>(request.query, "tail", tail_max));
  query.follow = query_flag(request.query, "follow");
  const auto since = request.query.find("since");
  if (since == request.query.end() || since->second.empty()) return query;
  std::optional<TimePoint> time = parse_time(since->second);
  if (!time) {
    const auto milliseconds = query_number<std::uint64_t>(request.query, "since", 1ULL << 43U);
    if (!milliseconds)
      return fail(ErrorKind::invalid, "since must be a time such as 2026-11-23T15:28:03Z, or milliseconds since 1970");
    time = TimePoint(std::chrono::milliseconds(milliseconds->value_or(0)));
  }
  query.since_ns = nanoseconds_of(*time);
  return query;
}

std::string base64(std::string_view data) {
  namespace codec = boost::beast::detail::base64;
  std::string text(codec::encoded_size(data.size()), '\0');
  text.resize(codec::encode(text.data(), data.data(), data.size()));
  return text;
}

json::object log_event(const LogReader::Record& record, std::string_view data) {
  const TimePoint time(std::chrono::milliseconds(record.time_ns / 1'000'000));
  return {{"time", format_time(time)},
          {"stream", record.stream == LogRecord::Stream::output ? "stdout" : "stderr"},
          {"data", base64(data)}};
}

}  // namespace

void Api::add_watch_routes(http::Router& router) {
  router.add_stream("GET", "/v1/agents/{ref}/logs",
                    [this](Request& request, EventStream& stream) { return logs(request, stream); });
  router.add_stream("GET", "/v1/events",
                    [this](Request& request, EventStream& stream) { return events(request, stream); });
}

Api::Stream Api::logs(Request& request, EventStream& stream) {
  const auto agent = agent_of(request, Permission::operate);
  if (!agent) co_return std::unexpected(agent.error());
  const auto query = log_query(request);
  if (!query) co_return std::unexpected(query.error());
  const auto paths = agents_.files().logs(agent->id);
  TailStart start;
  if (query->tail) {
    auto reader = LogReader::open(paths);
    if (!reader) co_return std::unexpected(std::move(reader).error());
    TailFinder finder(*query->tail);
    for (int count = 0; auto record = reader->next(); ++count) {
      if (record->time_ns >= query->since_ns) finder.add(*record);
      if (count % records_a_turn == 0) co_await asio::post(asio::use_awaitable);  // others get their turn between
    }
    start = finder.start();
  }
  auto reader = LogReader::open(paths);
  if (!reader) co_return std::unexpected(std::move(reader).error());
  std::shared_ptr<process::Bell> grown;
  if (query->follow) {
    auto watched = log_watch_.watch(paths[0].substr(0, paths[0].rfind('/')));
    if (!watched) co_return std::unexpected(std::move(watched).error());
    grown = std::move(*watched);
  }

  for (;;) {
    // Taken before looking, so that what happens while looking is not waited for in vain.
    const std::uint64_t rings = grown ? grown->rings() : 0;
    const auto now = agents_.get(agent->id);
    const bool ended = !now || is_final(now->status);
    while (auto record = reader->next()) {
      if (record->sequence < start.sequence || record->time_ns < query->since_ns) continue;
      std::string_view data = record->data;
      if (record->sequence == start.sequence) data.remove_prefix(std::min(start.skip, data.size()));
      const json::value event = log_event(*record, data);
      const bool sent = co_await stream.send("", event);
      if (!sent) co_return Result<void>{};
    }
    if (!grown || ended) break;
    const auto woken = co_await (grown->wait(rings) ||
                                 agents_.wait(agent->id, process::Bell::Clock::time_point::max()) || stream.closed());
    if (woken.index() == 2) co_return Result<void>{};
  }
  const json::value nothing = json::object{};
  co_await stream.send("end", nothing);
  co_return Result<void>{};
}

Api::Stream Api::events(Request& request, EventStream& stream) {
  auto tenant = tenant_of(request);
  if (!tenant) co_return std::unexpected(std::move(tenant).error());
  std::string only;
  if (const auto ref = request.query.find("agent"); ref != request.query.end() && !ref->second.empty()) {
    const auto agent = agent_of(request, ref->second, Permission::view);
    if (!agent) co_return std::unexpected(agent.error());
    only = agent->id;
  }
  const auto subscription = events_.subscribe();
  const bool open = co_await stream.open();
  while (open) {
    auto outcome = co_await (subscription->next() || stream.closed());
    if (outcome.index() == 1) co_return Result<void>{};
    const auto event = std::get<0>(std::move(outcome));
    if (!event) co_return Result<void>{};  // it fell behind: the client connects again and lists
    const Agent& agent = (*event)->agent;
    if (only.empty() ? agent.tenant != *tenant : agent.id != only) continue;
    // Asked each time: roles may have changed since the stream was opened.
    if (!config::may(*config_, request.peer, Permission::view, agent.tenant, agent.owner_uid).allowed) continue;
    const json::value data = json::object{
        {"agent", to_json(agent, agents_.usage(agent))}, {"from", name((*event)->from)}, {"to", name(agent.status)}};
    const bool sent = co_await stream.send("agent", data);
    if (!sent) break;
  }
  co_return Result<void>{};
}

}  // namespace agentos::daemon
