#pragma once

#include <fcntl.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fakes/await.hpp"
#include "fakes/temporary_folder.hpp"
#include "observer/journal/journal.hpp"
#include "observer/journal/verify.hpp"

namespace agentos::journal {

inline std::string slurp(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}
inline void spit(const std::string& path, std::string_view bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

class JournalTest : public testing::Test {
 protected:
  fakes::TemporaryFolder temporary;
  std::string folder = temporary.path() + "/journal";
  std::vector<std::string> said;

  // A run of agentosd: opens, keeps `count` records in batches of one, and ends in order unless it is killed.
  void run(int count, std::uint64_t segment_bytes = 1 << 20, bool killed = false, std::size_t segments_max = 64) {
    boost::asio::io_context context{1};
    auto journal = SegmentJournal::open(context.get_executor(), {folder, segment_bytes, segments_max},
                                        [this](const std::string& line) { said.push_back(line); });
    ASSERT_TRUE(journal) << journal.error().message();
    for (int i = 0; i < count; ++i) {
      const auto kept =
          fakes::await(context, (*journal)->keep({"api.call", "acme", "", "{\"n\":" + std::to_string(i) + "}"}));
      ASSERT_TRUE(kept) << kept.error().message();
    }
    if (killed) return;
    (*journal)->append({std::string(audit_kind::daemon_stopped)});
    ASSERT_TRUE(fakes::await(context, (*journal)->stop()));
  }

  std::vector<Fault> faults(const std::optional<AuditHead>& head = {}) {
    auto verdict = verify(folder, head);
    EXPECT_TRUE(verdict) << verdict.error().message();
    return verdict ? std::move(verdict->faults) : std::vector<Fault>();
  }
  std::vector<std::string> files() { return segments(folder).value_or(std::vector<std::string>()); }
  // Where each frame of a segment begins, and where the last ends.
  static std::vector<std::size_t> places(std::string_view bytes) {
    std::vector<std::size_t> all;
    std::size_t at = header_size;
    for (; at < bytes.size(); at += decode_frame(bytes.substr(at))->size) all.push_back(at);
    all.push_back(at);
    return all;
  }
};

}  // namespace agentos::journal
