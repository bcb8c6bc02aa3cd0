#include "process/submission.hpp"

#include <algorithm>
#include <map>
#include <string_view>

#include "agentos/base/text.hpp"

namespace agentos::process {
namespace {

std::string_view name_of(std::string_view variable) {
  return variable.substr(0, variable.find('='));
}

// Starts with the first argument and goes on while there is room, so that a list of agents stays small.
std::vector<std::string> shortened(const std::vector<std::string>& command) {
  std::vector<std::string> kept;
  std::size_t bytes = 0;
  for (const auto& argument : command) {
    bytes += argument.size() + 1;
    if (bytes > recorded_command_max) {
      kept.push_back("[" + std::to_string(command.size() - kept.size()) + " more arguments]");
      break;
    }
    kept.push_back(argument);
  }
  return kept;
}

}  // namespace

std::vector<std::string> refusals(const std::vector<std::string>& command,
                                  const std::vector<std::string>& environment) {
  std::vector<std::string> reasons;
  const auto has_nul = [](const std::string& text) { return text.contains('\0'); };
  if (command.empty() || command.front().empty()) reasons.emplace_back("no command is given");
  if (std::ranges::any_of(command, has_nul)) reasons.emplace_back("an argument of the command holds a NUL byte");
  if (std::ranges::any_of(environment, has_nul)) reasons.emplace_back("an environment variable holds a NUL byte");
  std::size_t bytes = 0;
  for (const auto& argument : command) bytes += argument.size() + 1;
  for (const auto& variable : environment) {
    bytes += variable.size() + 1;
    if (name_of(variable).empty() || !variable.contains('=')) {
      reasons.push_back("'" + printable(variable.substr(0, 64)) + "' is no environment variable: give NAME=value");
    }
  }
  if (bytes > program_bytes_max) {
    reasons.push_back("command and environment are " + format_bytes(bytes) + " long; " +
                      format_bytes(program_bytes_max) + " is the most");
  }
  return reasons;
}

std::vector<std::string> refusals(const Submission& submission) {
  auto reasons = refusals(submission.command, submission.environment);
  constexpr std::string_view rule =
      " (small letters, digits, '-' and '_', starting with a letter or digit, at most 63)";
  if (!submission.name.empty() && !is_name(submission.name)) {
    reasons.push_back("'" + printable(submission.name.substr(0, 64)) + "' cannot be a name" + std::string(rule));
  }
  if (is_agent_id(submission.name))
    reasons.push_back("the name '" + submission.name + "' has the form of an agent's id");
  if (!is_name(submission.type)) {
    reasons.push_back("'" + printable(submission.type.substr(0, 64)) + "' cannot be a type" + std::string(rule));
  }
  if (submission.goal.size() > goal_bytes_max) {
    reasons.push_back("the goal is longer than " + std::to_string(goal_bytes_max) + " bytes");
  }
  if (!submission.workspace.starts_with('/') || submission.workspace.contains('\0')) {
    reasons.emplace_back("the workspace is no absolute path");
  }
  if (!submission.workspace_fd) reasons.emplace_back("no descriptor of the workspace came with the request");
  return reasons;
}

Agent record_of(const Submission& submission, std::string id, TimePoint now) {
  Agent agent;
  agent.id = std::move(id);
  agent.name = submission.name;
  agent.type = submission.type;
  agent.tenant = submission.tenant;
  agent.owner_uid = submission.owner_uid;
  agent.owner_gid = submission.owner_gid;
  agent.goal = submission.goal;
  agent.workspace = submission.workspace;
  agent.workspace_mode = submission.workspace_mode;
  agent.command = shortened(submission.command);
  agent.limits = submission.limits;
  agent.policy = submission.policy_name;
  if (submission.policy.wall) agent.wall = submission.policy.wall->value;
  agent.tty = submission.tty;
  agent.with_stdin = submission.with_stdin;
  agent.remove_on_exit = submission.remove_on_exit;
  agent.created = agent.updated = now;
  return agent;
}

std::vector<std::string> environment_of(const Agent& agent, const policy::Policy& policy,
                                        const std::vector<std::string>& added, bool tty, const std::string& terminal) {
  std::map<std::string, std::string, std::less<>> variables;
  const auto set = [&](const std::string& variable) { variables[std::string(name_of(variable))] = variable; };
  set("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
  set("HOME=/home/agent");
  set("USER=agent");
  set("LOGNAME=agent");
  set("SHELL=/bin/bash");
  set("LANG=C.UTF-8");
  if (tty) set("TERM=" + (terminal.empty() ? "xterm" : terminal));
  for (const auto& [variable, origin] : policy.set) set(variable.name + "=" + variable.value);
  for (const auto& variable : added) set(variable);
  set("AGENTOS_AGENT_ID=" + agent.id);
  set("AGENTOS_TENANT=" + agent.tenant);
  std::vector<std::string> environment;
  for (auto& [name, variable] : variables) environment.push_back(std::move(variable));
  return environment;
}

}  // namespace agentos::process
