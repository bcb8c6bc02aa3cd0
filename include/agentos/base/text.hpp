#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "agentos/base/result.hpp"

namespace agentos {

// Text from an agent made safe for a person's terminal: C0 and C1 controls (but newline and tab where `keep_lines`),
// DEL, bidirectional overrides and invalid UTF-8 are shown as \xNN or \u{NNNN}.
[[nodiscard]] std::string printable(std::string_view text, bool keep_lines = false);

[[nodiscard]] bool is_utf8(std::string_view text);  // well-formed by RFC 3629
// The beginning of `text` that is well-formed UTF-8.
[[nodiscard]] std::size_t utf8_prefix(std::string_view text);

// "512MiB", "1.5G", "4096" -> bytes. Binary (KiB, K) and decimal (kB, MB) units as in systemd and podman: K, M, G, T
// are binary, kB, MB, GB, TB decimal.
[[nodiscard]] Result<std::uint64_t> parse_bytes(std::string_view text);
// "90s", "15m", "2h", "1h30m", "250ms" -> milliseconds. A bare number is seconds.
[[nodiscard]] Result<std::uint64_t> parse_duration_ms(std::string_view text);
// "1.5" CPUs or "150%" -> percent of one CPU.
[[nodiscard]] Result<std::uint32_t> parse_cpu_percent(std::string_view text);

[[nodiscard]] std::string format_bytes(std::uint64_t bytes);  // "512.0MiB"

// A name a person gives (agent, tenant): [a-z0-9][a-z0-9_-]{0,62}. Safe in paths, units, metrics and terminals.
[[nodiscard]] bool is_name(std::string_view text);

// How many letters to add, drop or change to make one of the other: for "did you mean".
[[nodiscard]] std::size_t edit_distance(std::string_view a, std::string_view b);

}  // namespace agentos
