#pragma once

#include <functional>
#include <string>
#include <vector>

#include "cli/command.hpp"

namespace agentos::cli {

// Does one thing for each agent named. An error is reported and the others go on; the status is that of the first
// error.
[[nodiscard]] Result<int> for_each_agent(const Context& context, const std::vector<std::string>& refs,
                                         const std::function<Result<>(const std::string&)>& action);

}  // namespace agentos::cli
