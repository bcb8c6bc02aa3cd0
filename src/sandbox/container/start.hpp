#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <vector>

#include "agentos/base/fd.hpp"
#include "agentos/base/result.hpp"
#include "agentos/model/plan.hpp"
#include "os/cgroup.hpp"

// Executes a plan that check() has passed: one clone3 with all namespaces into the agent's cgroup.
namespace agentos::container {

struct StartInput {
  const Plan& plan;
  std::vector<UniqueFd> fds;  // in the order of StartFd
  const os::Cgroup& cgroup;   // made, and its settings written
  std::uint32_t uid_base{};
  int init_binary{-1};  // agentos-init, open for reading
};

// A child between clone and exec. Poll `report` for reading, then call outcome().
struct Starting {
  pid_t pid{};
  UniqueFd pidfd;
  UniqueFd report;
};

[[nodiscard]] Result<Starting> start(StartInput input);

// nullopt: it is still being set up. An error: it failed; the process has ended or is about to.
[[nodiscard]] std::optional<Result<>> outcome(const Starting& starting);

}  // namespace agentos::container
