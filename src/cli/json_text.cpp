#include "cli/json_text.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <string_view>
#include <utility>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "agentos/base/text.hpp"

namespace agentos::cli {
namespace {

void put_escape(std::string& to, std::uint32_t value) {
  std::array<char, 8> text{};
  std::snprintf(text.data(), text.size(), "\\u%04x", static_cast<unsigned>(value & 0xFFFFU));
  to += text.data();
}

// Everything outside strings is ASCII, and below 0x20 the library has escaped it already.
std::string without_controls(std::string_view json) {
  std::string result;
  while (!json.empty()) {
    const auto plain = std::ranges::find_if(json, [](char c) { return static_cast<unsigned char>(c) >= 0x7F; });
    const auto count = static_cast<std::size_t>(plain - json.begin());
    result += json.substr(0, count);
    json.remove_prefix(count);
    if (json.empty()) break;
    const auto lead = static_cast<unsigned char>(json[0]);
    const std::size_t length = std::min<std::size_t>(json.size(), lead < 0xC0   ? 1
                                                                  : lead < 0xE0 ? 2
                                                                  : lead < 0xF0 ? 3
                                                                                : 4);
    const auto character = json.substr(0, length);
    if (printable(character) == character) {
      result += character;
    } else {
      std::uint32_t value = length == 1 ? lead : lead & (0x7FU >> length);
      for (std::size_t i = 1; i < length; ++i) value = value << 6U | (static_cast<unsigned char>(character[i]) & 0x3FU);
      if (value > 0xFFFF) {
        put_escape(result, 0xD800 + ((value - 0x10000) >> 10U));
        value = 0xDC00 + ((value - 0x10000) & 0x3FFU);
      }
      put_escape(result, value);
    }
    json.remove_prefix(length);
  }
  return result;
}

void write(std::string& to, const boost::json::value& value, std::size_t depth) {
  const auto line = [&](std::size_t indent) { to += "\n" + std::string(indent * 2, ' '); };
  if (value.is_object() && !value.get_object().empty()) {
    const char* separator = "{";
    for (const auto& [key, member] : value.get_object()) {
      to += std::exchange(separator, ",");
      line(depth + 1);
      to += boost::json::serialize(key) + ": ";
      write(to, member, depth + 1);
    }
    line(depth);
    to += "}";
  } else if (value.is_array() && !value.get_array().empty()) {
    const char* separator = "[";
    for (const auto& element : value.get_array()) {
      to += std::exchange(separator, ",");
      line(depth + 1);
      write(to, element, depth + 1);
    }
    line(depth);
    to += "]";
  } else {
    to += boost::json::serialize(value);
  }
}

}  // namespace

std::string json_line(const boost::json::value& value) {
  return without_controls(boost::json::serialize(value)) + "\n";
}

std::string json_pretty(const boost::json::value& value) {
  std::string text;
  write(text, value, 0);
  return without_controls(text) + "\n";
}

}  // namespace agentos::cli
