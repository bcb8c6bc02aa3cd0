#include "daemon/api.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "agentos/base/text.hpp"
#include "daemon/agent_json.hpp"
#include "daemon/features.hpp"
#include "daemon/http/problem.hpp"
#include "daemon/openapi/openapi.hpp"

namespace agentos::daemon {

namespace json = boost::json;
using config::Permission;
using http::Request;
using http::Response;

http::Response refused(const std::vector<std::string>& reasons) {
  std::string detail;
  json::array list;
  for (const auto& reason : reasons) {
    detail += (detail.empty() ? "" : "; ") + reason;
    list.emplace_back(reason);
  }
  const Error error(ErrorKind::invalid, std::move(detail));
  Response response = http::problem_response(error);
  response.body.as_object()["reasons"] = std::move(list);
  return response;
}

void Api::add_routes(http::Router& router) {
  add_host_routes(router);
  add_agent_routes(router);
  add_control_routes(router);
  add_watch_routes(router);
  add_policy_routes(router);
  add_audit_routes(router);
}

Result<std::string> Api::tenant_of(const Request& request, std::string_view asked) const {
  if (asked.empty()) {
    if (const auto found = request.query.find("tenant"); found != request.query.end()) asked = found->second;
  }
  return config::tenant_for(*config_, request.peer, asked.empty() ? std::nullopt : std::optional(asked));
}

Result<Agent> Api::agent_of(const Request& request, Permission permission) const {
  return agent_of(request, request.parameters.at("ref"), permission);
}

Result<Agent> Api::agent_of(const Request& request, std::string_view ref, Permission permission) const {
  const std::string tenant = AGENTOS_TRY(tenant_of(request));
  const auto none = [&] {
    return fail(ErrorKind::not_found, "no agent '" + printable(ref.substr(0, 64)) + "' in tenant '" + tenant + "'",
                "`agentos ps -a` lists the agents there are");
  };
  // Ids are looked for in every tenant, names in one.
  auto found = is_agent_id(ref) ? agents_.get(ref) : agents_.find(tenant, ref);
  if (!found && found.error().kind() == ErrorKind::not_found) return none();
  if (!found) return found;
  if (request.query.contains("tenant") && found->tenant != tenant) return none();
  const auto decision = config::may(*config_, request.peer, permission, found->tenant, found->owner_uid);
  if (decision.allowed) return found;
  if (decision.kind == ErrorKind::not_found) return none();
  return fail(decision.kind, decision.reason, decision.hint);
}

Response Api::show(const Agent& agent, unsigned status, const std::optional<LayerState>& layer) const {
  Response response;
  response.status = status;
  response.body = to_json(agent, agents_.usage(agent), layer);
  return response;
}

// Asks agentos-spawnd; while it is away nobody knows what is in the layer, and everything else is told all the same.
Api::Answer Api::show_with_layer(Agent agent) const {
  const auto layer = co_await agents_.layer_state(agent);
  co_return show(agent, 200, layer.value_or(std::nullopt));
}

void Api::add_host_routes(http::Router& router) {
  router.add("GET", "/v1/version", [](Request&) -> Answer {
    Response response;
    response.body = json::object{{"version", AGENTOS_VERSION}, {"api", "v1"}};
    co_return response;
  });
  router.add("GET", "/v1/openapi.json", [](Request&) -> Answer {
    Response response;
    response.body = openapi::document();
    co_return response;
  });
  router.add("GET", "/v1/whoami", [this](Request& request) -> Answer {
    json::array tenants;
    for (const auto& tenant : config::roles_of(*config_, request.peer)) {
      json::array roles;
      for (const auto role : tenant.roles) roles.emplace_back(config::name(role));
      tenants.push_back(json::object{{"name", tenant.tenant}, {"roles", std::move(roles)}});
    }
    Response response;
    response.body = json::object{{"uid", request.peer.uid}, {"tenants", std::move(tenants)}};
    co_return response;
  });
  router.add("GET", "/v1/host", [this](Request&) -> Answer {
    const auto facts = co_await spawner_.probe();
    if (!facts) co_return std::unexpected(facts.error());
    Response response;
    auto body = host_json(*facts);
    body["features"].as_array().push_back(feature_json(policies_feature(policies_)));
    response.body = std::move(body);
    co_return response;
  });
}

}  // namespace agentos::daemon
