#pragma once

#include <algorithm>
#include <chrono>
#include <deque>
#include <optional>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "agentos/ports/journal.hpp"

namespace agentos::fakes {

// A Journal that forgets everything with its process, and chains nothing. While `failure` is set nothing is kept.
class MemoryJournal final : public Journal {
 public:
  explicit MemoryJournal(const boost::asio::any_io_executor& executor) : grown_(executor) {
    grown_.expires_at(boost::asio::steady_timer::time_point::max());
  }

  std::optional<Error> failure;
  std::deque<AuditRecord> records;

  void append(AuditEntry entry) override {
    if (failure) return;
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    if (entry.body.size() > AuditEntry::body_max)
      entry.body = "{\"body_too_long\":" + std::to_string(entry.body.size()) + "}";
    records.push_back({records.size() + 1, std::chrono::nanoseconds(now).count(), {}, std::move(entry), {}});
    grown_.cancel();
  }

  boost::asio::awaitable<Result<void>> keep(AuditEntry entry) override {
    if (failure) co_return std::unexpected(*failure);
    append(std::move(entry));
    co_return Result<void>{};
  }

  boost::asio::awaitable<Result<AuditPage>> read(AuditQuery query) override {
    AuditPage page{{}, records.size(), false};
    const auto limit = std::min(query.limit, AuditQuery::limit_max);
    for (const auto& record : records) {
      if (!query.matches(record)) continue;
      page.records.push_back(record);
      if (page.records.size() < limit) continue;
      page.last = record.sequence;
      page.more = true;
      break;
    }
    co_return page;
  }

  boost::asio::awaitable<void> wait(std::uint64_t after) override {
    while (records.size() <= after) {
      co_await grown_.async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
      const auto cancelled = co_await boost::asio::this_coro::cancellation_state;
      if (cancelled.cancelled() != boost::asio::cancellation_type::none) co_return;
    }
  }

 private:
  boost::asio::steady_timer grown_;
};

}  // namespace agentos::fakes
