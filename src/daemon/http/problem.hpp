#pragma once

#include <string_view>

#include <boost/json/object.hpp>

#include "agentos/base/result.hpp"
#include "daemon/http/router.hpp"

namespace agentos::http {

// The one place where an Error becomes an answer: RFC 9457 problem details.
[[nodiscard]] unsigned status_of(const Error& error);
[[nodiscard]] std::string_view phrase_of(unsigned status);  // "Not Found"

// {type, title, status, detail, hint, kind}. A route may add members (`reasons`) before it answers with it.
[[nodiscard]] boost::json::object problem(const Error& error);
[[nodiscard]] boost::json::object problem(const Error& error, unsigned status);
[[nodiscard]] Response problem_response(const Error& error);
[[nodiscard]] Response problem_response(const Error& error, unsigned status);

}  // namespace agentos::http
