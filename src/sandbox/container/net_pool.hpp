#pragma once

#include <cstddef>
#include <vector>

#include "agentos/base/fd.hpp"
#include "agentos/base/result.hpp"

namespace agentos::container {

// Network namespaces that are ready to be used: a loopback device that is up, and nothing else. To make one takes the
// kernel about half as long as all else of a start, and nothing of an agent or a policy is in it, so some are made
// ahead while there is nothing to do. Each is given to one agent and never comes back. Its owner is the host's user
// namespace: not even the root of the sandbox can change anything in it.
class NetPool {
 public:
  static constexpr std::size_t ready_max = 8;

  static Result<NetPool> create();

  // Puts the calling process into a fresh one; leave() brings it back. What it starts meanwhile stays there.
  [[nodiscard]] Result<> enter();
  void leave() const;

  [[nodiscard]] bool is_full() const { return ready_.size() >= ready_max; }
  [[nodiscard]] Result<> make_ready();  // one more

 private:
  explicit NetPool(UniqueFd home) : home_(std::move(home)) {}
  [[nodiscard]] Result<UniqueFd> make() const;

  UniqueFd home_;
  std::vector<UniqueFd> ready_;
};

}  // namespace agentos::container
