#include "agentos/base/text.hpp"

#include "fuzz.hpp"
#include "sandbox/compile/compile.hpp"

// What people and agents write: sizes, durations, names, paths, and whatever is shown on a terminal.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto text = agentos::fuzz::text_of(data, size);
  const auto shown = agentos::printable(text);
  for (const char c : shown) AGENTOS_ASSERT(static_cast<unsigned char>(c) >= 0x20 && c != 0x7F);
  AGENTOS_ASSERT(agentos::printable(shown) == shown);
  (void)agentos::printable(text, true);
  (void)agentos::parse_bytes(text);
  (void)agentos::parse_duration_ms(text);
  (void)agentos::parse_cpu_percent(text);
  if (agentos::is_name(text)) AGENTOS_ASSERT(shown == text && text.find('/') == std::string_view::npos);
  if (agentos::sandbox::check_workspace(std::string(text))) {
    AGENTOS_ASSERT(text.starts_with('/') && text.find("/../") == std::string_view::npos && !text.ends_with("/.."));
  }
  return 0;
}
