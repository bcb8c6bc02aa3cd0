#include "validator.hpp"

#include <algorithm>
#include <cctype>

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <valijson/adapters/boost_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validation_results.hpp>
#include <valijson/validator.hpp>

namespace agentos::openapi {

namespace json = boost::json;

struct Validator::Schema {
  valijson::Schema schema;
};

namespace {

const json::value* member(const json::value* value, std::string_view key) {
  const auto* object = value ? value->if_object() : nullptr;
  return object ? object->if_contains(key) : nullptr;
}

}  // namespace

Validator::Validator(const json::value& description) : description_(description) {}
Validator::~Validator() = default;

const json::value* Validator::resolve(const json::value& value) const {
  const auto* reference = member(&value, "$ref");
  if (!reference) return &value;
  std::string_view path = reference->as_string();
  path.remove_prefix(1);  // "#"
  const json::value* at = &description_;
  while (at && !path.empty()) {
    path.remove_prefix(1);
    const auto end = path.find('/');
    at = member(at, path.substr(0, end));
    path.remove_prefix(end == std::string_view::npos ? path.size() : end);
  }
  return at;
}

const Validator::Schema& Validator::compiled(const json::value& schema) {
  const std::string text = json::serialize(schema);
  auto& slot = schemas_[text];
  if (!slot) {
    // References are looked up from the root of what is parsed.
    const json::value root = json::object{{"allOf", {schema}}, {"components", description_.at("components")}};
    auto fresh = std::make_unique<Schema>();
    valijson::SchemaParser(valijson::SchemaParser::kDraft7)
        .populateSchema(valijson::adapters::BoostJsonAdapter(root), fresh->schema);
    slot = std::move(fresh);
  }
  return *slot;
}

std::vector<std::string> Validator::check(const Exchange& exchange) {
  const std::string what = exchange.method + " " + exchange.path + " " + std::to_string(exchange.status);
  std::string method = exchange.method;
  std::ranges::transform(method, method.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  const auto* responses = member(member(member(member(&description_, "paths"), exchange.path), method), "responses");
  if (!responses) return {what + ": there is no such operation"};
  const auto* response = member(responses, std::to_string(exchange.status));
  if (!response && exchange.status >= 400) response = member(responses, "default");
  if (!response) return {what + ": this status is not described"};
  response = resolve(*response);

  const json::value* schema = nullptr;
  if (exchange.is_event) {
    schema = member(member(response, "x-agentos-events"), exchange.event);
    if (!schema) return {what + ": there is no event '" + exchange.event + "'"};
  } else {
    const auto* content = member(response, "content");
    if (!content)
      return exchange.body.is_null() ? std::vector<std::string>() : std::vector{what + ": there should be no body"};
    schema =
        member(member(content, exchange.status >= 400 ? "application/problem+json" : "application/json"), "schema");
    if (!schema) return {what + ": the content is of another type"};
  }

  // As it is on the wire: valijson knows an unsigned number of a built value for no integer.
  const json::value body = json::parse(json::serialize(exchange.body));
  valijson::Validator validator;
  valijson::ValidationResults results;
  if (validator.validate(compiled(*schema).schema, valijson::adapters::BoostJsonAdapter(body), &results)) return {};
  std::vector<std::string> findings;
  valijson::ValidationResults::Error error;
  while (results.popError(error)) {
    std::string where;
    for (const auto& part : error.context) where += part;
    findings.push_back(what + ": " + where + ": " + error.description);
  }
  return findings;
}

}  // namespace agentos::openapi
