#include <array>
#include <cstdint>

#include "agentos/client/client.hpp"

namespace agentos::client {

std::string escape(std::string_view text) {
  constexpr std::string_view hex = "0123456789ABCDEF";
  std::string result;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       std::string_view("-._~").find(c) != std::string_view::npos;
    if (plain) {
      result += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      result += {'%', hex[byte >> 4U], hex[byte & 15U]};
    }
  }
  // "." and ".." as a whole segment would be taken for steps in a path.
  if (result == "." || result == "..") return result.size() == 1 ? "%2E" : "%2E%2E";
  return result;
}

Result<std::string> decode_base64(std::string_view text) {
  const auto digit = [](char c) -> int {
    if (c >= 'A' && c <= 'Z') return c - 'A';
    if (c >= 'a' && c <= 'z') return c - 'a' + 26;
    if (c >= '0' && c <= '9') return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
  };
  const auto malformed = [] { return fail(ErrorKind::internal, "malformed base64 in an answer of agentosd"); };
  if (text.size() % 4 != 0) return malformed();
  std::string result;
  result.reserve(text.size() / 4 * 3);
  for (std::size_t at = 0; at < text.size(); at += 4) {
    const bool last = at + 4 == text.size();
    const std::size_t padding = last && text[at + 3] == '=' ? (text[at + 2] == '=' ? 2 : 1) : 0;
    std::uint32_t bits = 0;
    for (std::size_t i = 0; i < 4; ++i) {
      const int value = i >= 4 - padding ? 0 : digit(text[at + i]);
      if (value < 0) return malformed();
      bits = bits << 6U | static_cast<std::uint32_t>(value);
    }
    const std::array<char, 3> bytes{static_cast<char>(bits >> 16U), static_cast<char>(bits >> 8U),
                                    static_cast<char>(bits)};
    result.append(bytes.data(), 3 - padding);
  }
  return result;
}

}  // namespace agentos::client
