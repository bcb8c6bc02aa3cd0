#pragma once

#include <linux/filter.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agentos/base/result.hpp"
#include "policy/policy.hpp"

namespace agentos::sandbox {

// The filter of an agent, made by libseccomp from call_sets() and the conditions on arguments. agentos-init runs
// under it too. Takes some milliseconds: keep the result.
[[nodiscard]] Result<std::vector<sock_filter>> make_filter(policy::Seccomp set = policy::Seccomp::agent);

// What a filter answers to every system call by number, one line each: "mount: EPERM", "clone: allowed, EPERM". Empty
// when the program is not a filter.
[[nodiscard]] std::string explain_filter(const std::vector<sock_filter>& filter);

// The same of one call: "EPERM", "allowed EPERM" where it depends on the arguments.
[[nodiscard]] std::string explain_call(const std::vector<sock_filter>& filter, int number);
// Its name on x86-64; empty: no kernel this program knows has that number.
[[nodiscard]] std::string call_name(int number);
[[nodiscard]] std::optional<int> call_named(std::string_view name);

}  // namespace agentos::sandbox
