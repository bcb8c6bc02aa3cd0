#pragma once

#include <string>
#include <string_view>

#include "agentos/base/result.hpp"
#include "policy/policy.hpp"

namespace agentos::policy {

// A policy as it is kept beside an agent, for as long as the agent's record: so that questions about it are answered
// from what it was started with, whatever the files say now.
[[nodiscard]] std::string encode(const Policy& policy);
[[nodiscard]] Result<Policy> decode(std::string_view bytes);
constexpr std::size_t encoded_bytes_max = 1 << 20;

}  // namespace agentos::policy
