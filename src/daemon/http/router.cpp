#include "daemon/http/router.hpp"

#include <optional>
#include <utility>

#include "daemon/http/target.hpp"

namespace agentos::http {
namespace {

using Parameters = std::map<std::string, std::string, std::less<>>;

std::vector<std::string> split(std::string_view path) {
  std::vector<std::string> segments;
  while (!path.empty()) {
    path.remove_prefix(1);  // the slash
    const auto end = path.find('/');
    segments.emplace_back(path.substr(0, end));
    path.remove_prefix(end == std::string_view::npos ? path.size() : end);
  }
  return segments;
}

bool is_parameter(std::string_view segment) {
  return segment.starts_with('{') && segment.ends_with('}');
}

// Segments are compared after splitting, so an encoded slash never makes another path.
std::optional<Parameters> match(const Router::Route& route, const std::vector<std::string>& segments) {
  if (route.segments.size() != segments.size()) return std::nullopt;
  Parameters parameters;
  for (std::size_t i = 0; i < segments.size(); ++i) {
    const std::string& pattern = route.segments[i];
    if (!is_parameter(pattern)) {
      if (pattern != segments[i]) return std::nullopt;
      continue;
    }
    auto value = percent_decode(segments[i]);
    if (!value || value->empty()) return std::nullopt;
    parameters[pattern.substr(1, pattern.size() - 2)] = std::move(*value);
  }
  return parameters;
}

}  // namespace

void Router::add(std::string_view method, std::string_view pattern, Handler handler) {
  routes_.push_back({std::string(method), std::string(pattern), split(pattern), std::move(handler), {}});
}

void Router::add_stream(std::string_view method, std::string_view pattern, StreamHandler handler) {
  routes_.push_back({std::string(method), std::string(pattern), split(pattern), {}, std::move(handler)});
}

Result<const Router::Route*> Router::find(std::string_view method, std::string_view path,
                                          Parameters& parameters) const {
  const auto segments = split(path);
  bool known = false;
  for (const auto& route : routes_) {
    auto found = match(route, segments);
    if (!found) continue;
    known = true;
    if (route.method != method) continue;
    parameters = std::move(*found);
    return &route;
  }
  if (!known)
    return fail(ErrorKind::unsupported, "there is nothing at this path", "GET /v1/openapi.json lists what there is");
  return fail(ErrorKind::unsupported, "this path does not answer this method", "it answers " + methods_of(path));
}

std::string Router::methods_of(std::string_view path) const {
  const auto segments = split(path);
  std::string methods;
  for (const auto& route : routes_) {
    if (!match(route, segments)) continue;
    if (!methods.empty()) methods += ", ";
    methods += route.method;
  }
  return methods;
}

}  // namespace agentos::http
