#pragma once

#include <string>

#include <boost/json/value.hpp>

// JSON on its way to a person or a script. What agentos::printable would not let through to a terminal is written as
// \uNNNN, so nothing is lost and nothing is injected.
namespace agentos::cli {

[[nodiscard]] std::string json_line(const boost::json::value& value);    // compact, with a newline
[[nodiscard]] std::string json_pretty(const boost::json::value& value);  // indented by two, with a newline

}  // namespace agentos::cli
