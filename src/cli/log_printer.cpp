#include "cli/log_printer.hpp"

#include "agentos/base/text.hpp"

namespace agentos::cli {

Result<> LogPrinter::record(bool is_error, std::string_view time, std::string_view bytes) {
  auto& stream = streams_[is_error ? 1 : 0];
  stream.time = printable(time);
  return style_.raw ? put(is_error, bytes) : put(is_error, stream.neutral.feed(bytes));
}

Result<> LogPrinter::finish() {
  for (const bool is_error : {false, true}) {
    if (const auto rest = streams_[is_error ? 1 : 0].neutral.finish(); !rest.empty()) AGENTOS_TRY(put(is_error, rest));
  }
  return {};
}

Result<> LogPrinter::put(bool is_error, std::string_view text) {
  auto& stream = streams_[is_error ? 1 : 0];
  if (text.empty()) return {};
  if (!style_.timestamps) return write_(is_error, text);
  std::string lines;
  while (!text.empty()) {
    if (!stream.within_line) lines += stream.time + " ";
    const auto end = text.find('\n');
    stream.within_line = end == std::string_view::npos;
    const auto size = stream.within_line ? text.size() : end + 1;
    lines += text.substr(0, size);
    text.remove_prefix(size);
  }
  return write_(is_error, lines);
}

}  // namespace agentos::cli
