#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "agentos/base/fd.hpp"
#include "agentos/model/exit_record.hpp"

namespace agentos::init {

// The agent's output, kept in two files that are filled in turn (see LogRecord). What an agent prints can never use
// more disk than twice `max` bytes, and a disk that is full never stops the agent: what cannot be written is counted,
// and a notice stands in its place as soon as there is space again.
class Log {
 public:
  // New files, opened for appending. max 0: nothing is logged.
  Log(UniqueFd first, UniqueFd second, std::uint64_t max);

  void append(LogRecord::Stream stream, std::string_view data);  // at most 32 KiB
  void notice();  // about what was dropped, if anything was; called once more at the end

  [[nodiscard]] std::uint64_t dropped() const { return dropped_; }  // bytes since the last notice

 private:
  [[nodiscard]] bool put(LogRecord::Stream stream, std::string_view data);
  [[nodiscard]] bool turn();

  struct File {
    UniqueFd fd;
    std::uint64_t size{};
  };
  std::array<File, 2> files_;
  std::size_t current_{};
  std::uint64_t max_;
  std::uint64_t sequence_{};
  std::uint64_t dropped_{};
  int error_{};  // errno of the last write that failed
};

}  // namespace agentos::init
