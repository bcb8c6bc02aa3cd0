#include <fcntl.h>
#include <unistd.h>

#include <array>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "agentos/base/text.hpp"
#include "daemon/agent_json.hpp"
#include "daemon/api.hpp"
#include "daemon/fields.hpp"
#include "daemon/grants.hpp"
#include "daemon/http/problem.hpp"
#include "policy/compose.hpp"

namespace agentos::daemon {

namespace asio = boost::asio;
namespace json = boost::json;
using config::Permission;
using http::Request;
using http::Response;

namespace {

Limits limits_of(Fields fields, std::vector<std::string>& reasons) {
  Limits limits;
  limits.memory_max = fields.number<std::uint64_t>("memory_max", 1);
  limits.memory_high = fields.number<std::uint64_t>("memory_high", 1);
  limits.cpu_max = fields.number<std::uint32_t>("cpu_max", 1);
  limits.cpu_weight = fields.number<std::uint32_t>("cpu_weight", 1, 10'000);
  limits.pids_max = fields.number<std::uint64_t>("pids_max", 1);
  limits.io_weight = fields.number<std::uint32_t>("io_weight", 1, 10'000);
  for (auto& reason : fields.reasons()) reasons.push_back(std::move(reason));
  return limits;
}

// The path that the kernel has for this directory: what the caller says must be the same, so that nobody is shown one
// directory and gives another. Asks the kernel's name cache only, never a file system that may hang.
Result<> check_workspace(const process::Submission& submission) {
  std::array<char, 4096> target{};
  const std::string link = "/proc/self/fd/" + std::to_string(submission.workspace_fd.get());
  const ssize_t size = ::readlink(link.c_str(), target.data(), target.size());
  if (size < 0) return fail_errno("look at the workspace");
  const std::string_view actual(target.data(), static_cast<std::size_t>(size));
  if (actual == submission.workspace) return {};
  return fail(ErrorKind::invalid,
              "the workspace's descriptor is " + printable(actual) + ", not " + printable(submission.workspace),
              "give the path without symbolic links");
}

json::array strings(const std::vector<std::string>& list) {
  json::array array;
  for (const auto& element : list) array.emplace_back(element);
  return array;
}

}  // namespace

void Api::add_agent_routes(http::Router& router) {
  router.add("POST", "/v1/agents", [this](Request& request) { return submit(request); });
  router.add("GET", "/v1/agents", [this](Request& request) -> Answer { co_return list(request); });
  router.add("GET", "/v1/agents/{ref}", [this](Request& request) -> Answer {
    const auto agent = agent_of(request, Permission::view);
    if (!agent) co_return std::unexpected(agent.error());
    co_return co_await show_with_layer(*agent);
  });
  router.add("DELETE", "/v1/agents/{ref}", [this](Request& request) -> Answer {
    const auto agent = agent_of(request, Permission::operate);
    if (!agent) co_return std::unexpected(agent.error());
    const bool discard = query_flag(request.query, "discard");
    if (auto removed = co_await agents_.remove(agent->id, discard); !removed) {
      co_return std::unexpected(std::move(removed).error());
    }
    Response response;
    response.status = 204;
    co_return response;
  });
  router.add("POST", "/v1/prune", [this](Request& request) { return prune(request); });
}

// Sets what the policy makes of the submission; what it forbids is an error.
Result<Policies::Chosen> Api::choose_policy(process::Submission& submission, Policies::Wish wish) const {
  const auto mode = wish.asked.workspace;
  wish.asked = policy::asked_for(submission.limits);
  wish.asked.workspace = mode;
  auto chosen = AGENTOS_TRY(policies_.choose(submission.tenant, wish));
  if (const auto reasons = policy::refusals(chosen.policy, submission.environment); !reasons.empty()) {
    std::string all;
    for (const auto& reason : reasons) all += (all.empty() ? "" : "\n") + reason;
    return fail(ErrorKind::forbidden, std::move(all), "leave it out, or have an administrator name it in the policy");
  }
  submission.policy_name = chosen.name;
  submission.workspace_mode = chosen.policy.workspace->value;
  submission.limits = policy::limits_of(chosen.policy);
  submission.policy = chosen.policy;
  return chosen;
}

asio::awaitable<std::optional<std::string>> Api::home_for(uid_t caller, std::string tenant, Policies::Wish wish) {
  if (!policies_.needs_home(tenant, wish)) co_return std::nullopt;
  const auto look_up = [caller]() -> asio::awaitable<std::optional<std::string>> { co_return home_of(caller); };
  co_return co_await asio::co_spawn(user_database_, look_up, asio::use_awaitable);
}

Api::Answer Api::submit(Request& request) {
  process::Submission submission;
  Fields fields(request.body);
  submission.name = fields.text("name");
  if (auto type = fields.text("type"); !type.empty()) submission.type = std::move(type);
  submission.goal = fields.text("goal");
  const std::string asked = fields.text("tenant");
  submission.command = fields.texts("command");
  submission.environment = fields.variables("env");
  submission.tty = fields.flag("tty");
  submission.with_stdin = fields.flag("stdin");
  submission.attach = fields.flag("attach");
  submission.rows = fields.number<std::uint16_t>("rows").value_or(24);
  submission.columns = fields.number<std::uint16_t>("columns").value_or(80);
  submission.terminal = fields.text("term");
  submission.workspace = fields.text("workspace");
  const std::string mode = fields.text("workspace_mode");
  std::vector<std::string> reasons;
  submission.limits = limits_of(fields.inside("limits"), reasons);
  submission.remove_on_exit = fields.flag("remove_on_exit");
  auto wish = policy_wish(fields, reasons);
  if (const auto known = workspace_mode_named(mode)) {
    wish.asked.workspace = {*known, {"--workspace", 0, 0}};
  } else if (!mode.empty()) {
    reasons.push_back("workspace_mode must be overlay, bind, ro or empty");
  }
  const bool offers_environment = fields.flag("offers_environment");
  const bool offers_grants = fields.flag("offers_grants");
  const auto granted = fields.texts("grants");
  for (auto& reason : fields.reasons()) reasons.push_back(std::move(reason));

  auto tenant = tenant_of(request, asked);
  if (!tenant) co_return std::unexpected(std::move(tenant).error());
  submission.tenant = std::move(*tenant);
  const auto decision = config::may(*config_, request.peer, Permission::submit, submission.tenant);
  if (!decision.allowed) co_return fail(decision.kind, decision.reason, decision.hint);

  submission.owner_uid = request.peer.uid;
  submission.owner_gid = request.peer.gid;
  submission.caller.reset(::fcntl(request.connection, F_DUPFD_CLOEXEC, 3));
  if (!submission.caller) co_return fail_errno("submit");
  if (!request.fds.empty()) submission.workspace_fd = std::move(request.fds.front());
  std::vector<UniqueFd> granted_fds;
  for (std::size_t at = 1; at < request.fds.size(); ++at) granted_fds.push_back(std::move(request.fds[at]));
  for (auto& reason : process::refusals(submission)) reasons.push_back(std::move(reason));
  if (!reasons.empty()) co_return refused(reasons);
  wish.home = co_await home_for(request.peer.uid, submission.tenant, wish);
  auto chosen = choose_policy(submission, std::move(wish));
  if (!chosen) co_return refused_by_policy(chosen.error());
  // The caller knows what its environment holds, and may open its files; the policy says which of them may enter. So
  // each does its part.
  const auto names = policy::passed_names(submission.policy);
  auto grants = grants_json(submission.policy);
  if ((offers_environment && !names.empty()) || (offers_grants && !grants.empty())) {
    Response response;
    response.body = json::object{{"pass", strings(names)}, {"grants", std::move(grants)}};
    co_return response;
  }
  auto taken = take_grants(submission.policy, granted, std::move(granted_fds));
  if (!taken) co_return refused_by_policy(taken.error());
  submission.grant_fds = std::move(*taken);
  if (auto same = check_workspace(submission); !same) co_return refused({same.error().message()});

  auto submitted = co_await agents_.submit(std::move(submission));
  if (!submitted) {
    Response response = http::problem_response(submitted.error());
    response.body.as_object()["reasons"] = json::array{json::value(submitted.error().message())};
    co_return response;
  }
  Response response = show(submitted->agent, 201);
  response.body.as_object()["notes"] = strings(chosen->notes);
  response.fd = std::move(submitted->stream);
  co_return response;
}

Result<Response> Api::list(const Request& request) const {
  AgentQuery query;
  query.tenant = AGENTOS_TRY(tenant_of(request));
  query.live_only = !query_flag(request.query, "all");
  if (const auto found = request.query.find("status"); found != request.query.end() && !found->second.empty()) {
    query.status = status_named(found->second);
    query.live_only = false;
    if (!query.status)
      return fail(ErrorKind::invalid, "'" + printable(found->second.substr(0, 64)) + "' is no status",
                  "see agentos-lifecycle(7)");
  }
  json::array agents;
  for (const auto& agent : AGENTOS_TRY(agents_.list(query))) agents.push_back(to_json(agent, agents_.usage(agent)));
  Response response;
  response.body = json::object{{"agents", std::move(agents)}};
  return response;
}

Api::Answer Api::prune(Request& request) {
  Fields fields(request.body);
  const std::string asked = fields.text("tenant");
  if (const auto reasons = fields.reasons(); !reasons.empty()) co_return refused(reasons);
  AgentQuery query;
  auto tenant = tenant_of(request, asked);
  if (!tenant) co_return std::unexpected(std::move(tenant).error());
  query.tenant = std::move(*tenant);
  const auto all = agents_.list(query);
  if (!all) co_return std::unexpected(all.error());
  json::array removed, kept;
  for (const auto& agent : *all) {
    if (!is_final(agent.status)) continue;
    if (!config::may(*config_, request.peer, Permission::operate, agent.tenant, agent.owner_uid).allowed) continue;
    const auto outcome = co_await agents_.remove(agent.id, false);
    if (outcome) removed.emplace_back(agent.id);
    if (!outcome && outcome.error().kind() == ErrorKind::conflict) kept.emplace_back(agent.id);
    co_await asio::post(asio::use_awaitable);  // others get their turn between
  }
  Response response;
  response.body = json::object{{"removed", std::move(removed)}, {"kept", std::move(kept)}};
  co_return response;
}

}  // namespace agentos::daemon
