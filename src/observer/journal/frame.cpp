#include "observer/journal/frame.hpp"

#include <cstdio>

#include <sodium/crypto_hash_sha256.h>

#include "agentos/base/codec.hpp"

namespace agentos::journal {
namespace {

constexpr std::string_view segment_magic = "agosjrn1";
constexpr std::string_view frame_magic = "agr1";

std::string_view view(const AuditHash& hash) {
  return {reinterpret_cast<const char*>(hash.data()), hash.size()};
}

AuditHash get_hash(Reader& from) {
  AuditHash hash{};
  for (auto& byte : hash) byte = from.get<unsigned char>();
  return hash;
}

}  // namespace

AuditHash sha256(std::string_view bytes) {
  AuditHash hash{};
  ::crypto_hash_sha256(hash.data(), reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
  return hash;
}

std::string SegmentHeader::encode() const {
  Writer to;
  to.put_raw(segment_magic);
  to.put(first);
  to.put(time_ns);
  to.put_raw(view(previous));
  to.put_raw(view(sha256(to.bytes())));
  return std::move(to).take();
}

Result<SegmentHeader> SegmentHeader::decode(std::string_view bytes) {
  if (bytes.size() < header_size || !bytes.starts_with(segment_magic))
    return fail(ErrorKind::invalid, "not the header of a segment");
  Reader from(bytes.substr(segment_magic.size(), header_size - segment_magic.size()));
  SegmentHeader header;
  header.first = from.get<std::uint64_t>();
  header.time_ns = from.get<std::int64_t>();
  header.previous = get_hash(from);
  if (get_hash(from) != sha256(bytes.substr(0, header_size - sizeof(AuditHash))))
    return fail(ErrorKind::invalid, "the header was changed");
  return header;
}

std::string SegmentHeader::file_name() const {
  char name[32];
  std::snprintf(name, sizeof name, "%020llu.seg", static_cast<unsigned long long>(first));
  return name;
}

std::string encode_frame(AuditRecord& record) {
  auto& entry = record.entry;
  entry.kind.resize(std::min(entry.kind.size(), AuditEntry::kind_max));
  entry.tenant.resize(std::min(entry.tenant.size(), AuditEntry::name_max));
  entry.agent.resize(std::min(entry.agent.size(), AuditEntry::name_max));
  if (entry.body.size() > AuditEntry::body_max)
    entry.body = "{\"body_too_long\":" + std::to_string(entry.body.size()) + "}";
  Writer content;
  content.put(record.sequence);
  content.put(record.time_ns);
  content.put_raw(view(record.previous));
  for (const auto* field : {&entry.kind, &entry.tenant, &entry.agent, &entry.body}) content.put(*field);
  Writer to;
  to.put_raw(frame_magic);
  to.put(content.bytes());
  record.hash = sha256(to.bytes());
  to.put_raw(view(record.hash));
  return std::move(to).take();
}

Result<Frame> decode_frame(std::string_view bytes) {
  if (bytes.size() < frame_overhead) return fail(ErrorKind::not_found, "no whole frame");
  if (!bytes.starts_with(frame_magic)) return fail(ErrorKind::invalid, "no frame begins here");
  const auto size = Reader(bytes.substr(4)).get<std::uint32_t>();
  if (size > content_max) return fail(ErrorKind::invalid, "the frame's size is not possible");
  if (bytes.size() < frame_overhead + size) return fail(ErrorKind::not_found, "no whole frame");
  Reader from(bytes.substr(8, size));
  Frame frame;
  frame.size = frame_overhead + size;
  auto& record = frame.record;
  record.sequence = from.get<std::uint64_t>();
  record.time_ns = from.get<std::int64_t>();
  record.previous = get_hash(from);
  for (auto* field : {&record.entry.kind, &record.entry.tenant, &record.entry.agent, &record.entry.body})
    *field = from.get_string();
  Reader end(bytes.substr(8 + size, sizeof(AuditHash)));
  record.hash = get_hash(end);
  if (!from.finished() || record.hash != sha256(bytes.substr(0, 8 + size)))
    return fail(ErrorKind::invalid, "the record was changed");
  return frame;
}

std::size_t find_frame(std::string_view bytes, std::size_t from) {
  for (auto at = bytes.find(frame_magic, from); at != std::string_view::npos; at = bytes.find(frame_magic, at + 1)) {
    if (decode_frame(bytes.substr(at))) return at;
  }
  return std::string_view::npos;
}

}  // namespace agentos::journal
