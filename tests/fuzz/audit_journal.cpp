#include <fstream>
#include <string>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "agentos/base/text.hpp"
#include "daemon/audit.hpp"
#include "fakes/temporary_folder.hpp"
#include "fuzz.hpp"
#include "observer/journal/frame.hpp"
#include "observer/journal/verify.hpp"

// A journal of two segments that somebody may have edited, the first as long as the first two bytes say: it is
// verified, and its records are told.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace agentos;
  static const fakes::TemporaryFolder folder;
  if (size < 2) return 0;
  const auto bytes = fuzz::text_of(data, size).substr(2);
  const std::size_t cut = std::min<std::size_t>(bytes.size(), data[0] | data[1] << 8U);
  const auto first = journal::SegmentHeader{1, 0, {}}.file_name();
  const auto second = journal::SegmentHeader{3, 0, {}}.file_name();
  std::ofstream(folder.path() + "/" + first, std::ios::binary | std::ios::trunc) << bytes.substr(0, cut);
  std::ofstream(folder.path() + "/" + second, std::ios::binary | std::ios::trunc) << bytes.substr(cut);
  const auto verdict = journal::verify(folder.path(), {});
  AGENTOS_ASSERT(verdict && verdict->faults.size() <= journal::Verdict::faults_max);
  for (const auto& fault : verdict->faults) AGENTOS_ASSERT(printable(fault.what) == fault.what);
  // Without a fault nothing is in it that is no record of the chain.
  std::uint64_t records = 0;
  for (auto at = journal::find_frame(bytes, 0); at != std::string_view::npos;) {
    const auto frame = journal::decode_frame(bytes.substr(at));
    AGENTOS_ASSERT(frame);
    ++records;
    const auto told = boost::json::serialize(daemon::to_json(frame->record));
    boost::system::error_code error;
    if (is_utf8(told)) (void)boost::json::parse(told, error);
    AGENTOS_ASSERT(!error);
    at = journal::find_frame(bytes, at + frame->size);
  }
  if (verdict->faults.empty()) AGENTOS_ASSERT(verdict->records == records);
  return 0;
}
