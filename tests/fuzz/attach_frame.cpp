#include "agentos/model/attach.hpp"
#include "fuzz.hpp"

// What clients send to agentos-init, and agentos-init to clients.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto packet = agentos::fuzz::text_of(data, size);
  agentos::fuzz::round_trip<agentos::Frame>(packet);
  const auto hello = agentos::Frame::decode_hello(packet);
  if (!hello) return 0;
  AGENTOS_ASSERT(hello->encode() == packet);
  AGENTOS_ASSERT(!agentos::Frame::decode(packet));  // never both
  return 0;
}
