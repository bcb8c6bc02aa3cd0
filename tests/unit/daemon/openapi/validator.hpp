#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/value.hpp>

namespace agentos::openapi {

struct Exchange {
  std::string method;  // "GET"
  std::string path;    // the pattern: "/v1/agents/{ref}"
  unsigned status{};
  boost::json::value body;  // null: none. With `event`: the data of one server-sent event
  bool is_event{false};
  std::string event;  // its name, may be empty
};

// Holds answers against an OpenAPI description. JSON Schema by valijson (draft 7, of which the description keeps to the
// part that draft 2020-12 has too).
class Validator {
 public:
  explicit Validator(const boost::json::value& description);
  Validator(const Validator&) = delete;
  Validator& operator=(const Validator&) = delete;
  ~Validator();

  // What is wrong, a line each; empty: it is as described.
  [[nodiscard]] std::vector<std::string> check(const Exchange& exchange);

 private:
  struct Schema;
  const boost::json::value* resolve(const boost::json::value& value) const;
  const Schema& compiled(const boost::json::value& schema);

  const boost::json::value& description_;
  std::map<std::string, std::unique_ptr<Schema>> schemas_;  // by their text
};

}  // namespace agentos::openapi
