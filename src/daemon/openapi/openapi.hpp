#pragma once

#include <string>
#include <vector>

#include <boost/json/value.hpp>

#include "daemon/http/router.hpp"

namespace agentos::openapi {

// The OpenAPI 3.1 description of the control API, as served at /v1/openapi.json.
[[nodiscard]] const boost::json::value& document();

// One line for each route that the description lacks and each operation that no route answers. Empty: they agree.
[[nodiscard]] std::vector<std::string> check_routes(const http::Router& router, const boost::json::value& description);

}  // namespace agentos::openapi
