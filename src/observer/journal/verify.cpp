#include "observer/journal/verify.hpp"

#include <fcntl.h>

#include <algorithm>
#include <filesystem>

#include "os/file.hpp"

namespace agentos::journal {
namespace {

class Verifier {
 public:
  explicit Verifier(const std::optional<AuditHead>& earlier) : earlier_(earlier) {}

  void segment(const std::string& name, std::string_view bytes, bool is_last) {
    file_ = name;
    const auto header = SegmentHeader::decode(bytes);
    if (!header) {
      fault(0, header.error().message());
    } else {
      if (header->file_name() != name)
        fault(0, "the segment is another one: its name should be " + header->file_name());
      if (!begun_) begin(*header);
      if (header->first > next_) fault(0, missing(header->first));
      if (header->first < next_) fault(0, "the segment repeats records from " + std::to_string(header->first) + " on");
      if (header->first == next_ && header->previous != verdict.head.hash)
        fault(0,
              "the segment does not go on from the record before it: that one was changed, or this segment exchanged");
    }
    frames(bytes, is_last);
  }

  Verdict finish() {
    if (verdict.first > 1 && !beginning_stated_)
      fault(0, "the journal begins with record " + std::to_string(verdict.first) +
                   ", and no later record says that those before it were deleted by retention");
    if (earlier_ && earlier_->sequence > verdict.head.sequence) {
      fault(0, "the journal ends before the record " + std::to_string(earlier_->sequence) +
                   " of the given head: it was cut");
    } else if (earlier_ && earlier_->sequence != 0 && !earlier_seen_) {
      fault(0, "record " + std::to_string(earlier_->sequence) + " is not the one of the given head, or was deleted");
    }
    return std::move(verdict);
  }

  Verdict verdict;

 private:
  void begin(const SegmentHeader& header) {
    begun_ = true;
    next_ = verdict.first = header.first;
    verdict.head = {header.first - 1, 0, header.previous};
    if (header.first == 1 && header.previous != AuditHash{}) fault(0, "the first segment names a record before it");
  }

  void frames(std::string_view bytes, bool is_last) {
    for (std::size_t at = std::min(header_size, bytes.size()); at < bytes.size();) {
      const auto frame = decode_frame(bytes.substr(at));
      if (frame) {
        take(frame->record, at);
        at += frame->size;
        continue;
      }
      const auto behind = find_frame(bytes, at + 1);
      if (behind == std::string_view::npos) {
        fault(at, is_last ? "the journal is cut here, within a record" : "the segment is cut here, within a record");
        return;
      }
      fault(at, frame.error().kind() == ErrorKind::invalid ? frame.error().message() : "the record was changed");
      damaged_ = true;
      at = behind;
    }
  }

  void take(const AuditRecord& record, std::size_t at) {
    if (record.sequence > next_ && !std::exchange(damaged_, false)) fault(at, missing(record.sequence));
    if (record.sequence < next_) {
      fault(at, "record " + std::to_string(record.sequence) + " stands here again, or out of order");
      return;
    }
    if (record.sequence == next_ && record.previous != verdict.head.hash && !damaged_)
      fault(at, "record " + std::to_string(record.sequence - 1) +
                    " is not the one that this record was written after: it was changed");
    damaged_ = false;
    next_ = record.sequence + 1;
    ++verdict.records;
    verdict.head = {record.sequence, record.time_ns, record.hash};
    if (earlier_ && earlier_->sequence == record.sequence) earlier_seen_ = earlier_->hash == record.hash;
    if (record.entry.kind == audit_kind::audit_deleted && record.entry.tenant.empty() &&
        record.entry.body.find("\"next\":" + std::to_string(verdict.first) + ",") != std::string::npos)
      beginning_stated_ = true;
  }

  [[nodiscard]] std::string missing(std::uint64_t found) const {
    return "records " + std::to_string(next_) + " to " + std::to_string(found - 1) + " are missing";
  }

  void fault(std::uint64_t offset, std::string what) {
    if (verdict.faults.size() < Verdict::faults_max) verdict.faults.push_back({file_, offset, next_, std::move(what)});
  }

  const std::optional<AuditHead>& earlier_;
  std::string file_;
  std::uint64_t next_{1};
  bool begun_{}, damaged_{}, beginning_stated_{}, earlier_seen_{};
};

}  // namespace

Result<std::vector<std::string>> segments(const std::string& folder) {
  std::vector<std::string> names;
  std::error_code error;
  for (std::filesystem::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    if (at->path().extension() == ".seg") names.push_back(at->path().filename().string());
  }
  if (error) return fail_errno(error.value(), "read the journal " + folder);
  std::ranges::sort(names);
  return names;
}

Result<std::string> read_segment(const std::string& folder, const std::string& name) {
  return os::read_file(AT_FDCWD, folder + "/" + name, segment_bytes_max);
}

Result<Verdict> verify(const std::string& folder, const std::optional<AuditHead>& earlier) {
  const auto names = AGENTOS_TRY(segments(folder));
  if (names.empty()) return fail(ErrorKind::not_found, "there is no segment of a journal in " + folder);
  Verifier verifier(earlier);
  for (const auto& name : names) verifier.segment(name, AGENTOS_TRY(read_segment(folder, name)), name == names.back());
  return verifier.finish();
}

}  // namespace agentos::journal
