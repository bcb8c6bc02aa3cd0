#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <vector>

#include "agentos/base/fd.hpp"
#include "agentos/base/result.hpp"
#include "agentos/model/plan.hpp"
#include "os/cgroup.hpp"
#include "sandbox/container/net_pool.hpp"
#include "sandbox/container/templates.hpp"
#include "sandbox/container/workshop.hpp"

// Executes a plan that check() has passed: one clone3 with new namespaces, in a network namespace made ahead, into the
// agent's cgroup.
namespace agentos::container {

struct StartInput {
  const Plan& plan;
  std::vector<UniqueFd> fds;  // in the order of StartFd, then those of grants
  const os::Cgroup& cgroup;   // made, and its settings written
  const Workshop& workshop;
  NetPool& networks;
  Templates& templates;
  int layer{-1};  // directory with `upper` and `work`, where the workspace's mode has one
  std::uint32_t uid_base{};
  int init_binary{-1};  // agentos-init, open for reading
};

// A child between clone and exec. Poll `report` for reading, then call outcome().
struct Starting {
  pid_t pid{};
  UniqueFd pidfd;
  UniqueFd report;
  bool executing{};  // it has nothing left to do but to take its filter and become agentos-init
};

// Whether what came beside the plan is what it must be. The plan says whose files the workspace is, the kernel who is
// at the other end of the caller's connection; they must agree, so that a hostile agentosd cannot map somebody's files
// who has not asked for it.
[[nodiscard]] Result<> check_descriptors(const Plan& plan, const std::vector<UniqueFd>& fds);

// check_descriptors() has passed too.
[[nodiscard]] Result<Starting> start(StartInput input);

// nullopt: it is still being set up. An error: it failed; the process has ended or is about to. Never waits: agentosd
// may freeze the cgroup at any moment.
[[nodiscard]] std::optional<Result<>> outcome(Starting& starting);

}  // namespace agentos::container
