#pragma once

#include <string>
#include <string_view>

namespace agentos::cli {

// Makes an agent's output, which comes in pieces cut anywhere, safe for a person's terminal as agentos::printable does,
// with three kindnesses to what honest programs print: colours (ESC [ digits m) are left out, CR LF is a line end, and
// a CR alone, with which progress bars start their line again, begins a new line.
class Neutralizer {
 public:
  [[nodiscard]] std::string feed(std::string_view bytes);
  [[nodiscard]] std::string finish();  // what was held back because it could have been the start of something longer

 private:
  std::string held_;
};

}  // namespace agentos::cli
