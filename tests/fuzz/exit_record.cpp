#include "agentos/model/exit_record.hpp"

#include "fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  agentos::fuzz::round_trip<agentos::ExitRecord>(agentos::fuzz::text_of(data, size));
  return 0;
}
