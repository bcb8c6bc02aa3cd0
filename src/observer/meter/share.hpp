#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <utility>

namespace agentos::observer {

// How many records of its own doing one agent may put into the journal, which all agents share: a token bucket. What is
// beyond is withheld and counted, so that nobody pushes out what the others did.
class Share {
 public:
  using Clock = std::chrono::steady_clock;
  struct Terms {
    double burst{10'000};   // records at once
    double per_second{50};  // from then on
  };

  Share(const Terms& terms, Clock::time_point now) : left_(terms.burst), at_(now) {}

  // Whether the next record has room; false: it is withheld.
  bool take(const Terms& terms, Clock::time_point now) {
    const std::chrono::duration<double> passed = now - std::exchange(at_, now);
    left_ = std::min(terms.burst, left_ + passed.count() * terms.per_second);
    if (left_ < 1) {
      ++withheld_;
      ++untold_;
      return false;
    }
    left_ -= 1;
    return true;
  }

  [[nodiscard]] std::uint64_t withheld() const { return withheld_; }  // of all time
  // Since this was last asked.
  std::uint64_t take_untold() { return std::exchange(untold_, 0); }

 private:
  double left_;
  Clock::time_point at_;
  std::uint64_t withheld_{}, untold_{};
};

}  // namespace agentos::observer
