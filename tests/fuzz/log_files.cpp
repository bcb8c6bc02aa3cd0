#include <array>
#include <fstream>
#include <string>

#include "daemon/log_reader.hpp"
#include "fakes/temporary_folder.hpp"
#include "fuzz.hpp"

// The two files of a log. agentos-init wrote them beside a hostile agent: the first two bytes say how much is the first
// file's. Records come in order, each once, and reading comes to an end.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace agentos;
  static const fakes::TemporaryFolder folder;
  static const std::array<std::string, 2> paths{folder.path() + "/log.0", folder.path() + "/log.1"};
  if (size < 2) return 0;
  const auto bytes = fuzz::text_of(data, size).substr(2);
  const std::size_t cut = std::min<std::size_t>(bytes.size(), data[0] | data[1] << 8U);
  std::ofstream(paths[0], std::ios::binary | std::ios::trunc) << bytes.substr(0, cut);
  std::ofstream(paths[1], std::ios::binary | std::ios::trunc) << bytes.substr(cut);
  auto reader = daemon::LogReader::open(paths);
  AGENTOS_ASSERT(reader);
  daemon::TailFinder tail(3);
  std::uint64_t last = 0;
  std::size_t read = 0;
  while (const auto record = reader->next()) {
    AGENTOS_ASSERT(record->sequence > last);
    last = record->sequence;
    read += LogRecord::header_size + record->data.size();
    AGENTOS_ASSERT(read <= bytes.size());
    tail.add(*record);
  }
  AGENTOS_ASSERT(last == 0 || tail.start().sequence <= last + 1);
  return 0;
}
