#pragma once

#include <cstddef>
#include <string_view>

#include <boost/json/value.hpp>

#include "agentos/base/result.hpp"

namespace agentos::http {

// A body may nest this deep and hold this many values: what it costs in memory stays in proportion to what was sent.
constexpr std::size_t max_json_depth = 32;
constexpr std::size_t max_json_values = 256 << 10;

// Strict JSON from a hostile sender. Duplicate keys and strings with a NUL are refused too: two readers would
// understand them differently. An error says line and column.
[[nodiscard]] Result<boost::json::value> parse_json(std::string_view text);

}  // namespace agentos::http
