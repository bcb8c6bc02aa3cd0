#include <cstring>
#include <vector>

#include "fuzz.hpp"
#include "observer/meter/describe.hpp"
#include "observer/meter/meter.hpp"

// A record of the ring buffer. The kernel's programs write it, perhaps those of another agentos-spawnd: what is taken
// for an event may be read as one of its kind, to its last byte.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::vector<std::uint64_t> record((size + 7) / 8);  // aligned as in the ring buffer
  if (size > 0) std::memcpy(record.data(), data, size);
  const auto* event = agentos::observer::event_in(record.data(), size);
  if (event == nullptr) return 0;
  AGENTOS_ASSERT(agentos::observer::describe(*event, 0).body.size() <= agentos::AuditEntry::body_max);
  const auto read_whole = [&]<class Kind>() {
    Kind whole;
    AGENTOS_ASSERT(size >= sizeof whole);
    std::memcpy(&whole, event, sizeof whole);
    AGENTOS_ASSERT(whole.event.kind == event->kind);
  };
  switch (event->kind) {
    case AGENTOS_EVENT_EXEC:
      read_whole.operator()<agentos_exec>();
      break;
    case AGENTOS_EVENT_EXIT:
      read_whole.operator()<agentos_exit>();
      break;
    case AGENTOS_EVENT_CONNECT:
      read_whole.operator()<agentos_connect>();
      break;
    default:
      AGENTOS_ASSERT(size >= sizeof *event);
  }
  return 0;
}
