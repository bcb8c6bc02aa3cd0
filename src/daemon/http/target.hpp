#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "agentos/base/result.hpp"

namespace agentos::http {

// "%C3%A9" -> "é". None when an escape is broken or the result is not UTF-8 or holds a NUL. A plus stays a plus.
[[nodiscard]] std::optional<std::string> percent_decode(std::string_view text);

struct Target {
  std::string path;  // as sent
  std::map<std::string, std::string, std::less<>> query;
};
// "/v1/agents?all=true". Refuses what is not an absolute path, a broken escape and a key that stands twice.
[[nodiscard]] Result<Target> parse_target(std::string_view target);

}  // namespace agentos::http
