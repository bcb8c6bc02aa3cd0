#pragma once

#include <cstddef>
#include <deque>
#include <list>
#include <memory>
#include <optional>

#include "agentos/model/agent.hpp"
#include "process/bell.hpp"

namespace agentos::daemon {

// Tells every subscriber each change of an agent. A subscriber that falls behind by more than `queue_max` is cut off,
// so that a reader that never reads costs bounded memory.
class EventHub {
 public:
  static constexpr std::size_t queue_max = 1024;

  class Subscription {
   public:
    // The next event; none when it was cut off, or `close` was called.
    boost::asio::awaitable<std::optional<std::shared_ptr<const AgentEvent>>> next();
    void close();

   private:
    friend class EventHub;
    std::deque<std::shared_ptr<const AgentEvent>> queue_;
    process::Bell bell_;
    bool closed_{};
  };

  [[nodiscard]] std::shared_ptr<Subscription> subscribe();
  void publish(const AgentEvent& event);

 private:
  std::list<std::weak_ptr<Subscription>> subscriptions_;
};

}  // namespace agentos::daemon
