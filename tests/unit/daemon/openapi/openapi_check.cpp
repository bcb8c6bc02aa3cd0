// Holds answers of a running daemon against the description. Reads lines of JSON from standard input,
//   {"method": "GET", "path": "/v1/agents/{ref}", "status": 200, "body": {...}}
// with "event": "NAME" where the body is the data of a server-sent event, says what is wrong and exits with 1 then.
#include <cstdio>
#include <exception>
#include <iostream>
#include <string>

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>

#include "daemon/openapi/openapi.hpp"
#include "validator.hpp"

namespace {

agentos::openapi::Exchange exchange_of(const boost::json::object& line) {
  agentos::openapi::Exchange exchange;
  exchange.method = line.at("method").as_string();
  exchange.path = line.at("path").as_string();
  exchange.status = line.at("status").to_number<unsigned>();
  if (const auto* body = line.if_contains("body")) exchange.body = *body;
  if (const auto* event = line.if_contains("event")) {
    exchange.is_event = true;
    exchange.event = event->as_string();
  }
  return exchange;
}

}  // namespace

int main() {
  agentos::openapi::Validator validator(agentos::openapi::document());
  std::string line;
  std::size_t checked = 0;
  std::size_t wrong = 0;
  try {
    while (std::getline(std::cin, line)) {
      if (line.empty()) continue;
      ++checked;
      const auto findings = validator.check(exchange_of(boost::json::parse(line).as_object()));
      for (const auto& finding : findings) std::printf("%s\n", finding.c_str());
      if (!findings.empty()) ++wrong;
    }
  } catch (const std::exception& error) {
    std::printf("line %zu: %s\n", checked, error.what());
    return 2;
  }
  std::printf("%zu answers checked, %zu not as described\n", checked, wrong);
  return wrong == 0 && checked > 0 ? 0 : 1;
}
