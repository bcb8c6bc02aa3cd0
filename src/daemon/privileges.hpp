#pragma once

#include <string>
#include <vector>

#include "agentos/base/result.hpp"

namespace agentos::daemon {

// Started as root: makes the folders that are missing and gives them to `user`, then becomes it for good. Started as
// anybody else: `user` must be empty or be that one. After it the process has no capability and cannot gain one.
[[nodiscard]] Result<> become(const std::string& user, const std::vector<std::string>& folders);

}  // namespace agentos::daemon
