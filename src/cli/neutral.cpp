#include "cli/neutral.hpp"

#include <algorithm>

#include "agentos/base/text.hpp"

namespace agentos::cli {
namespace {

constexpr std::size_t colour_max = 32;  // bytes of one colour sequence

enum class Fit { no, yes, partly };

// Whether `text`, which begins with ESC, begins with a colour sequence, and its length.
Fit colour(std::string_view text, std::size_t& length) {
  if (text.size() > 1 && text[1] != '[') return Fit::no;
  for (length = 2; length < std::min(text.size(), colour_max); ++length) {
    const char c = text[length];
    if (c == 'm') {
      ++length;
      return Fit::yes;
    }
    if (c != ';' && c != ':' && (c < '0' || c > '9')) return Fit::no;
  }
  return text.size() < colour_max ? Fit::partly : Fit::no;
}

// Bytes at the end of `text` that may be the beginning of one UTF-8 sequence.
std::size_t cut_sequence(std::string_view text) {
  for (std::size_t back = 1; back <= std::min<std::size_t>(3, text.size()); ++back) {
    const auto byte = static_cast<unsigned char>(text[text.size() - back]);
    if ((byte & 0xC0U) == 0x80U) continue;
    const std::size_t wanted = byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : byte >= 0xC0 ? 2 : 1;
    return wanted > back ? back : 0;
  }
  return 0;
}

}  // namespace

std::string Neutralizer::feed(std::string_view bytes) {
  held_.append(bytes);
  std::string_view rest = held_;
  std::string plain;
  while (!rest.empty()) {
    const auto special = rest.find_first_of("\x1b\r");
    if (special != 0) {
      const auto piece = rest.substr(0, special);
      const std::size_t cut = special == std::string_view::npos ? cut_sequence(piece) : 0;
      plain += printable(piece.substr(0, piece.size() - cut), true);
      rest.remove_prefix(piece.size() - cut);
      if (cut > 0) break;
      continue;
    }
    if (rest[0] == '\r') {
      if (rest.size() == 1) break;
      plain += '\n';
      rest.remove_prefix(rest[1] == '\n' ? 2 : 1);
      continue;
    }
    std::size_t length = 0;
    const Fit fit = colour(rest, length);
    if (fit == Fit::partly) break;
    if (fit == Fit::no) {
      length = 1;
      plain += printable(rest.substr(0, 1));
    }
    rest.remove_prefix(length);
  }
  held_.erase(0, held_.size() - rest.size());
  return plain;
}

std::string Neutralizer::finish() {
  // A lone CR at the very end is the end of the last line.
  if (held_ == "\r") held_ = "\n";
  std::string plain = printable(held_, true);
  held_.clear();
  return plain;
}

}  // namespace agentos::cli
