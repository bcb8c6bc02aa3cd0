#pragma once

#include <cstdint>

#include "agentos/model/plan.hpp"
#include "sandbox/compile/compile.hpp"

namespace agentos::sandbox {

// Read and execute everywhere, write where the agent's own things are and what it is granted: a second wall, should a
// mount be more writable than it was meant to be. Empty below ABI 2: there, files cannot move between directories
// (rename and link answer EXDEV).
[[nodiscard]] LandlockRules landlock_rules(std::uint32_t abi, const SandboxRequest& request);

}  // namespace agentos::sandbox
