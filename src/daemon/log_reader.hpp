#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "agentos/base/fd.hpp"
#include "agentos/base/result.hpp"
#include "agentos/model/exit_record.hpp"

namespace agentos::daemon {

// Reads the two log files of an agent as one stream in the order of the records, also while its init goes on writing
// and empties one of them. What was overwritten before it was read is left out. Buffers are bounded whatever is in the
// files.
class LogReader {
 public:
  static Result<LogReader> open(const std::array<std::string, 2>& paths);

  struct Record {
    LogRecord::Stream stream{};
    std::uint64_t sequence{};
    std::int64_t time_ns{};
    std::string data;
  };
  // The next record that is complete in the files; none: there is no further one now.
  [[nodiscard]] std::optional<Record> next();

 private:
  static constexpr std::size_t chunk = 128 * 1024;  // of each file; more than the longest record

  struct File {
    UniqueFd fd;
    std::uint64_t offset{};  // in the file, of the buffer's start
    std::string buffer;
    std::size_t used{};     // bytes of the buffer that are done with
    std::uint64_t first{};  // sequence of the file's first record: another one tells that it was emptied meanwhile

    void restart();
    bool refill();  // whether there are new bytes
  };
  // The record at the front of a file, into which the view points; none when it has no complete one.
  std::optional<LogRecord> peek(File& file) const;

  std::array<File, 2> files_;
  std::uint64_t last_{};  // sequence of the record given last
};

// Where the last `lines` lines of a log begin: the first record of them, and how many of its bytes come before. Lines
// of both streams count as one text.
struct TailStart {
  std::uint64_t sequence{1};
  std::size_t skip{};
};
class TailFinder {
 public:
  explicit TailFinder(std::size_t lines) : lines_(lines) {}
  void add(const LogReader::Record& record);
  [[nodiscard]] TailStart start() const;

 private:
  std::size_t lines_;
  std::vector<TailStart> starts_;  // ring of the beginnings of the last lines
  std::size_t oldest_{};
  bool at_line_start_{true};
  std::uint64_t end_{1};
};

}  // namespace agentos::daemon
