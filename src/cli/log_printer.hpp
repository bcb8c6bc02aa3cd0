#pragma once

#include <array>
#include <functional>
#include <string>
#include <string_view>

#include "agentos/base/result.hpp"
#include "cli/neutral.hpp"

namespace agentos::cli {

// Turns log records into what goes to stdout and stderr.
class LogPrinter {
 public:
  struct Style {
    bool raw{};         // the bytes as the agent wrote them
    bool timestamps{};  // in front of each line
  };
  using Write = std::function<Result<>(bool is_error, std::string_view text)>;

  LogPrinter(Style style, Write write) : style_(style), write_(std::move(write)) {}

  [[nodiscard]] Result<> record(bool is_error, std::string_view time, std::string_view bytes);
  [[nodiscard]] Result<> finish();

 private:
  struct Stream {
    Neutralizer neutral;
    bool within_line{};
    std::string time;  // of what was fed last
  };
  [[nodiscard]] Result<> put(bool is_error, std::string_view text);

  Style style_;
  Write write_;
  std::array<Stream, 2> streams_;
};

}  // namespace agentos::cli
