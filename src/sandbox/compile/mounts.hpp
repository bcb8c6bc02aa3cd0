#pragma once

#include <string>
#include <vector>

#include "agentos/model/host_facts.hpp"
#include "agentos/model/plan.hpp"
#include "sandbox/compile/compile.hpp"

namespace agentos::sandbox {

// The root file system of an agent: see compile(). `hostname` is valid, the request's workspace is checked.
[[nodiscard]] std::vector<MountStep> mount_steps(const SandboxRequest& request, const HostFacts& facts,
                                                 const std::string& hostname);

}  // namespace agentos::sandbox
