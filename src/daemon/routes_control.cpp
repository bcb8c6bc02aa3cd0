#include <fcntl.h>

#include <csignal>
#include <cstring>

#include <boost/asio/experimental/awaitable_operators.hpp>

#include "daemon/api.hpp"
#include "daemon/fields.hpp"
#include "daemon/http/problem.hpp"

namespace agentos::daemon {

using config::Permission;
using http::Request;
using http::Response;
using std::chrono::milliseconds;

namespace {

constexpr std::uint64_t grace_max_ms = 3'600'000;
constexpr std::uint64_t wait_max_ms = 366ULL * 24 * 3'600'000;

// "INT", "SIGINT" or "2".
std::optional<int> signal_named(std::string_view text) {
  if (text.starts_with("SIG")) text.remove_prefix(3);
  for (int number = 1; number < NSIG; ++number) {
    const char* name = ::sigabbrev_np(number);
    if (text == std::to_string(number) || (name != nullptr && text == name)) return number;
  }
  return std::nullopt;
}

}  // namespace

void Api::add_control_routes(http::Router& router) {
  const auto changed = [this](Result<Agent> agent) -> Result<Response> {
    if (!agent) return std::unexpected(std::move(agent).error());
    return show(*agent);
  };
  router.add("POST", "/v1/agents/{ref}/pause", [this, changed](Request& request) -> Answer {
    const auto agent = agent_of(request, Permission::operate);
    if (!agent) co_return std::unexpected(agent.error());
    auto paused = co_await agents_.pause(agent->id);
    co_return changed(std::move(paused));
  });
  router.add("POST", "/v1/agents/{ref}/resume", [this, changed](Request& request) -> Answer {
    const auto agent = agent_of(request, Permission::operate);
    if (!agent) co_return std::unexpected(agent.error());
    auto resumed = co_await agents_.resume(agent->id);
    co_return changed(std::move(resumed));
  });
  router.add("POST", "/v1/agents/{ref}/terminate", [this, changed](Request& request) -> Answer {
    const auto agent = agent_of(request, Permission::operate);
    if (!agent) co_return std::unexpected(agent.error());
    Fields fields(request.body);
    std::string reason = fields.text("reason");
    const auto grace = fields.number<std::uint64_t>("grace_ms", 0, grace_max_ms);
    auto reasons = fields.reasons();
    if (reason.size() > process::goal_bytes_max)
      reasons.push_back("reason is longer than " + std::to_string(process::goal_bytes_max) + " bytes");
    if (!reasons.empty()) co_return refused(reasons);
    if (reason.empty()) reason = "terminated by uid " + std::to_string(request.peer.uid);
    co_return changed(agents_.terminate(agent->id, std::move(reason), milliseconds(grace.value_or(10'000))));
  });
  router.add("POST", "/v1/agents/{ref}/signal", [this](Request& request) -> Answer {
    const auto agent = agent_of(request, Permission::operate);
    if (!agent) co_return std::unexpected(agent.error());
    const auto* member = request.body.is_object() ? request.body.get_object().if_contains("signal") : nullptr;
    std::optional<int> number;
    if (member != nullptr && member->is_string()) number = signal_named(std::string_view(member->get_string()));
    if (member != nullptr && member->is_int64()) number = signal_named(std::to_string(member->get_int64()));
    if (!number) co_return refused({"signal must be a signal's name or number"});
    if (auto sent = agents_.signal(agent->id, *number); !sent) co_return std::unexpected(std::move(sent).error());
    co_return show(*agent);
  });
  router.add("POST", "/v1/agents/{ref}/attach", [this](Request& request) -> Answer { co_return attach(request); });
  router.add("POST", "/v1/agents/{ref}/exec", [this](Request& request) -> Answer { co_return exec(request); });
  router.add("POST", "/v1/agents/{ref}/layer", [this](Request& request) { return open_layer(request); });
  router.add("GET", "/v1/agents/{ref}/wait", [this](Request& request) { return wait(request); });
}

Result<Response> Api::attach(const Request& request) {
  const Agent agent = AGENTOS_TRY(agent_of(request, Permission::operate));
  Fields fields(request.body);
  const auto rows = fields.number<std::uint16_t>("rows").value_or(0);
  const auto columns = fields.number<std::uint16_t>("columns").value_or(0);
  if (const auto reasons = fields.reasons(); !reasons.empty()) return refused(reasons);
  UniqueFd stream = AGENTOS_TRY(agents_.attach(agent.id, rows, columns));
  Response response = show(agent);
  response.fd = std::move(stream);
  return response;
}

Result<Response> Api::exec(const Request& request) {
  const Agent agent = AGENTOS_TRY(agent_of(request, Permission::operate));
  Fields fields(request.body);
  Program program;
  program.argv = fields.texts("command");
  program.env = fields.variables("env");
  program.cwd = fields.text("cwd");
  program.tty = fields.flag("tty");
  program.with_stdin = fields.flag("stdin");
  program.rows = fields.number<std::uint16_t>("rows").value_or(24);
  program.columns = fields.number<std::uint16_t>("columns").value_or(80);
  const std::string terminal = fields.text("term");
  auto reasons = fields.reasons();
  for (auto& reason : process::refusals(program.argv, program.env)) reasons.push_back(std::move(reason));
  if (program.cwd.contains('\0')) reasons.emplace_back("cwd holds a NUL byte");
  if (!reasons.empty()) return refused(reasons);
  UniqueFd stream = AGENTOS_TRY(agents_.exec(agent.id, std::move(program), terminal));
  Response response = show(agent);
  response.fd = std::move(stream);
  return response;
}

Api::Answer Api::wait(Request& request) {
  const auto agent = agent_of(request, Permission::view);
  if (!agent) co_return std::unexpected(agent.error());
  const auto timeout = query_number<std::uint64_t>(request.query, "timeout_ms", wait_max_ms);
  if (!timeout) co_return std::unexpected(timeout.error());
  auto until = process::Bell::Clock::time_point::max();
  if (*timeout) until = process::Bell::Clock::now() + milliseconds(**timeout);
  using namespace boost::asio::experimental::awaitable_operators;
  auto outcome = co_await (agents_.wait(agent->id, until) || request.closed());
  if (outcome.index() == 1) co_return fail(ErrorKind::unavailable, "the client has gone");
  auto ended = std::get<0>(std::move(outcome));
  if (!ended) co_return std::unexpected(std::move(ended).error());
  co_return co_await show_with_layer(std::move(*ended));
}

Api::Answer Api::open_layer(Request& request) {
  const auto agent = agent_of(request, Permission::operate);
  if (!agent) co_return std::unexpected(agent.error());
  UniqueFd caller(::fcntl(request.connection, F_DUPFD_CLOEXEC, 3));
  if (!caller) co_return fail_errno("open the layer");
  auto layer = co_await agents_.open_layer(agent->id, std::move(caller));
  if (!layer) co_return std::unexpected(std::move(layer).error());
  Response response = show(*agent);
  response.fd = std::move(*layer);
  co_return response;
}

}  // namespace agentos::daemon
