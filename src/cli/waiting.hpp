#pragma once

#include <chrono>
#include <functional>

#include "cli/command.hpp"

namespace agentos::cli {

// Called about once a second while waiting, with how long it has been; false: stop waiting.
using OnTick = std::function<bool(std::chrono::milliseconds)>;

// The agent once it has ended; a null value when `tick` stopped it. A restart of agentosd meanwhile is sat out.
[[nodiscard]] Result<boost::json::value> wait_until_ended(const Context& context, std::string_view ref,
                                                          const OnTick& tick = {});

}  // namespace agentos::cli
