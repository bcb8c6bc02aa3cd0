#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "agentos/base/result.hpp"
#include "agentos/model/host_facts.hpp"
#include "agentos/model/limits.hpp"
#include "agentos/model/plan.hpp"
#include "policy/policy.hpp"

// Turns what was asked for and what the host can do into the plan that agentos-spawnd executes. Decides everything and
// does nothing: no file is opened, no clock or environment read.
namespace agentos::sandbox {

struct SandboxRequest {
  std::string agent;  // its id
  std::string name;   // may be empty
  std::string tenant;
  std::uint32_t caller_uid{}, caller_gid{};
  std::string workspace;  // canonical absolute path of the directory that the caller opened
  WorkspaceMode workspace_mode{};
  Limits limits;          // all of them, those of the policy too
  policy::Policy policy;  // the effective one: what composition gave
};

// A protection that is on by default and that this host cannot give. What was asked for by name is refused instead.
struct NotEnforced {
  std::string feature;  // a word or two: "memory limit"
  std::string detail;   // what it means for the agent
  std::string remedy;   // the line that mends it; may be empty

  bool operator==(const NotEnforced&) const = default;
};
using Report = std::vector<NotEnforced>;

// invalid: the request is wrong (message says what). forbidden: this workspace is never given to an agent. unsupported:
// the host lacks what was asked for or what every sandbox needs; the hint mends it.
[[nodiscard]] Result<Plan> compile(const SandboxRequest& request, const HostFacts& facts, Report& not_enforced);

// Whether a path may be an agent's workspace: see compile().
[[nodiscard]] Result<> check_workspace(const std::string& path);

// The plan as stable text for people and golden tests.
[[nodiscard]] std::string explain(const Plan& plan);

// The home directory of every agent, inside.
constexpr const char* agent_home = "/home/agent";

}  // namespace agentos::sandbox
