#include "log.hpp"

#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <cinttypes>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <utility>

namespace agentos::init {
namespace {

std::int64_t now_ns() {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

}  // namespace

Log::Log(UniqueFd first, UniqueFd second, std::uint64_t max) : max_(max) {
  files_[0].fd = std::move(first);
  files_[1].fd = std::move(second);
}

void Log::append(LogRecord::Stream stream, std::string_view data) {
  if (max_ == 0) return;
  notice();
  if (dropped_ > 0 || !put(stream, data)) dropped_ += data.size();
}

void Log::notice() {
  if (dropped_ == 0) return;
  std::array<char, 160> text{};
  const int size =
      std::snprintf(text.data(), text.size(), "agentos: %" PRIu64 " bytes of output are missing here: %s\n", dropped_,
                    ::strerrordesc_np(error_));
  if (put(LogRecord::Stream::error_output, {text.data(), static_cast<std::size_t>(size)})) dropped_ = 0;
}

bool Log::put(LogRecord::Stream stream, std::string_view data) {
  LogRecord record{.stream = stream, .sequence = sequence_ + 1, .time_ns = now_ns(), .data = data};
  if (files_[current_].size > 0 && files_[current_].size + record.total_size() > max_ && !turn()) return false;
  File& file = files_[current_];

  char header[LogRecord::header_size];
  record.encode_header(header);
  const std::array<iovec, 2> parts{iovec{header, sizeof header}, iovec{const_cast<char*>(data.data()), data.size()}};
  const ssize_t written = ::writev(file.fd.get(), parts.data(), static_cast<int>(parts.size()));
  if (std::cmp_equal(written, record.total_size())) {
    file.size += record.total_size();
    ++sequence_;
    return true;
  }
  error_ = written < 0 ? errno : ENOSPC;
  // Half a record would hide all that follow it. Where it cannot be taken back, the file is left as it is and counts as
  // full.
  if (written > 0 && ::ftruncate(file.fd.get(), static_cast<off_t>(file.size)) != 0) file.size = max_ + 1;
  return false;
}

bool Log::turn() {
  File& other = files_[1 - current_];
  if (::ftruncate(other.fd.get(), 0) != 0) {
    error_ = errno;
    return false;
  }
  other.size = 0;
  current_ = 1 - current_;
  return true;
}

}  // namespace agentos::init
