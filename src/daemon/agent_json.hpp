#pragma once

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

}  // namespace agentos::daemon
