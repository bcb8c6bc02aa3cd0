#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "agentos/base/fd.hpp"
#include "agentos/model/agent.hpp"
#include "policy/policy.hpp"

namespace agentos::process {

// What is asked for by whoever submits an agent.
struct Submission {
  std::string tenant, name, type{"command"}, goal;
  std::uint32_t owner_uid{}, owner_gid{};
  std::vector<std::string> command;
  std::vector<std::string> environment;  // NAME=value, beside what every agent gets
  std::string terminal;                  // TERM, with a tty
  std::string workspace;                 // absolute path of workspace_fd
  WorkspaceMode workspace_mode{WorkspaceMode::overlay};
  Limits limits;            // with those of the policy
  std::string policy_name;  // of the administrator's policy
  policy::Policy policy;    // the effective one, which `environment` keeps to
  bool tty{}, with_stdin{}, attach{}, remove_on_exit{};
  std::uint16_t rows{24}, columns{80};
  UniqueFd caller;                  // the caller's connection: spawnd reads its credentials
  UniqueFd workspace_fd;            // the directory, opened by the caller
  std::vector<UniqueFd> grant_fds;  // for each grant of the policy, opened by the caller
};

struct Submitted {
  Agent agent;
  UniqueFd stream;  // attach stream, when it was asked for
};

constexpr std::size_t program_bytes_max = 2 << 20;  // command line and environment together
constexpr std::size_t goal_bytes_max = 4096;
constexpr std::size_t recorded_command_max = 16 << 10;  // what is remembered of a command line

// Every reason why it cannot be accepted, whatever the host is like. Empty: none.
[[nodiscard]] std::vector<std::string> refusals(const Submission& submission);
// The same for a command line and the environment added to it.
[[nodiscard]] std::vector<std::string> refusals(const std::vector<std::string>& command,
                                                const std::vector<std::string>& environment);

// A new record, in status submitted.
[[nodiscard]] Agent record_of(const Submission& submission, std::string id, TimePoint now);

// What a program of this agent finds in its environment: a few fixed variables, those that the policy sets, then
// `added`, of which the last of a name counts. AGENTOS_AGENT_ID and AGENTOS_TENANT always tell the truth.
[[nodiscard]] std::vector<std::string> environment_of(const Agent& agent, const policy::Policy& policy,
                                                      const std::vector<std::string>& added, bool tty,
                                                      const std::string& terminal);

}  // namespace agentos::process
