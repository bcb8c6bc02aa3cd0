#include "agentos/base/text.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

namespace agentos {
namespace {

// Decodes one well-formed UTF-8 sequence (RFC 3629: no surrogates, no overlong forms) at the start of `text`.
struct CodePoint {
  char32_t value{};
  std::size_t length{};  // 0: not well-formed
};

CodePoint decode(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return {lead, 1};
  const std::size_t length = lead >= 0xF0 && lead <= 0xF4  ? 4
                             : lead >= 0xE0 && lead < 0xF0 ? 3
                             : lead >= 0xC2 && lead < 0xE0 ? 2
                                                           : 0;
  if (length == 0 || text.size() < length) return {};
  char32_t value = lead & (0x7FU >> length);
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0U) != 0x80U) return {};
    value = (value << 6U) | (byte(i) & 0x3FU);
  }
  constexpr std::array<char32_t, 5> smallest{0, 0, 0x80, 0x800, 0x10000};
  if (value < smallest[length] || value > 0x10FFFF || (value >= 0xD800 && value < 0xE000)) return {};
  return {value, length};
}

// Characters that move the cursor, reorder the text or hide in it.
bool is_dangerous(char32_t c) {
  return c < 0x20 || (c >= 0x7F && c < 0xA0) || c == 0x200E || c == 0x200F || c == 0x061C ||
         (c >= 0x2028 && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069) || c == 0xFEFF || (c >= 0xE0000 && c <= 0xE007F);
}

struct Unit {
  std::string_view name;
  double factor;
};

// A number with one of the units behind it. nullopt: not of that form.
template <std::size_t N>
std::optional<double> scaled(std::string_view text, const std::array<Unit, N>& units) {
  double value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed);
  if (error != std::errc{} || !std::isfinite(value) || value < 0) return std::nullopt;
  const std::string_view unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
  for (const auto& candidate : units) {
    if (candidate.name == unit) return value * candidate.factor;
  }
  return std::nullopt;
}

constexpr double largest = 9.0e18;  // below 2^63, exact enough for limits

}  // namespace

std::string printable(std::string_view text, bool keep_lines) {
  std::string result;
  result.reserve(text.size());
  while (!text.empty()) {
    const auto [value, length] = decode(text);
    std::array<char, 16> escape{};
    if (length == 0) {
      std::snprintf(escape.data(), escape.size(), "\\x%02x", static_cast<unsigned char>(text[0]));
      result += escape.data();
    } else if (keep_lines && (value == '\n' || value == '\t')) {
      result += text[0];
    } else if (is_dangerous(value)) {
      std::snprintf(escape.data(), escape.size(), value < 0x80 ? "\\x%02x" : "\\u{%04x}", static_cast<unsigned>(value));
      result += escape.data();
    } else {
      result += text.substr(0, length);
    }
    text.remove_prefix(length == 0 ? 1 : length);
  }
  return result;
}

bool is_utf8(std::string_view text) {
  return utf8_prefix(text) == text.size();
}

std::size_t utf8_prefix(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size()) {
    const auto length = decode(text.substr(at)).length;
    if (length == 0) break;
    at += length;
  }
  return at;
}

Result<std::uint64_t> parse_bytes(std::string_view text) {
  constexpr double k = 1024;
  static constexpr std::array<Unit, 14> units{{{"", 1},
                                               {"B", 1},
                                               {"K", k},
                                               {"KiB", k},
                                               {"kB", 1e3},
                                               {"M", k * k},
                                               {"MiB", k * k},
                                               {"MB", 1e6},
                                               {"G", k * k * k},
                                               {"GiB", k * k * k},
                                               {"GB", 1e9},
                                               {"T", k * k * k * k},
                                               {"TiB", k * k * k * k},
                                               {"TB", 1e12}}};
  const auto value = scaled(text, units);
  if (!value || *value > largest) {
    return fail(ErrorKind::invalid, "'" + printable(text) + "' is not a size",
                "write a number with a unit, for example 512MiB or 2GB");
  }
  return static_cast<std::uint64_t>(*value);
}

Result<std::uint64_t> parse_duration_ms(std::string_view text) {
  static constexpr std::array<Unit, 6> units{
      {{"", 1e3}, {"ms", 1}, {"s", 1e3}, {"m", 60e3}, {"h", 3600e3}, {"d", 86400e3}}};
  double total = 0;
  std::string_view rest = text;
  bool good = !rest.empty();
  while (good && !rest.empty()) {
    // One part is digits (and a point) with the letters behind them; a part without a unit stands alone.
    const auto unit = rest.find_first_not_of("0123456789.");
    const auto end = unit == std::string_view::npos ? rest.size() : rest.find_first_of("0123456789.", unit);
    const auto part = rest.substr(0, end);
    const auto value = scaled(part, units);
    good = value && (unit != std::string_view::npos || part.size() == text.size());
    if (good) total += *value;
    rest.remove_prefix(part.size());
  }
  if (!good || total > largest) {
    return fail(ErrorKind::invalid, "'" + printable(text) + "' is not a duration",
                "write a number with a unit, for example 90s, 15m or 1h30m");
  }
  return static_cast<std::uint64_t>(total);
}

Result<std::uint32_t> parse_cpu_percent(std::string_view text) {
  static constexpr std::array<Unit, 2> units{{{"", 100}, {"%", 1}}};
  const auto value = scaled(text, units);
  if (!value || *value < 1 || *value > 1e6) {
    return fail(ErrorKind::invalid, "'" + printable(text) + "' is not an amount of CPU",
                "write CPUs or percent of one CPU, for example 1.5 or 150%");
  }
  return static_cast<std::uint32_t>(*value);
}

std::string format_bytes(std::uint64_t bytes) {
  static constexpr std::array<const char*, 5> units{"B", "KiB", "MiB", "GiB", "TiB"};
  auto value = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (value >= 1024 && unit + 1 < units.size()) {
    value /= 1024;
    ++unit;
  }
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), unit == 0 ? "%.0f%s" : "%.1f%s", value, units[unit]);
  return text.data();
}

bool is_name(std::string_view text) {
  const auto alphanumeric = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  if (text.empty() || text.size() > 63 || !alphanumeric(text[0])) return false;
  for (const char c : text) {
    if (!alphanumeric(c) && c != '_' && c != '-') return false;
  }
  return true;
}

std::size_t edit_distance(std::string_view a, std::string_view b) {  // Levenshtein
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t changed = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = std::exchange(row[j], std::min({row[j] + 1, row[j - 1] + 1, changed}));
    }
  }
  return row[b.size()];
}

}  // namespace agentos
