#pragma once

#include <optional>
#include <string>
#include <vector>

#include "agentos/model/audit.hpp"
#include "observer/journal/frame.hpp"

namespace agentos::journal {

constexpr std::size_t segment_bytes_max = 64 << 20;  // a file larger than this is none of ours

// Names of the segments of a journal, in order.
[[nodiscard]] Result<std::vector<std::string>> segments(const std::string& folder);
[[nodiscard]] Result<std::string> read_segment(const std::string& folder, const std::string& name);

// What is wrong, and where.
struct Fault {
  std::string file;
  std::uint64_t offset{};
  std::uint64_t sequence{};  // of the record that should stand there
  std::string what;
};
struct Verdict {
  std::vector<Fault> faults;  // none: the journal is whole; at most faults_max
  std::uint64_t first{}, records{};
  AuditHead head;

  static constexpr std::size_t faults_max = 1000;
};

// Reads the whole journal and holds each record to the one before it: finds edits, deletions, duplicates, changes of
// order, exchanged or missing segments, a cut tail. What it cannot find is a journal that was cut after a whole record,
// or written anew from some record on: `earlier`, a head that was kept elsewhere, makes these known.
[[nodiscard]] Result<Verdict> verify(const std::string& folder, const std::optional<AuditHead>& earlier = {});

}  // namespace agentos::journal
