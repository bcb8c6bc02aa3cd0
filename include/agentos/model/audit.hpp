#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// What the audit journal remembers, and how it is asked.
namespace agentos {

// SHA-256.
using AuditHash = std::array<unsigned char, 32>;
[[nodiscard]] std::string hex(const AuditHash& hash);                        // 64 small digits
[[nodiscard]] std::optional<AuditHash> audit_hash(std::string_view digits);  // of such

// What happened, as whoever saw it says. Sequence, time and chain are the journal's.
struct AuditEntry {
  static constexpr std::size_t kind_max = 48, name_max = 64, body_max = 16 << 10;  // bytes

  std::string kind;        // "agent.status": small letters, digits, '_' and '.'
  std::string tenant{};    // empty: the host's own matter
  std::string agent{};     // its id; empty: none
  std::string body{"{}"};  // JSON text of an object, made by a JSON library: it may hold an agent's words

  bool operator==(const AuditEntry&) const = default;
};

// Which kinds there are. A new one is a new line here.
namespace audit_kind {
constexpr std::string_view agent_status = "agent.status";  // an agent's status changed: from, to, reason
constexpr std::string_view api_call = "api.call";          // a call that changed something, or could have
constexpr std::string_view api_refused = "api.refused";    // a call that was refused
constexpr std::string_view daemon_started = "daemon.started";
constexpr std::string_view daemon_stopped = "daemon.stopped";
constexpr std::string_view policy_loaded = "policy.loaded";  // a file of policies: its hash, or what is wrong with it
// What the kernel told of an agent, see observer/meter/describe.hpp.
constexpr std::string_view process_exec = "process.exec";
constexpr std::string_view process_exit = "process.exit";
constexpr std::string_view network_connect = "network.connect";
constexpr std::string_view event_unknown = "event.unknown";    // of a newer agentos-spawnd
constexpr std::string_view audit_withheld = "audit.withheld";  // how many of these had no room in their agent's share
// The journal's own.
constexpr std::string_view audit_dropped = "audit.dropped";    // how many records could not be kept before this one
constexpr std::string_view audit_reopened = "audit.reopened";  // after an end without warning: what was cut off
constexpr std::string_view audit_damaged = "audit.damaged";    // a damage that was found, and left as evidence
constexpr std::string_view audit_deleted =
    "audit.deleted";  // retention deletes the oldest segment: where it begins now
}  // namespace audit_kind

struct AuditRecord {
  std::uint64_t sequence{};  // from 1, by one
  std::int64_t time_ns{};    // CLOCK_REALTIME when it was appended
  AuditHash previous{};      // of the record before; zeros in the first
  AuditEntry entry;
  AuditHash hash{};  // of all the above, see observer/journal/frame.hpp

  bool operator==(const AuditRecord&) const = default;
};

// Each part narrows; what is empty does not.
struct AuditQuery {
  static constexpr std::size_t limit_max = 1000;

  std::optional<std::string> tenant{};  // "" is the host's own
  std::string agent{};
  std::string kind{};       // "agent.status", or "agent" for all that begin with "agent."
  std::int64_t since_ns{};  // CLOCK_REALTIME
  std::uint64_t after{};    // sequence
  std::size_t limit{100};   // records of one page, at most limit_max

  [[nodiscard]] bool matches(const AuditRecord& record) const;
};

struct AuditPage {
  std::vector<AuditRecord> records;
  std::uint64_t last{};  // all up to here were looked at: the next page is after it
  bool more{};           // there may be further ones already
};

// The end of a journal at one moment. Signed, it proves later that a journal still holds what it held then.
struct AuditHead {
  std::uint64_t sequence{};  // 0: nothing was ever written
  std::int64_t time_ns{};
  AuditHash hash{};

  bool operator==(const AuditHead&) const = default;
};

}  // namespace agentos
