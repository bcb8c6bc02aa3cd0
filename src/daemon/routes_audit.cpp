#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "daemon/agent_json.hpp"
#include "daemon/api.hpp"
#include "daemon/audit.hpp"
#include "daemon/fields.hpp"

namespace agentos::daemon {

namespace json = boost::json;
using config::Permission;
using http::EventStream;
using http::Request;
using http::Response;
using namespace boost::asio::experimental::awaitable_operators;

// The caller's tenant; with `all` every tenant and the host's own, for those who are admin in all of them.
Result<AuditQuery> Api::audit_query(const Request& request) const {
  AuditQuery query;
  if (query_flag(request.query, "all")) {
    for (const auto& tenant : config_->tenants) {
      if (!config::may(*config_, request.peer, Permission::administer, tenant.name).allowed)
        return fail(ErrorKind::forbidden, "the records of all tenants take the role admin in each of them",
                    "leave --all out to see those of your tenant");
    }
  } else {
    query.tenant = AGENTOS_TRY(tenant_of(request));
    const auto decision = config::may(*config_, request.peer, Permission::view, *query.tenant);
    if (!decision.allowed) return fail(decision.kind, decision.reason, decision.hint);
  }
  const auto text = [&](const char* key) {
    const auto found = request.query.find(key);
    return found == request.query.end() ? std::string() : found->second;
  };
  query.kind = text("kind");
  query.agent = text("agent");
  // A name is one of an agent that there is; an id may be of one that was removed.
  if (!query.agent.empty() && !is_agent_id(query.agent))
    query.agent = AGENTOS_TRY(agent_of(request, query.agent, Permission::view)).id;
  if (const auto since = text("since"); !since.empty()) {
    const auto time = parse_time(since);
    if (!time) return fail(ErrorKind::invalid, "since must be a time such as 2026-11-23T15:28:03Z");
    query.since_ns = nanoseconds_of(*time);
  }
  query.after = AGENTOS_TRY(query_number<std::uint64_t>(request.query, "after", 1ULL << 62U)).value_or(0);
  query.limit = AGENTOS_TRY(query_number<std::size_t>(request.query, "limit", AuditQuery::limit_max)).value_or(100);
  if (query.limit == 0) return fail(ErrorKind::invalid, "limit must be at least 1");
  return query;
}

void Api::add_audit_routes(http::Router& router) {
  router.add("GET", "/v1/audit", [this](Request& request) -> Answer {
    const auto query = audit_query(request);
    if (!query) co_return std::unexpected(query.error());
    const auto page = co_await journal_.read(*query);
    if (!page) co_return std::unexpected(page.error());
    json::array records;
    for (const auto& record : page->records) records.push_back(to_json(record));
    Response response;
    response.body = json::object{{"records", std::move(records)}, {"last", page->last}, {"more", page->more}};
    co_return response;
  });
  router.add_stream("GET", "/v1/audit/follow",
                    [this](Request& request, EventStream& stream) { return follow_audit(request, stream); });
}

// Reads a page at a time, and only what its reader has taken is followed by more: a slow one costs one page.
Api::Stream Api::follow_audit(Request& request, EventStream& stream) {
  auto query = audit_query(request);
  if (!query) co_return std::unexpected(query.error());
  bool open = co_await stream.open();
  while (open) {
    const auto page = co_await journal_.read(*query);
    if (!page) co_return std::unexpected(page.error());
    // Asked each time: roles may have changed since the stream was opened.
    if (const auto still = audit_query(request); !still) co_return std::unexpected(still.error());
    for (const auto& record : page->records) {
      const json::value data = to_json(record);
      open = co_await stream.send("record", data);
      if (!open) co_return Result<void>{};
    }
    query->after = std::max(query->after, page->last);
    if (page->more) continue;
    const auto woken = co_await (journal_.wait(query->after) || stream.closed());
    if (woken.index() == 1) break;
  }
  co_return Result<void>{};
}

}  // namespace agentos::daemon
