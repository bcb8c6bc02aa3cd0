#include "daemon/log_reader.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <utility>

namespace agentos::daemon {
namespace {

// 0: the file is empty.
std::uint64_t first_sequence(int fd) {
  char header[LogRecord::header_size];
  if (::pread(fd, header, sizeof header, 0) != static_cast<ssize_t>(sizeof header)) return 0;
  std::uint64_t sequence{};
  std::memcpy(&sequence, header + 8, sizeof sequence);  // see LogRecord::encode_header
  return sequence;
}

}  // namespace

Result<LogReader> LogReader::open(const std::array<std::string, 2>& paths) {
  LogReader reader;
  for (std::size_t i = 0; i < paths.size(); ++i) {
    reader.files_[i].fd.reset(::open(paths[i].c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    if (!reader.files_[i].fd) return fail_errno("open the log");
  }
  return reader;
}

void LogReader::File::restart() {
  offset = 0;
  used = 0;
  buffer.clear();
}

bool LogReader::File::refill() {
  struct stat status{};
  if (::fstat(fd.get(), &status) != 0) return false;
  const std::uint64_t begins_with = first_sequence(fd.get());
  const bool cut = static_cast<std::uint64_t>(status.st_size) < offset + buffer.size();
  if (cut || begins_with != first) restart();
  first = begins_with;
  offset += used;
  buffer.erase(0, used);
  used = 0;
  const std::size_t have = buffer.size();
  if (have >= chunk) return false;
  buffer.resize(chunk);
  const ssize_t count = ::pread(fd.get(), buffer.data() + have, chunk - have, static_cast<off_t>(offset + have));
  buffer.resize(have + static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
  return count > 0;
}

std::optional<LogRecord> LogReader::peek(File& file) const {
  bool restarted = false;
  for (;;) {
    const auto record = LogRecord::decode(std::string_view(file.buffer).substr(file.used));
    if (record && record->sequence > last_) return *record;
    if (record) {  // given already: the file is read again from its start
      file.used += record->total_size();
      continue;
    }
    if (record.error().kind() == ErrorKind::invalid) {
      // Emptied and grown past the offset meanwhile: what stands there is the middle of another record.
      if (std::exchange(restarted, true)) return std::nullopt;
      file.restart();
    }
    if (!file.refill()) return std::nullopt;
  }
}

std::optional<LogReader::Record> LogReader::next() {
  std::optional<LogRecord> chosen;
  File* from = nullptr;
  const auto look = [&] {
    chosen.reset();
    for (auto& file : files_) {
      const auto record = peek(file);
      if (record && (!chosen || record->sequence < chosen->sequence)) {
        chosen = record;
        from = &file;
      }
    }
  };
  look();
  // A gap may only mean that a file was looked at just before the missing record was written to it.
  if (chosen && chosen->sequence != last_ + 1) {
    for (auto& file : files_) file.refill();
    look();
  }
  if (!chosen) return std::nullopt;
  Record record{chosen->stream, chosen->sequence, chosen->time_ns, std::string(chosen->data)};
  last_ = record.sequence;
  from->used += chosen->total_size();
  return record;
}

void TailFinder::add(const LogReader::Record& record) {
  end_ = record.sequence + 1;
  if (lines_ == 0) return;
  for (std::size_t at = 0; at < record.data.size();) {
    if (at_line_start_) {
      const TailStart start{record.sequence, at};
      if (starts_.size() < lines_) {
        starts_.push_back(start);
      } else {
        starts_[oldest_] = start;
        oldest_ = (oldest_ + 1) % lines_;
      }
    }
    const auto newline = record.data.find('\n', at);
    at_line_start_ = newline != std::string::npos;
    at = at_line_start_ ? newline + 1 : record.data.size();
  }
}

TailStart TailFinder::start() const {
  if (starts_.empty()) return {end_, 0};
  return starts_[oldest_];
}

}  // namespace agentos::daemon
