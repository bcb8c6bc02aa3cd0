#pragma once

#include <cstdint>

#include "agentos/meter.h"
#include "agentos/model/audit.hpp"

namespace agentos::observer {

// What the journal says of an event that a BPF program told: the kind and the body, without whose it was. `event` has
// the whole size of its kind. Paths and arguments are the agent's words: what is no UTF-8 is shown as \xNN, and a
// number that does not fit its array counts as its end.
//
//   process.exec     pid, parent, path, named (where execve(2) was asked for another name), how (only where it is not a
//                    file by its name: script, memfd, unlinked), file {device, inode}, interpreter of a script,
//                    arguments, arguments_bytes (where some are missing)
//   process.exit     pid, parent, status or signal
//   network.connect  pid, protocol, address, port
//
// Pids are the host's. `at_ns` is when it happened, CLOCK_REALTIME: `realtime_ns` is that of CLOCK_BOOTTIME's zero.
[[nodiscard]] AuditEntry describe(const agentos_event& event, std::int64_t realtime_ns);

}  // namespace agentos::observer
