#include "agentos/model/init_spec.hpp"

#include "fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  agentos::fuzz::round_trip<agentos::InitSpec>(agentos::fuzz::text_of(data, size));
  return 0;
}
