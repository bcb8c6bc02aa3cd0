#include "fuzz.hpp"
#include "observer/journal/frame.hpp"

// A segment of the audit journal, which somebody may have edited: what is taken for a record is one, byte by byte.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace agentos;
  const auto bytes = fuzz::text_of(data, size);
  if (const auto header = journal::SegmentHeader::decode(bytes))
    AGENTOS_ASSERT(header->encode() == bytes.substr(0, journal::header_size));
  for (auto at = journal::find_frame(bytes, 0); at != std::string_view::npos;) {
    auto frame = journal::decode_frame(bytes.substr(at));
    AGENTOS_ASSERT(frame && frame->size <= bytes.size() - at);
    if (frame->record.entry.body.size() <= AuditEntry::body_max &&
        frame->record.entry.kind.size() <= AuditEntry::kind_max &&
        frame->record.entry.tenant.size() <= AuditEntry::name_max &&
        frame->record.entry.agent.size() <= AuditEntry::name_max) {
      AGENTOS_ASSERT(journal::encode_frame(frame->record) == bytes.substr(at, frame->size));
    }
    at = journal::find_frame(bytes, at + frame->size);
  }
  return 0;
}
