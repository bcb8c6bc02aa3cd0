#pragma once

#include <chrono>
#include <cstdint>
#include <list>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace agentos::process {

// Wakes every coroutine that waits for it. To miss nothing: take rings(), look at what you wait for, then wait for a
// ring beyond that count. It must outlive its waiters, or they must be gone with the io_context.
class Bell {
 public:
  using Clock = std::chrono::steady_clock;

  Bell() = default;
  Bell(const Bell&) = delete;
  Bell& operator=(const Bell&) = delete;

  [[nodiscard]] std::uint64_t rings() const { return rings_; }

  // False: the time is over, or the waiting was cancelled, before it rang.
  boost::asio::awaitable<bool> wait(std::uint64_t beyond, Clock::time_point until = Clock::time_point::max()) {
    if (rings_ > beyond) co_return true;
    const auto executor = co_await boost::asio::this_coro::executor;
    boost::asio::steady_timer timer(executor, until);
    Place place{this, waiting_.insert(waiting_.end(), &timer)};
    co_await timer.async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
    co_return rings_ > beyond;
  }

  void ring() {
    ++rings_;
    for (auto* timer : waiting_) timer->cancel();
  }

 private:
  struct Place {
    Bell* bell;
    std::list<boost::asio::steady_timer*>::iterator position;
    Place(Bell* at, std::list<boost::asio::steady_timer*>::iterator here) : bell(at), position(here) {}
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;
    ~Place() { bell->waiting_.erase(position); }
  };

  std::list<boost::asio::steady_timer*> waiting_;
  std::uint64_t rings_{};
};

}  // namespace agentos::process
