#include "daemon/openapi/openapi.hpp"

#include <algorithm>
#include <cctype>
#include <set>
#include <string_view>

#include <boost/json/parse.hpp>

#include "daemon/openapi/embedded.hpp"

namespace agentos::openapi {

const boost::json::value& document() {
  static const boost::json::value parsed = boost::json::parse(embedded_text);  // a text of ours: throws in no release
  return parsed;
}

namespace {

constexpr std::string_view methods[] = {"get", "put", "post", "delete", "patch", "head", "options", "trace"};

std::string operation(std::string_view method, std::string_view path) {
  std::string text;
  for (const char c : method) text += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  text += ' ';
  text += path;
  return text;
}

}  // namespace

std::vector<std::string> check_routes(const http::Router& router, const boost::json::value& description) {
  std::set<std::string> described;
  for (const auto& path : description.at("paths").as_object()) {
    for (const auto& item : path.value().as_object()) {
      // Beside the methods a path may hold parameters, a summary and so on.
      if (std::ranges::find(methods, std::string_view(item.key())) == std::end(methods)) continue;
      described.insert(operation(item.key(), path.key()));
    }
  }
  std::set<std::string> routed;
  for (const auto& route : router.routes()) routed.insert(operation(route.method, route.pattern));

  std::vector<std::string> findings;
  for (const auto& route : routed) {
    if (!described.contains(route)) findings.push_back(route + " is served but not described");
  }
  for (const auto& known : described) {
    if (!routed.contains(known)) findings.push_back(known + " is described but not served");
  }
  return findings;
}

}  // namespace agentos::openapi
