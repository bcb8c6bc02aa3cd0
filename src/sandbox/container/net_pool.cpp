#include "sandbox/container/net_pool.hpp"

#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

namespace agentos::container {
namespace {

Result<> bring_loopback_up() {
  const UniqueFd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ifreq request{};
  std::snprintf(request.ifr_name, sizeof request.ifr_name, "lo");
  request.ifr_flags = IFF_UP | IFF_RUNNING;
  if (!socket || ::ioctl(socket.get(), SIOCSIFFLAGS, &request) != 0) return fail_errno("bring the loopback device up");
  return {};
}

Result<UniqueFd> open_own() {
  UniqueFd own(::open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC));
  if (!own) return fail_errno("open the network namespace");
  return own;
}

}  // namespace

Result<NetPool> NetPool::create() {
  return NetPool(AGENTOS_TRY(open_own()));
}

Result<UniqueFd> NetPool::make() const {
  if (::unshare(CLONE_NEWNET) != 0) return fail_errno("create a network namespace");
  const auto furnish = []() -> Result<UniqueFd> {
    AGENTOS_TRY(bring_loopback_up());
    return open_own();
  };
  auto made = furnish();
  leave();
  return made;
}

Result<> NetPool::make_ready() {
  ready_.push_back(AGENTOS_TRY(make()));
  return {};
}

Result<> NetPool::enter() {
  if (ready_.empty()) AGENTOS_TRY(make_ready());
  const UniqueFd fresh = std::move(ready_.back());
  ready_.pop_back();
  if (::setns(fresh.get(), CLONE_NEWNET) != 0) return fail_errno("enter a network namespace");
  return {};
}

// An agent must never get the host's network, nor spawnd an agent's.
void NetPool::leave() const {
  AGENTOS_ASSERT(::setns(home_.get(), CLONE_NEWNET) == 0);
}

}  // namespace agentos::container
