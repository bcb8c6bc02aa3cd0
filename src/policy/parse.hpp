#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "policy/policy.hpp"
#include "policy/yaml.hpp"

namespace agentos::policy {

enum class Kind : std::uint8_t {
  policy,  // of an administrator, or a user's own
  tenant,  // the ceilings of a tenant: may also say which policies may be used
};

constexpr std::size_t file_bytes_max = 64 << 10;
constexpr std::size_t entries_max = 128;       // of one list, and of environment.set
constexpr std::size_t value_bytes_max = 4096;  // of a variable in environment.set
constexpr std::size_t diagnostics_max = 100;   // more are counted

using Diagnostics = std::vector<yaml::Diagnostic>;

// The text of a file whose name only goes into origins. Every error at once, in the order of the file.
[[nodiscard]] std::expected<Policy, Diagnostics> parse(std::string_view text, std::string_view file,
                                                       Kind kind = Kind::policy);

// One "FILE:LINE:COLUMN: what (hint)" a line.
[[nodiscard]] std::string text(const Diagnostics& diagnostics, std::string_view file);

// Sections that later versions will know, and that are refused until then.
[[nodiscard]] std::span<const std::string_view> reserved_sections();

}  // namespace agentos::policy
