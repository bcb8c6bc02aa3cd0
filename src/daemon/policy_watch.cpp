#include "daemon/policy_watch.hpp"

#include <sys/inotify.h>

#include <array>
#include <chrono>
#include <exception>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace agentos::daemon {

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {
constexpr auto pause = 100ms;

void rethrow(const std::exception_ptr& error) {
  if (error) std::rethrow_exception(error);
}
}  // namespace

Result<std::unique_ptr<PolicyWatch>> PolicyWatch::open(const asio::any_io_executor& executor,
                                                       std::vector<std::string> folders,
                                                       std::function<void()> changed) {
  const int fd = ::inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
  if (fd < 0) return fail_errno("inotify");
  std::unique_ptr<PolicyWatch> watch(new PolicyWatch(executor, fd, std::move(folders), std::move(changed)));
  watch->renew();
  asio::co_spawn(executor, watch->run(), rethrow);
  return watch;
}

void PolicyWatch::renew() {
  // The same folder again is the same watch.
  for (const auto& folder : folders_) {
    static_cast<void>(
        ::inotify_add_watch(inotify_.native_handle(), folder.c_str(),
                            IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_ATTRIB | IN_ONLYDIR));
  }
}

asio::awaitable<void> PolicyWatch::run() {
  std::array<char, 16 * 1024> events{};
  for (;;) {
    const auto [error, size] =
        co_await inotify_.async_read_some(asio::buffer(events), asio::as_tuple(asio::use_awaitable));
    if (error) co_return;
    rest_.expires_after(pause);  // who waits begins anew
    if (telling_) continue;
    telling_ = true;
    asio::co_spawn(inotify_.get_executor(), tell(), rethrow);
  }
}

asio::awaitable<void> PolicyWatch::tell() {
  for (;;) {
    const auto [early] = co_await rest_.async_wait(asio::as_tuple(asio::use_awaitable));
    if (!early) break;
  }
  telling_ = false;
  changed_();
}

}  // namespace agentos::daemon
