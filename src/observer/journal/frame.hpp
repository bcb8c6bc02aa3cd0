#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "agentos/base/result.hpp"
#include "agentos/model/audit.hpp"

// The bytes of the journal. A segment is a file NAME.seg, NAME being the first record's sequence with 20 digits: a
// header of header_size bytes, then frames.
//
//   header: "agosjrn1", first sequence u64, time of making i64 (ns), hash of the record before (32), SHA-256 of these
//   (32) frame:  "agr1", size u32, content of that size, SHA-256 of all before it in the frame (32) content: sequence
//   u64, time i64 (ns), hash of the record before (32), kind, tenant, agent, body (each u32 and bytes)
//
// Integers are little endian. The hash at the end of a frame makes a torn tail known; the hash of the record before, in
// each record, chains them, also from one segment to the next.
namespace agentos::journal {

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__);

constexpr std::size_t header_size = 88;
constexpr std::size_t frame_overhead = 4 + 4 + 32;
constexpr std::size_t content_max =
    8 + 8 + 32 + 4 * 4 + AuditEntry::kind_max + 2 * AuditEntry::name_max + AuditEntry::body_max;

[[nodiscard]] AuditHash sha256(std::string_view bytes);

struct SegmentHeader {
  std::uint64_t first{};
  std::int64_t time_ns{};
  AuditHash previous{};

  [[nodiscard]] std::string encode() const;
  static Result<SegmentHeader> decode(std::string_view bytes);  // invalid: not a header, or another was written
  [[nodiscard]] std::string file_name() const;
};

// Sets the record's hash. Fields that are too long are cut, a body that is becomes {"body_too_long":BYTES}.
[[nodiscard]] std::string encode_frame(AuditRecord& record);

// The frame at the start of `bytes`. not_found: it goes on behind their end, or there is none; invalid: its hash is not
// that of what it holds, or it is no frame.
struct Frame {
  AuditRecord record;
  std::size_t size{};
};
[[nodiscard]] Result<Frame> decode_frame(std::string_view bytes);

// Where the next frame that is whole begins, at or behind `from`; npos: there is none.
[[nodiscard]] std::size_t find_frame(std::string_view bytes, std::size_t from);

}  // namespace agentos::journal
