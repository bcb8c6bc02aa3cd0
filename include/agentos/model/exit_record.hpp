#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "agentos/base/result.hpp"

// Records that agentos-init writes for whoever reads them later: how the agent ended, and what it printed.
namespace agentos {

// The whole content of the exit record file, written with one pwrite at the end.
struct ExitRecord {
  enum class Kind : std::uint8_t { exited, signaled, not_executed };
  Kind kind{};
  std::int32_t code{};     // exit status, signal number, or errno of execve
  std::int64_t time_ns{};  // CLOCK_REALTIME

  [[nodiscard]] std::string encode() const;
  static Result<ExitRecord> decode(std::string_view bytes);
  // The status a shell would report: 0..255, 128 + signal, 127 (no such file) or 126 (not executable).
  [[nodiscard]] int shell_status() const;
};

// The log is a sequence of records: this header, then `size` bytes. The two files are filled in turn: when one has
// reached InitSpec::log_max the other is emptied and continued; `sequence` gives the order over both.
struct LogRecord {
  static constexpr std::size_t header_size = 24;
  static constexpr std::uint32_t magic = 0x676f6c61;  // "alog"
  enum class Stream : std::uint8_t { output = 1, error_output = 2 };

  Stream stream{Stream::output};
  std::uint64_t sequence{};  // from 1, by one
  std::int64_t time_ns{};    // CLOCK_REALTIME
  std::string_view data;     // at most 32 KiB

  // The header alone: magic u32, size u24 and stream u8 packed in a u32, sequence u64, time u64.
  void encode_header(char (&header)[header_size]) const;
  // The record at the start of `bytes`; not_found when it is not complete, invalid when it is none.
  static Result<LogRecord> decode(std::string_view bytes);
  [[nodiscard]] std::size_t total_size() const { return header_size + data.size(); }
};

}  // namespace agentos
