#include "agentos/model/host_facts.hpp"

#include "fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  agentos::fuzz::round_trip<agentos::HostFacts>(agentos::fuzz::text_of(data, size));
  return 0;
}
