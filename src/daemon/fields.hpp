#pragma once

#include <charconv>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "agentos/base/result.hpp"

namespace agentos::daemon {

// Reads the members of a JSON object that a client sent. Each wrong or unknown member becomes one reason; read
// everything, then ask for the reasons.
class Fields {
 public:
  // null counts as an empty object; anything else that is no object is a reason.
  explicit Fields(const boost::json::value& value, std::string_view where = {});
  // Members inside a member; its reasons are told there.
  [[nodiscard]] Fields inside(std::string_view key);

  [[nodiscard]] bool has(std::string_view key) const;  // and it is not null

  [[nodiscard]] std::string text(std::string_view key);
  [[nodiscard]] bool flag(std::string_view key);
  [[nodiscard]] std::vector<std::string> texts(std::string_view key);
  [[nodiscard]] std::vector<std::string> variables(std::string_view key);  // {"NAME": "value"} -> NAME=value
  // Absent or null: empty. Outside of the range: a reason.
  template <class T>
  [[nodiscard]] std::optional<T> number(std::string_view key, T least = 0, T most = std::numeric_limits<T>::max()) {
    const auto value = whole_number(key, static_cast<std::uint64_t>(least), static_cast<std::uint64_t>(most));
    return value ? std::optional(static_cast<T>(*value)) : std::nullopt;
  }

  // All that was found wrong, unknown members included.
  [[nodiscard]] std::vector<std::string> reasons() const;

 private:
  const boost::json::value* take(std::string_view key);  // null where it is absent or null
  std::optional<std::uint64_t> whole_number(std::string_view key, std::uint64_t least, std::uint64_t most);
  void wrong(std::string_view key, std::string_view what);

  const boost::json::object* object_{};
  std::string where_;
  std::vector<std::string> known_;
  std::vector<std::string> reasons_;
};

// A number of a query parameter; empty where it is absent.
template <class T, class Query>
[[nodiscard]] Result<std::optional<T>> query_number(const Query& query, std::string_view key, T most) {
  const auto found = query.find(key);
  if (found == query.end()) return std::nullopt;
  const std::string& text = found->second;
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value > most) {
    return fail(ErrorKind::invalid,
                "query parameter " + std::string(key) + " must be a number from 0 to " + std::to_string(most));
  }
  return value;
}

// A flag of a query: present and empty, "1" or "true".
template <class Query>
[[nodiscard]] bool query_flag(const Query& query, std::string_view key) {
  const auto found = query.find(key);
  return found != query.end() && (found->second.empty() || found->second == "1" || found->second == "true");
}

}  // namespace agentos::daemon
