#pragma once

#include "agentos/base/result.hpp"
#include "daemon/options.hpp"

namespace agentos::daemon {

// Runs agentosd until SIGTERM or SIGINT. The agents go on.
[[nodiscard]] Result<> run(const Options& options);

}  // namespace agentos::daemon
