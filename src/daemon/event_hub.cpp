#include "daemon/event_hub.hpp"

namespace agentos::daemon {

boost::asio::awaitable<std::optional<std::shared_ptr<const AgentEvent>>> EventHub::Subscription::next() {
  while (queue_.empty() && !closed_) co_await bell_.wait(bell_.rings());
  if (queue_.empty()) co_return std::nullopt;
  auto event = std::move(queue_.front());
  queue_.pop_front();
  co_return event;
}

void EventHub::Subscription::close() {
  closed_ = true;
  bell_.ring();
}

std::shared_ptr<EventHub::Subscription> EventHub::subscribe() {
  auto subscription = std::make_shared<Subscription>();
  subscriptions_.push_back(subscription);
  return subscription;
}

void EventHub::publish(const AgentEvent& event) {
  std::shared_ptr<const AgentEvent> shared;
  for (auto at = subscriptions_.begin(); at != subscriptions_.end();) {
    const auto subscription = at->lock();
    if (!subscription || subscription->closed_) {
      at = subscriptions_.erase(at);
      continue;
    }
    ++at;
    if (subscription->queue_.size() >= queue_max) {
      subscription->queue_.clear();
      subscription->close();
      continue;
    }
    if (!shared) shared = std::make_shared<const AgentEvent>(event);
    subscription->queue_.push_back(shared);
    subscription->bell_.ring();
  }
}

}  // namespace agentos::daemon
