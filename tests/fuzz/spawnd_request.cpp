#include "agentos/model/plan.hpp"
#include "fuzz.hpp"
#include "sandbox/compile/compile.hpp"
#include "sandbox/container/check.hpp"

// What agentosd sends to root: decoded, judged and explained.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto packet = agentos::fuzz::text_of(data, size);
  agentos::fuzz::round_trip<agentos::SpawndRequest>(packet);
  const auto request = agentos::SpawndRequest::decode(packet);
  if (!request || request->kind != agentos::SpawndRequest::Kind::start) return 0;
  if (agentos::container::check(request->plan)) AGENTOS_ASSERT(!request->plan.seccomp.empty());
  const auto text = agentos::sandbox::explain(request->plan);
  AGENTOS_ASSERT(text.find('\x1b') == std::string::npos);
  return 0;
}
