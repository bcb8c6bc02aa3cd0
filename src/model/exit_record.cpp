#include "agentos/model/exit_record.hpp"

#include <algorithm>
#include <cerrno>

#include "agentos/base/codec.hpp"

namespace agentos {
namespace {

constexpr std::uint32_t exit_magic = 0x74697861;  // "axit"
constexpr std::uint32_t record_size_max = 32 * 1024;

}  // namespace

std::string ExitRecord::encode() const {
  Writer to;
  to.put(exit_magic);
  to.put(kind);
  to.put(code);
  to.put(time_ns);
  return std::move(to).take();
}

Result<ExitRecord> ExitRecord::decode(std::string_view bytes) {
  Reader from(bytes);
  ExitRecord record;
  if (from.get<std::uint32_t>() != exit_magic) from.refuse();
  record.kind = from.get_enum(Kind::not_executed);
  record.code = from.get<std::int32_t>();
  record.time_ns = from.get<std::int64_t>();
  if (!from.finished()) return fail(ErrorKind::invalid, "malformed exit record");
  return record;
}

int ExitRecord::shell_status() const {
  switch (kind) {
    case Kind::exited:
      return code & 0xFF;
    case Kind::signaled:
      return 128 + (code & 0x7F);
    case Kind::not_executed:
      return code == ENOENT ? 127 : 126;
  }
  return 255;
}

void LogRecord::encode_header(char (&header)[header_size]) const {
  Writer to;
  to.put(magic);
  to.put(static_cast<std::uint32_t>(data.size() << 8U | static_cast<std::uint32_t>(stream)));
  to.put(sequence);
  to.put(time_ns);
  std::ranges::copy(to.bytes(), header);
}

Result<LogRecord> LogRecord::decode(std::string_view bytes) {
  if (bytes.size() < header_size) return fail(ErrorKind::not_found, "incomplete log record");
  Reader from(bytes);
  const auto mark = from.get<std::uint32_t>();
  const auto packed = from.get<std::uint32_t>();
  LogRecord record;
  record.sequence = from.get<std::uint64_t>();
  record.time_ns = from.get<std::int64_t>();
  const std::uint32_t size = packed >> 8U;
  const std::uint32_t stream = packed & 0xFFU;
  if (mark != magic || size > record_size_max || (stream != 1 && stream != 2)) {
    return fail(ErrorKind::invalid, "malformed log record");
  }
  record.stream = static_cast<Stream>(stream);
  const auto rest = from.rest();
  if (rest.size() < size) return fail(ErrorKind::not_found, "incomplete log record");
  record.data = rest.substr(0, size);
  return record;
}

}  // namespace agentos
