#include "policy/policy.hpp"

#include <string>
#include <vector>

#include "agentos/base/text.hpp"
#include "agentos/model/places.hpp"
#include "fuzz.hpp"
#include "policy/compose.hpp"
#include "policy/encode.hpp"
#include "policy/explain.hpp"
#include "policy/grants.hpp"
#include "policy/parse.hpp"

// A policy's text comes from users too. Up to a zero byte it is an administrator's, behind it a user's: whatever they
// say, messages are safe to print, and the user gets no more than the administrator allows.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace agentos;
  using namespace agentos::policy;
  const auto text = fuzz::text_of(data, size);
  const auto zero = text.find('\0');
  std::vector<Policy> ceilings, wishes;
  for (const auto& part : {text.substr(0, zero), zero == text.npos ? text.substr(0, 0) : text.substr(zero + 1)}) {
    const auto parsed = parse(part, "f", Kind::tenant);
    if (!parsed) {
      AGENTOS_ASSERT(!parsed.error().empty() && parsed.error().size() <= diagnostics_max + 1);
      const auto message = policy::text(parsed.error(), "f");
      AGENTOS_ASSERT(message.starts_with("f:") && printable(message, true) == message);
      continue;
    }
    for (const auto& line : lines(*parsed)) AGENTOS_ASSERT(line.origin.line > 0 || line.value == "nothing");
    (ceilings.empty() ? ceilings : wishes).push_back(*parsed);
  }
  for (auto& ceiling : ceilings) ceiling.of_tenant = false;  // or it would grant nothing
  const auto most = compose(ceilings);
  if (!most) return 0;
  auto stored = *most;
  AGENTOS_ASSERT(*decode(encode(stored)) == stored);
  const auto result = compose(ceilings, wishes);
  if (!result) return 0;
  each_setting([&](std::string_view key, auto member) {
    if (key == "filesystem.workspace") return;  // without a wish it is less than the ceiling
    const auto& least = member(*most);
    AGENTOS_ASSERT(!least || (member(*result) && member(*result)->value <= least->value));
  });
  for (const auto& name : passed_names(*result)) AGENTOS_ASSERT(passes(*most, name));
  AGENTOS_ASSERT(result->hidden.size() >= most->hidden.size());
  for (const auto& [grant, origin] : *result->grants) {
    const auto* allowed = grant_of(*most->grants, grant.path);
    AGENTOS_ASSERT(allowed != nullptr && allowed->value.access >= grant.access);
  }
  for (const char* home : {"/home/alice", "/", "/var"}) {
    const auto there = at_home(*result, home);
    if (!there) {
      AGENTOS_ASSERT(printable(there.error().message(), true) == there.error().message());
      continue;
    }
    for (const auto& [grant, origin] : *there->grants)
      AGENTOS_ASSERT(grant.path.starts_with('/') && fault_of_place(grant.path).empty());
  }
  return 0;
}
