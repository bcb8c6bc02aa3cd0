#include "daemon/log_watch.hpp"

#include <sys/inotify.h>

#include <array>
#include <cstring>
#include <exception>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace agentos::daemon {

namespace asio = boost::asio;

Result<std::unique_ptr<LogWatch>> LogWatch::open(const asio::any_io_executor& executor) {
  const int fd = ::inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
  if (fd < 0) return fail_errno("inotify");
  std::unique_ptr<LogWatch> watch(new LogWatch(executor, fd));
  asio::co_spawn(executor, watch->run(), [](std::exception_ptr error) {
    if (error) std::rethrow_exception(error);
  });
  return watch;
}

Result<std::shared_ptr<process::Bell>> LogWatch::watch(const std::string& folder) {
  const int number = ::inotify_add_watch(inotify_.native_handle(), folder.c_str(), IN_MODIFY | IN_ONLYDIR);
  if (number < 0) return fail_errno("watch the log");
  auto& place = watched_[number];  // the same number for the same folder
  auto bell = place.lock();
  if (!bell) place = bell = std::make_shared<process::Bell>();
  return bell;
}

asio::awaitable<void> LogWatch::run() {
  std::array<char, 16 * 1024> buffer{};
  for (;;) {
    const auto [error, size] =
        co_await inotify_.async_read_some(asio::buffer(buffer), asio::as_tuple(asio::use_awaitable));
    if (error) co_return;
    ring({buffer.data(), size});
  }
}

void LogWatch::ring(std::string_view events) {
  inotify_event event{};
  for (std::size_t at = 0; at + sizeof event <= events.size(); at += sizeof event + event.len) {
    std::memcpy(&event, events.data() + at, sizeof event);
    if ((event.mask & IN_Q_OVERFLOW) != 0) {  // any of them may have changed
      for (const auto& [number, weak] : watched_) {
        if (const auto bell = weak.lock()) bell->ring();
      }
      continue;
    }
    const auto found = watched_.find(event.wd);
    if (found == watched_.end()) continue;
    if (const auto bell = found->second.lock()) bell->ring();
    const bool gone = (event.mask & IN_IGNORED) != 0;
    if (gone || found->second.expired()) {
      if (!gone) ::inotify_rm_watch(inotify_.native_handle(), event.wd);
      watched_.erase(found);
    }
  }
}

}  // namespace agentos::daemon
