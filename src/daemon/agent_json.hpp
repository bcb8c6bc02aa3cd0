#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <boost/json/object.hpp>

#include "agentos/model/agent.hpp"

namespace agentos::daemon {

// The record as the API shows it, with its layer where that is known.
[[nodiscard]] boost::json::object to_json(const Agent& agent, const Usage& usage,
                                          const std::optional<LayerState>& layer = {});

// RFC 3339 in UTC with milliseconds: "2026-11-23T15:28:03.123Z".
[[nodiscard]] std::string format_time(TimePoint time);
// The same form, with or without a fraction of a second; nullopt for anything else.
[[nodiscard]] std::optional<TimePoint> parse_time(std::string_view text);
// Since 1970; a time outside of what 64 bits hold (the years 1677 to 2262) as the nearest that is in it.
[[nodiscard]] std::int64_t nanoseconds_of(TimePoint time);

}  // namespace agentos::daemon
