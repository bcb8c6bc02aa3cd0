#include "daemon/audit.hpp"

#include <algorithm>
#include <array>

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "agentos/base/text.hpp"
#include "daemon/agent_json.hpp"
#include "daemon/http/problem.hpp"

namespace agentos::daemon {

namespace json = boost::json;
using http::Request;
using http::Response;

namespace {

constexpr std::size_t text_max = 1024;  // of one text that somebody else chose: a record's body stays below its limit

// POST, but only to ask.
constexpr std::array questions{"/v1/policies/check", "/v1/policies/diff", "/v1/policies/explain", "/v1/why"};

// Neutralised first: in JSON what is left takes twice its bytes at most, where a control character would take six.
std::string cut(std::string_view text) {
  auto shown = printable(text.substr(0, text_max), true);
  shown.resize(utf8_prefix(std::string_view(shown).substr(0, text_max)));
  return shown;
}

bool changes(const http::Router::Route& route) {
  return route.method != "GET" && std::ranges::find(questions, route.pattern) == questions.end();
}

// What is left of a request once its handler has had it.
struct Call {
  http::Peer peer;
  std::string method, route, agent, tenant;

  Call(const http::Router::Route& from, const Request& request)
      : peer(request.peer), method(from.method), route(from.pattern) {
    if (const auto ref = request.parameters.find("ref"); ref != request.parameters.end()) agent = ref->second;
    if (const auto asked = request.query.find("tenant"); asked != request.query.end()) tenant = asked->second;
    const auto* object = request.body.if_object();
    const auto* member = object != nullptr ? object->if_contains("tenant") : nullptr;
    if (tenant.empty() && member != nullptr && member->is_string()) tenant = std::string(member->get_string());
  }

  [[nodiscard]] AuditEntry entry(unsigned status, std::string_view reason, const json::value& answer) const {
    json::object body{{"uid", peer.uid},  {"gid", peer.gid}, {"pid", peer.pid},
                      {"method", method}, {"route", route},  {"status", status}};
    if (!agent.empty()) body["ref"] = cut(agent);
    if (!tenant.empty()) body["asked_tenant"] = cut(tenant);
    if (!reason.empty()) body["reason"] = cut(reason);
    AuditEntry made{std::string(status < 400 ? audit_kind::api_call : audit_kind::api_refused)};
    // Which tenant's matter it was is known of an answer that shows an agent; of a refusal it is only what was asked.
    if (const auto* object = answer.if_object(); status < 400 && object != nullptr) {
      const auto text = [&](const char* key) {
        const auto* value = object->if_contains(key);
        return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
      };
      if (is_agent_id(text("id"))) {
        made.agent = text("id");
        made.tenant = text("tenant");
      }
    }
    made.body = json::serialize(body);
    return made;
  }
};

std::string detail_of(const Response& response) {
  const auto* object = response.body.if_object();
  const auto* detail = object != nullptr ? object->if_contains("detail") : nullptr;
  return response.status >= 400 && detail != nullptr && detail->is_string() ? std::string(detail->get_string()) : "";
}

bool recorded(const http::Router::Route& route, unsigned status) {
  return changes(route) || status == 403;
}

}  // namespace

AuditEntry audit_entry(const AgentEvent& event) {
  const auto& agent = event.agent;
  json::object body{{"from", name(event.from)}, {"to", name(agent.status)}, {"uid", agent.owner_uid}};
  if (!agent.reason.empty()) body["reason"] = cut(agent.reason);
  if (!agent.name.empty()) body["name"] = agent.name;
  if (agent.status == Status::running && !agent.sandbox.not_enforced.empty()) {
    json::array missing;
    for (const auto& line : agent.sandbox.not_enforced) missing.emplace_back(cut(line));
    body["not_enforced"] = std::move(missing);
  }
  if (agent.exit && is_final(agent.status)) body["exit_status"] = agent.exit->shell_status();
  body["policy"] = agent.policy;
  return {std::string(audit_kind::agent_status), agent.tenant, agent.id, json::serialize(body)};
}

AuditEntry audit_entry(std::string_view kind, json::object body) {
  return {std::string(kind), {}, {}, json::serialize(body)};
}

http::Router audited(const http::Router& router, Journal& journal) {
  http::Router made;
  for (const auto& route : router.routes()) {
    if (route.handler) {
      made.add(route.method, route.pattern,
               [route, &journal](Request& request) -> boost::asio::awaitable<Result<Response>> {
                 const Call call(route, request);
                 auto result = co_await route.handler(request);
                 const unsigned status = result ? result->status : http::status_of(result.error());
                 if (recorded(route, status)) {
                   journal.append(result ? call.entry(status, detail_of(*result), result->body)
                                         : call.entry(status, result.error().message(), nullptr));
                 }
                 co_return result;
               });
    } else {
      made.add_stream(
          route.method, route.pattern,
          [route, &journal](Request& request, http::EventStream& stream) -> boost::asio::awaitable<Result<void>> {
            const Call call(route, request);
            auto result = co_await route.stream(request, stream);
            if (!result && recorded(route, http::status_of(result.error())))
              journal.append(call.entry(http::status_of(result.error()), result.error().message(), nullptr));
            co_return result;
          });
    }
  }
  return made;
}

json::object to_json(const AuditRecord& record) {
  boost::system::error_code error;
  json::value body = json::parse(record.entry.body, error);
  if (error) body = record.entry.body;
  const auto& entry = record.entry;
  return {{"sequence", record.sequence},
          {"time", format_time(TimePoint(std::chrono::milliseconds(record.time_ns / 1'000'000)))},
          {"time_ns", record.time_ns},
          {"kind", entry.kind},
          {"tenant", entry.tenant.empty() ? json::value() : json::value(entry.tenant)},
          {"agent", entry.agent.empty() ? json::value() : json::value(entry.agent)},
          {"body", std::move(body)},
          {"previous", hex(record.previous)},
          {"hash", hex(record.hash)}};
}

}  // namespace agentos::daemon
