#pragma once

#include <linux/filter.h>

#include <string>
#include <vector>

#include "agentos/base/result.hpp"

namespace agentos::sandbox {

// The filter of every agent, made by libseccomp from call_sets() and the conditions on arguments. agentos-init runs
// under it too. Takes some milliseconds: keep the result.
[[nodiscard]] Result<std::vector<sock_filter>> make_filter();

// What a filter answers to every system call by number, one line each: "mount: EPERM", "clone: allowed, EPERM". Empty
// when the program is not a filter.
[[nodiscard]] std::string explain_filter(const std::vector<sock_filter>& filter);

}  // namespace agentos::sandbox
