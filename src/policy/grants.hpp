#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "agentos/base/result.hpp"
#include "policy/policy.hpp"

// What several policies grant together. A list of grants is a map from every path to none, read or write: of the grants
// that hold a path the narrowest says.
namespace agentos::policy {

// Null: none.
[[nodiscard]] const Stated<Grant>* grant_of(const Grants& grants, std::string_view path);
// The narrowest that holds `grant` and is not it. Null: none.
[[nodiscard]] const Stated<Grant>* outer_grant(const Grants& grants, const Grant& grant);

// For every path the lesser of what the two say.
[[nodiscard]] Grants meet(const Grants& a, const Grants& b);

// With the home of the caller for '~'. Where no home is known, or it is not a clean absolute path: without what is
// optional there. invalid: something of it is not optional, or is never given to an agent (fault_of_place); each line
// names its place.
[[nodiscard]] Result<Policy> at_home(Policy policy, const std::optional<std::string>& home);
[[nodiscard]] bool names_home(const Policy& policy);

// "filesystem.read_only" or "filesystem.read_write".
[[nodiscard]] const char* key_of(Access access);
[[nodiscard]] std::string text(const Grant& grant);  // as it is written in a policy

}  // namespace agentos::policy
