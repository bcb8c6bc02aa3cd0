#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <unordered_map>
#include <utility>

#include "agentos/meter.h"
#include "agentos/model/agent.hpp"
#include "agentos/ports/journal.hpp"
#include "observer/meter/share.hpp"

namespace agentos::daemon {

// Puts what the kernel tells of agents into the journal, under the name of the agent whose doing it was. An agent's
// first events come before it is known which cgroup it has, its last ones when it has ended: both are waited for.
class Witness {
 public:
  using Clock = observer::Share::Clock;
  using Terms = observer::Share::Terms;

  Witness(Journal& journal, Terms terms, std::function<Clock::time_point()> now = Clock::now)
      : journal_(journal), terms_(terms), now_(std::move(now)) {}

  // The cgroup with this id is that agent's.
  void began(std::uint64_t cgroup, const Agent& agent);
  void ended(const std::string& agent);
  // With the whole size of its kind.
  void heard(const agentos_event& event);

  // Records of its doing that had no room in the journal.
  [[nodiscard]] std::uint64_t withheld(std::uint64_t cgroup) const;

  static constexpr std::size_t early_max = 4096;  // events whose agent is not known yet, of all agents
  static constexpr std::chrono::seconds patience{10};

 private:
  struct Known {
    std::string agent, tenant;
    observer::Share share;
  };
  struct Early {
    Clock::time_point at;
    std::string bytes;  // of the event
  };

  void record(Known& known, const agentos_event& event);
  void say_withheld(Known& known);
  void forget_old(Clock::time_point now);

  Journal& journal_;
  const Terms terms_;
  std::function<Clock::time_point()> now_;
  std::unordered_map<std::uint64_t, Known> known_;
  std::unordered_map<std::string, std::uint64_t> cgroups_;  // of agents that have not ended
  std::deque<Early> early_;
  std::uint64_t strange_{};  // events of nobody who became known
  std::deque<std::pair<Clock::time_point, std::uint64_t>> leaving_;
};

}  // namespace agentos::daemon
