#include "agentos/model/agent.hpp"
#include "fuzz.hpp"
#include "policy/encode.hpp"

// What agentosd stored of an agent and of its policy, perhaps an older agentosd, perhaps damaged since.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace agentos;
  const auto bytes = fuzz::text_of(data, size);
  if (const auto agent = Agent::decode(bytes)) {
    const auto stored = agent->encode();  // in today's version
    const auto again = Agent::decode(stored);
    AGENTOS_ASSERT(again && again->encode() == stored);
  }
  if (const auto policy = policy::decode(bytes)) {
    const auto again = policy::decode(policy::encode(*policy));
    AGENTOS_ASSERT(again && *again == *policy);
  }
  return 0;
}
