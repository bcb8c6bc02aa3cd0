#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "agentos/base/result.hpp"

// Each fuzzer is one file with one LLVMFuzzerTestOneInput. Under libFuzzer it is fuzzed (tests/fuzz/run); in every
// other build replay.cpp feeds it its corpus, which is a test like any other.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace agentos::fuzz {

inline std::string_view text_of(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

// A message that was decoded is written exactly as it was read: no two packets mean the same, nothing is lost.
template <class Message>
void round_trip(std::string_view bytes) {
  if (const auto message = Message::decode(bytes)) AGENTOS_ASSERT(message->encode() == bytes);
}

}  // namespace agentos::fuzz
