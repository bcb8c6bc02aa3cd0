#include "daemon/descriptors.hpp"

#include <sys/resource.h>

#include <algorithm>

#include "agentos/model/plan.hpp"

namespace agentos::daemon {
namespace {

constexpr rlim_t wanted = 65'536;
// Its pidfd and its cgroup; while it ends, its cgroup and the cgroup.events of it.
constexpr std::size_t for_each_agent = 2;

}  // namespace

void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  const rlimit more{.rlim_cur = wanted, .rlim_max = std::max(limit.rlim_max, wanted)};
  if (::setrlimit(RLIMIT_NOFILE, &more) == 0) return;
  limit.rlim_cur = std::min(limit.rlim_max, wanted);
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

std::size_t live_agents_max() {
  rlimit limit{};
  return ::getrlimit(RLIMIT_NOFILE, &limit) == 0 ? live_agents_max(limit.rlim_cur) : 0;
}

std::size_t live_agents_max(std::size_t descriptors) {
  const std::size_t for_clients = descriptors / 4;
  return std::min<std::size_t>((descriptors - for_clients) / for_each_agent, UidPool::slots);
}

}  // namespace agentos::daemon
