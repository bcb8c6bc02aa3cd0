#pragma once

#include <string>
#include <string_view>

#include "agentos/base/result.hpp"

namespace agentos::cli {

// Finds a sequence of keys in what is typed. Keys that turn out not to belong to the sequence are passed on, in order.
class DetachKeys {
 public:
  // "ctrl-p,ctrl-q", "ctrl-],x". Empty: none, nothing is held back.
  static Result<DetachKeys> parse(std::string_view text);

  // What of `typed` goes to the agent. After the sequence is complete nothing more does.
  [[nodiscard]] std::string filter(std::string_view typed);
  [[nodiscard]] bool complete() const { return !keys_.empty() && held_ == keys_.size(); }

 private:
  std::string keys_;
  std::size_t held_{};  // leading keys that have been typed
};

}  // namespace agentos::cli
