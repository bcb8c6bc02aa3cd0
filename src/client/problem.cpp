#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/string.hpp>

#include "agentos/client/client.hpp"

namespace agentos::client {
namespace {

std::string text(const boost::json::object& object, std::string_view key) {
  const auto* value = object.if_contains(key);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

ErrorKind kind_of_status(unsigned status) {
  switch (status) {
    case 400:
    case 405:
    case 413:
    case 415:
    case 431:
      return ErrorKind::invalid;
    case 401:
    case 403:
      return ErrorKind::forbidden;
    case 404:
      return ErrorKind::not_found;
    case 409:
      return ErrorKind::conflict;
    case 422:
      return ErrorKind::unsupported;
    case 429:
    case 507:
      return ErrorKind::exhausted;
    case 408:
    case 503:
    case 504:
      return ErrorKind::unavailable;
    default:
      return ErrorKind::internal;
  }
}

ErrorKind kind_named(std::string_view wanted, ErrorKind otherwise) {
  for (const auto kind :
       {ErrorKind::internal, ErrorKind::invalid, ErrorKind::not_found, ErrorKind::exists, ErrorKind::forbidden,
        ErrorKind::conflict, ErrorKind::exhausted, ErrorKind::unavailable, ErrorKind::unsupported}) {
    if (name(kind) == wanted) return kind;
  }
  return otherwise;
}

// The reasons of a refusal are sentences, or objects with a sentence each.
std::string sentence(const boost::json::value& reason) {
  if (reason.is_string()) return std::string(reason.get_string());
  if (!reason.is_object()) return {};
  for (const auto* key : {"message", "reason", "detail"}) {
    if (auto found = text(reason.get_object(), key); !found.empty()) return found;
  }
  return {};
}

}  // namespace

Error error_of_problem(unsigned status, const boost::json::value& body) {
  const auto fallback = kind_of_status(status);
  if (!body.is_object()) return {fallback, "agentosd answered with status " + std::to_string(status)};
  const auto& problem = body.get_object();
  auto message = text(problem, "detail");
  if (message.empty()) message = text(problem, "title");
  if (message.empty()) message = "agentosd answered with status " + std::to_string(status);
  if (const auto* reasons = problem.if_contains("reasons"); reasons != nullptr && reasons->is_array()) {
    for (const auto& reason : reasons->get_array()) {
      // A single reason is often the detail itself.
      if (const auto words = sentence(reason); !words.empty() && message.find(words) == std::string::npos) {
        message += "; " + words;
      }
    }
  }
  return {kind_named(text(problem, "kind"), fallback), std::move(message), text(problem, "hint")};
}

}  // namespace agentos::client
