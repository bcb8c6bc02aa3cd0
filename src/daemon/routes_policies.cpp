#include <algorithm>
#include <array>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "agentos/base/text.hpp"
#include "daemon/agent_json.hpp"
#include "daemon/api.hpp"
#include "daemon/fields.hpp"
#include "daemon/http/problem.hpp"
#include "daemon/planning.hpp"
#include "policy/explain.hpp"
#include "sandbox/compile/seccomp.hpp"
#include "sandbox/compile/why.hpp"

namespace agentos::daemon {

namespace json = boost::json;
using config::Permission;
using http::Request;
using http::Response;

namespace {

json::array strings(const std::vector<std::string>& list) {
  json::array array;
  for (const auto& element : list) array.emplace_back(element);
  return array;
}

const char* state_of(const PolicyFile& file) {
  return file.fault.empty() ? "good" : file.good ? "last-good" : "faulty";
}

json::object file_json(const std::string& name, const PolicyFile& file) {
  return {{"name", name},
          {"path", file.path},
          {"packaged", file.packaged},
          {"state", state_of(file)},
          {"read", file.good ? json::value(format_time(file.read)) : json::value()},
          {"fault", file.fault}};
}

json::array lines_json(const policy::Policy& policy) {
  json::array lines;
  for (const auto& [key, value, origin] : policy::lines(policy))
    lines.push_back(json::object{{"key", key}, {"value", value}, {"at", origin.text()}});
  return lines;
}

json::array diagnostics_json(const policy::Diagnostics& diagnostics, const std::string& file) {
  json::array list;
  for (const auto& error : diagnostics) {
    list.push_back(json::object{{"line", error.place.line},
                                {"column", error.place.column},
                                {"what", error.what},
                                {"hint", error.hint},
                                {"text", error.text(file)}});
  }
  return list;
}

std::pair<std::string, std::string> file_of(Fields fields, std::vector<std::string>& reasons) {
  std::pair<std::string, std::string> file{fields.text("name"), fields.text("text")};
  for (auto& reason : fields.reasons()) reasons.push_back(std::move(reason));
  return file;
}

// An agent for a question: there is none of these, its id is as good as any.
Agent imagined(const Request& request, std::string tenant, std::string workspace, const policy::Policy& policy) {
  Agent agent;
  agent.id = "a000000000000";
  agent.tenant = std::move(tenant);
  agent.owner_uid = request.peer.uid;
  agent.owner_gid = request.peer.gid;
  agent.workspace = std::move(workspace);
  agent.workspace_mode = policy.workspace->value;
  agent.limits = policy::limits_of(policy);
  return agent;
}

}  // namespace

Response refused_by_policy(const Error& error) {
  std::string_view rest = error.message();
  std::string detail;
  json::array reasons;
  while (!rest.empty()) {
    const auto line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    detail += (detail.empty() ? "" : "; ") + std::string(line);
    reasons.emplace_back(line);
  }
  Response response = http::problem_response(Error(error.kind(), std::move(detail), error.hint()));
  response.body.as_object()["reasons"] = std::move(reasons);
  return response;
}

Policies::Wish policy_wish(Fields& fields, std::vector<std::string>& reasons) {
  Policies::Wish wish;
  wish.name = fields.text("policy");
  if (fields.has("policy_file")) wish.own = file_of(fields.inside("policy_file"), reasons);
  return wish;
}

void Api::add_policy_routes(http::Router& router) {
  router.add("GET", "/v1/policies", [this](Request& request) -> Answer { co_return list_policies(request); });
  router.add("GET", "/v1/policies/{name}", [this](Request& request) -> Answer { co_return show_policy(request); });
  router.add("POST", "/v1/policies/check", [this](Request& request) -> Answer {
    if (const auto tenant = tenant_of(request); !tenant) co_return std::unexpected(tenant.error());
    Fields fields(request.body);
    const std::string name = printable(fields.text("name").substr(0, 256));
    const std::string text = fields.text("text");
    const bool tenant = fields.flag("tenant_ceiling");
    if (const auto wrong = fields.reasons(); !wrong.empty()) co_return refused(wrong);
    const auto parsed = policy::parse(text, name, tenant ? policy::Kind::tenant : policy::Kind::policy);
    Response response;
    response.body = json::object{{"good", parsed.has_value()},
                                 {"errors", parsed ? json::array() : diagnostics_json(parsed.error(), name)},
                                 {"lines", parsed ? lines_json(*parsed) : json::array()}};
    co_return response;
  });
  router.add("POST", "/v1/policies/diff", [this](Request& request) -> Answer { co_return diff_policies(request); });
  router.add("POST", "/v1/policies/explain", [this](Request& request) { return explain_policy(request); });
  router.add("POST", "/v1/policies/reload", [this](Request& request) -> Answer {
    auto tenant = tenant_of(request);
    if (!tenant) co_return std::unexpected(std::move(tenant).error());
    const auto decision = config::may(*config_, request.peer, Permission::administer, *tenant);
    if (!decision.allowed) co_return fail(decision.kind, decision.reason, decision.hint);
    reload_policies_();
    Response response;
    response.body = json::object{{"policies", policies_.policies().size()},
                                 {"tenants", policies_.tenants().size()},
                                 {"faults", strings(policies_.faults())}};
    co_return response;
  });
  router.add("POST", "/v1/why", [this](Request& request) { return why(request); });
}

Result<Response> Api::list_policies(const Request& request) const {
  const auto tenant = AGENTOS_TRY(tenant_of(request));
  json::array policies, tenants;
  for (const auto& [name, file] : policies_.policies()) policies.push_back(file_json(name, file));
  if (const auto own = policies_.tenants().find(tenant); own != policies_.tenants().end())
    tenants.push_back(file_json(tenant, own->second));
  Response response;
  response.body = json::object{{"policies", std::move(policies)}, {"tenants", std::move(tenants)}};
  return response;
}

Result<Response> Api::show_policy(const Request& request) const {
  AGENTOS_TRY(tenant_of(request));
  const auto& name = request.parameters.at("name");
  const PolicyFile* file = AGENTOS_TRY(policies_.find(name));
  auto body = file_json(name, *file);
  body["text"] = file->text;
  body["lines"] = lines_json(*file->good);
  Response response;
  response.body = std::move(body);
  return response;
}

Result<Response> Api::diff_policies(Request& request) const {
  AGENTOS_TRY(tenant_of(request));
  std::vector<std::string> reasons;
  Fields fields(request.body);
  std::array<policy::Policy, 2> sides;
  for (const auto& [key, at] : {std::pair{"from", 0}, {"to", 1}}) {
    Fields side = fields.inside(key);
    const auto name = side.text("name");
    const auto text = side.text("text");
    const bool is_file = side.flag("file");
    for (auto& reason : side.reasons()) reasons.push_back(std::move(reason));
    if (!is_file) {
      sides[static_cast<std::size_t>(at)] = *AGENTOS_TRY(policies_.find(name))->good;
      continue;
    }
    const auto file = printable(name.substr(0, 256));
    auto parsed = policy::parse(text, file);
    if (!parsed) return refused_by_policy(Error(ErrorKind::invalid, policy::text(parsed.error(), file)));
    sides[static_cast<std::size_t>(at)] = std::move(*parsed);
  }
  for (auto& reason : fields.reasons()) reasons.push_back(std::move(reason));
  if (!reasons.empty()) return refused(reasons);
  Response response;
  response.body = json::object{{"differences", strings(policy::difference(sides[0], sides[1]))}};
  return response;
}

Api::Answer Api::explain_policy(Request& request) {
  std::vector<std::string> reasons;
  Fields fields(request.body);
  auto wish = policy_wish(fields, reasons);
  const auto workspace = fields.text("workspace");
  for (auto& reason : fields.reasons()) reasons.push_back(std::move(reason));
  if (!reasons.empty()) co_return refused(reasons);
  const auto tenant = tenant_of(request);
  if (!tenant) co_return std::unexpected(tenant.error());
  wish.home = co_await home_for(request.peer.uid, *tenant, wish);
  const auto chosen = policies_.choose(*tenant, wish);
  if (!chosen) co_return refused_by_policy(chosen.error());
  const auto facts = co_await spawner_.probe();
  if (!facts) co_return std::unexpected(facts.error());
  const auto agent = imagined(request, *tenant, workspace, chosen->policy);
  const auto compiled = compile(agent, chosen->policy, *facts);
  if (!compiled) co_return std::unexpected(compiled.error());
  json::array missing;
  for (const auto& row : compiled->not_enforced)
    missing.push_back(json::object{{"feature", row.feature}, {"detail", row.detail}, {"remedy", row.remedy}});
  Response response;
  response.body = json::object{{"policy", chosen->name},
                               {"lines", lines_json(chosen->policy)},
                               {"plan", sandbox::explain(compiled->plan)},
                               {"not_enforced", std::move(missing)},
                               {"notes", strings(chosen->notes)}};
  co_return response;
}

Api::Answer Api::why(Request& request) {
  std::vector<std::string> reasons;
  Fields fields(request.body);
  auto wish = policy_wish(fields, reasons);
  const auto ref = fields.text("agent");
  const auto workspace = fields.text("workspace");
  const auto path = fields.text("path");
  const auto operation = sandbox::operation_named(fields.text("op"));
  const auto call = fields.text("syscall");
  for (auto& reason : fields.reasons()) reasons.push_back(std::move(reason));
  if (path.empty() == call.empty()) reasons.emplace_back("give either path and op, or syscall");
  if (call.empty() && !operation) reasons.emplace_back("op must be read, write or exec");
  const bool is_number = !call.empty() && call.size() <= 9 && call.find_first_not_of("0123456789") == call.npos;
  const auto number = is_number ? std::optional(std::stoi(call)) : sandbox::call_named(call);
  if (!call.empty() && (!number || sandbox::call_name(*number).empty()))
    reasons.push_back("'" + printable(call.substr(0, 64)) + "' is no system call of x86-64 that this program knows");
  if (!reasons.empty()) co_return refused(reasons);

  Agent agent;
  policy::Policy policy;
  if (ref.empty()) {
    const auto tenant = tenant_of(request);
    if (!tenant) co_return std::unexpected(tenant.error());
    wish.home = co_await home_for(request.peer.uid, *tenant, wish);
    auto chosen = policies_.choose(*tenant, wish);
    if (!chosen) co_return refused_by_policy(chosen.error());
    policy = std::move(chosen->policy);
    agent = imagined(request, *tenant, workspace, policy);
  } else {
    auto found = agent_of(request, ref, Permission::view);
    if (!found) co_return std::unexpected(std::move(found).error());
    auto kept = agents_.files().policy(found->id);
    if (!kept) co_return std::unexpected(std::move(kept).error());
    policy = std::move(*kept);
    agent = std::move(*found);
  }
  const auto facts = co_await spawner_.probe();
  if (!facts) co_return std::unexpected(facts.error());
  const auto compiled = compile(agent, policy, *facts);
  if (!compiled) co_return std::unexpected(compiled.error());
  const auto inside = sandbox::path_inside(path, agent.workspace);
  if (call.empty() && !inside) co_return refused({"the path leads out of the root, or is too long"});
  const auto answer = call.empty() ? sandbox::why_path(compiled->plan, policy, *inside, *operation)
                                   : sandbox::why_call(compiled->plan, policy, *number);
  Response response;
  json::object body{{"allowed", answer.allowed}, {"reason", answer.reason}, {"at", answer.origin.text()}};
  if (call.empty()) {
    body["path"] = *inside;
  } else {
    body["syscall"] = sandbox::call_name(*number);
  }
  response.body = std::move(body);
  co_return response;
}

}  // namespace agentos::daemon
