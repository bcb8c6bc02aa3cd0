#pragma once

#include <linux/filter.h>

#include <span>

#include "agentos/base/result.hpp"

namespace agentos::sandbox {

// Whether this program is a filter that an agent may run under: well formed, and proven to allow none of the system
// calls that no agent may make, whatever their other arguments are. spawnd asks it about what agentosd sends. Pure;
// well under 100 us. invalid: not a program the kernel would take. forbidden: a call that would pass, named.
[[nodiscard]] Result<> check_filter(std::span<const sock_filter> filter);

}  // namespace agentos::sandbox
