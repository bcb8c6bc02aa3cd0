#include "cli/command.hpp"

#include <array>

namespace agentos::cli {
namespace {

constexpr auto running = "Run";
constexpr auto looking = "Look";
constexpr auto changing = "Take over what an agent changed";
constexpr auto steering = "Steer";
constexpr auto host = "Host";

constexpr std::array all_commands{
    CommandInfo{"run", running, "Run a command as an agent in its own sandbox", make_run, true},
    CommandInfo{"exec", running, "Run a further command inside a running agent's sandbox", make_exec, true},
    CommandInfo{"attach", running, "Attach to the terminal or output of a running agent", make_attach, true},
    CommandInfo{"ps", looking, "List agents", make_ps},
    CommandInfo{"top", looking, "Watch what agents use", make_top},
    CommandInfo{"stats", looking, "Show what agents did: processes, programs, connections, bytes", make_stats},
    CommandInfo{"inspect", looking, "Show everything known about agents, as JSON", make_inspect},
    CommandInfo{"logs", looking, "Show what an agent printed", make_logs},
    CommandInfo{"diff", changing, "Show what an agent changed in its own layer of the workspace", make_diff},
    CommandInfo{"commit", changing, "Put what an agent changed into the workspace", make_commit},
    CommandInfo{"discard", changing, "Drop what an agent changed", make_discard},
    CommandInfo{"pause", steering, "Freeze agents where they are", make_pause},
    CommandInfo{"resume", steering, "Let paused agents go on", make_resume},
    CommandInfo{"terminate", steering, "End agents: SIGTERM, a grace period, then SIGKILL", make_terminate},
    CommandInfo{"wait", steering, "Wait until agents have ended", make_wait, true},
    CommandInfo{"rm", steering, "Remove agents that have ended, with their logs", make_rm},
    CommandInfo{"prune", steering, "Remove all agents that have ended", make_prune},
    CommandInfo{"policy", host, "Check, show and explain policies: what agents may do", make_policy},
    CommandInfo{"why", host, "Say whether an agent may do something, and which line decides", make_why},
    CommandInfo{"audit", host, "Show the audit journal, and verify that nobody changed it", make_audit},
    CommandInfo{"doctor", host, "Check what this host can enforce and what would mend the rest", make_doctor, false,
                true, false},
    CommandInfo{"selftest", host, "Try in a throw-away agent what an agent must not be able to do", make_selftest},
    CommandInfo{"version", host, "Show the versions of agentos and agentosd", make_version, false, true, false},
};

}  // namespace

std::span<const CommandInfo> commands() {
  return all_commands;
}

const CommandInfo* command_named(std::string_view name) {
  for (const auto& command : all_commands) {
    if (name == command.name) return &command;
  }
  return nullptr;
}

void declare(const CommandInfo& info, Command& command, Context& context, Options& options) {
  command.declare(options);
  if (info.has_tenant)
    options.value("--tenant", "TENANT", context.tenant, "Tenant to act in (default: the first you have a role in)");
  if (info.has_json) options.flag("--json", context.json, "Answer, and say errors, as JSON");
  options.value("--socket", "PATH", context.socket, "Socket of agentosd (also AGENTOS_SOCKET)");
}

std::string Context::with_tenant(std::string_view path, std::string query) const {
  std::string target(path);
  if (!tenant.empty()) query += (query.empty() ? "tenant=" : "&tenant=") + client::escape(tenant);
  return query.empty() ? target : target + "?" + query;
}

std::string Context::agent_target(std::string_view ref, std::string_view action, std::string query) const {
  std::string path = "/v1/agents/" + client::escape(ref);
  if (!action.empty()) path += "/" + std::string(action);
  return with_tenant(path, std::move(query));
}

}  // namespace agentos::cli
