#pragma once

#include <string>
#include <vector>

#include "policy/policy.hpp"

namespace agentos::policy {

// One thing that a policy says, and where it is said.
struct Line {
  std::string key, value;
  Origin origin;
  auto operator<=>(const Line&) const = default;
};

// All of it, in the order of the format: of equal policies the same.
[[nodiscard]] std::vector<Line> lines(const Policy& policy);

// What of one is not in the other, as "- key: value (place)" and "+ key: value (place)". Places alone are no
// difference.
[[nodiscard]] std::vector<std::string> difference(const Policy& from, const Policy& to);

}  // namespace agentos::policy
