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
// ring beyond that count. Where it goes away before its waiters, none of them may be run again: they are destroyed with
// the io_context, as at the end of agentosd.
class Bell {
 public:
  using Clock = std::chrono::steady_clock;

  Bell() = default;
  Bell(const Bell&) = delete;
  Bell& operator=(const Bell&) = delete;
  ~Bell() {
    for (auto* place : waiting_) place->bell = nullptr;
  }

  [[nodiscard]] std::uint64_t rings() const { return rings_; }

  // False: the time is over, or the waiting was cancelled, before it rang.
  boost::asio::awaitable<bool> wait(std::uint64_t beyond, Clock::time_point until = Clock::time_point::max()) {
    if (rings_ > beyond) co_return true;
    const auto executor = co_await boost::asio::this_coro::executor;
    boost::asio::steady_timer timer(executor, until);
    Place place(*this, timer);
    co_await timer.async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
    co_return rings_ > beyond;
  }

  void ring() {
    ++rings_;
    for (auto* place : waiting_) place->timer->cancel();
  }

 private:
  struct Place {
    Bell* bell;  // null: it has gone away
    boost::asio::steady_timer* timer;
    std::list<Place*>::iterator position;
    Place(Bell& at, boost::asio::steady_timer& own)
        : bell(&at), timer(&own), position(at.waiting_.insert(at.waiting_.end(), this)) {}
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;
    ~Place() {
      if (bell != nullptr) bell->waiting_.erase(position);
    }
  };

  std::list<Place*> waiting_;
  std::uint64_t rings_{};
};

}  // namespace agentos::process
