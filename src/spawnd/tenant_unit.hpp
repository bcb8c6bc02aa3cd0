#pragma once

#include <string>

#include "agentos/base/result.hpp"

namespace agentos::spawnd {

// Starts agentos-tenant@NAME.service and waits until systemd has made its cgroup, at most ten seconds. `tenant`
// is_name(). Done once per tenant and boot, so that it may block.
[[nodiscard]] Result<> start_tenant_unit(const std::string& tenant);

}  // namespace agentos::spawnd
