#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "agentos/base/fd.hpp"
#include "agentos/base/result.hpp"
#include "agentos/model/host_facts.hpp"
#include "agentos/model/plan.hpp"

namespace agentos {

struct Started {
  UniqueFd pidfd;
  std::int32_t pid{};
  std::uint64_t start_time{};
  std::uint32_t uid_base{};
  std::string cgroup;  // absolute path
};

// Who makes sandboxes: agentos-spawnd, or a fake. ErrorKind::unavailable: it cannot be reached, or died before it
// answered; then a start may have happened all the same, and the cgroup tells.
class Spawner {
 public:
  Spawner() = default;
  Spawner(const Spawner&) = delete;
  Spawner& operator=(const Spawner&) = delete;
  virtual ~Spawner() = default;

  [[nodiscard]] virtual boost::asio::awaitable<Result<HostFacts>> probe() = 0;
  // `fds` as StartFd says; they are closed when it returns.
  [[nodiscard]] virtual boost::asio::awaitable<Result<Started>> start(Plan plan, std::vector<UniqueFd> fds) = 0;
  // The agent's cgroup, which must have no process. One that is not there: done.
  [[nodiscard]] virtual boost::asio::awaitable<Result<void>> remove(std::string tenant, std::string agent) = 0;
};

}  // namespace agentos
