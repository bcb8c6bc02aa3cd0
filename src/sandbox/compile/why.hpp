#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "agentos/model/plan.hpp"
#include "policy/policy.hpp"

// What an agent with this plan may do, and why: read from the plan itself, which is what the kernel is told.
namespace agentos::sandbox {

enum class Operation : std::uint8_t { read, write, execute };

struct Answer {
  bool allowed{};
  std::string reason;     // "a read-only mount of the host's /usr"
  policy::Origin origin;  // the line that decided, or "built in"
};

// `path` is absolute, as the agent sees it, and lexically clean. Links that the plan makes are followed (/bin,
// /dev/stdin); those of the host or the workspace are not known here. "Allowed" is as far as the sandbox goes: the file
// must exist and its own permissions must let the agent.
[[nodiscard]] Answer why_path(const Plan& plan, const policy::Policy& policy, std::string_view path,
                              Operation operation);

// `number` is one of call_name().
[[nodiscard]] Answer why_call(const Plan& plan, const policy::Policy& policy, int number);

[[nodiscard]] std::optional<Operation> operation_named(std::string_view name);  // read, write, exec

// "./a" below the workspace or an absolute path, made clean. nullopt: it leads out of the root, or is too long.
[[nodiscard]] std::optional<std::string> path_inside(std::string_view path, std::string_view workspace);

}  // namespace agentos::sandbox
