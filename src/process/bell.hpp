#pragma once

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <list>

namespace agentos::process {

// Wakes every coroutine that waits for it. It does not remember: look at what you wait for, then wait, with no co_await
// between. It must outlive its waiters, or they must be gone with the io_context.
class Bell {
 public:
  using Clock = std::chrono::steady_clock;

  Bell() = default;
  Bell(const Bell&) = delete;
  Bell& operator=(const Bell&) = delete;

  // False: the time is over, or the waiting was cancelled, before it rang.
  boost::asio::awaitable<bool> wait(Clock::time_point until = Clock::time_point::max()) {
    const auto executor = co_await boost::asio::this_coro::executor;
    boost::asio::steady_timer timer(executor, until);
    Place place{this, waiting_.insert(waiting_.end(), Waiter{&timer})};
    co_await timer.async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
    co_return place.position->rung;
  }

  void ring() {
    for (auto& waiter : waiting_) {
      waiter.rung = true;
      waiter.timer->cancel();
    }
  }

 private:
  struct Waiter {
    boost::asio::steady_timer* timer;
    bool rung{};
  };
  struct Place {
    Bell* bell;
    std::list<Waiter>::iterator position;
    Place(Bell* at, std::list<Waiter>::iterator here) : bell(at), position(here) {}
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;
    ~Place() { bell->waiting_.erase(position); }
  };

  std::list<Waiter> waiting_;
};

}  // namespace agentos::process
