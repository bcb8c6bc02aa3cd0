#include <cstring>

#include "agentos/model/exit_record.hpp"
#include "fuzz.hpp"

// A log file is read record by record; what it holds came through the sandbox.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using agentos::LogRecord;
  auto rest = agentos::fuzz::text_of(data, size);
  for (auto record = LogRecord::decode(rest); record; record = LogRecord::decode(rest)) {
    AGENTOS_ASSERT(record->total_size() <= rest.size());
    char header[LogRecord::header_size];
    record->encode_header(header);
    AGENTOS_ASSERT(std::memcmp(header, rest.data(), sizeof header) == 0);
    rest.remove_prefix(record->total_size());
  }
  return 0;
}
