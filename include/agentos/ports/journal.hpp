#pragma once

#include <cstdint>

#include <boost/asio/awaitable.hpp>

#include "agentos/base/result.hpp"
#include "agentos/model/audit.hpp"

namespace agentos {

// Where audit records are kept. One thread.
class Journal {
 public:
  Journal() = default;
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;
  virtual ~Journal() = default;

  // Takes a few microseconds and never waits. It is on disk a moment later; where that cannot be, a record says how
  // many were dropped. A body that is too long is left out, which its record says.
  virtual void append(AuditEntry entry) = 0;
  // As append, and completes when the record is durable. An error (exhausted: the disk or the queue is full;
  // unavailable; internal): it may be lost, so an action that must not go unrecorded is refused.
  [[nodiscard]] virtual boost::asio::awaitable<Result<void>> keep(AuditEntry entry) = 0;
  // Durable records in the order of their sequence. A page may be short, or empty, though there are more.
  [[nodiscard]] virtual boost::asio::awaitable<Result<AuditPage>> read(AuditQuery query) = 0;
  // Completes when a record after this sequence is durable; can be cancelled.
  [[nodiscard]] virtual boost::asio::awaitable<void> wait(std::uint64_t after) = 0;
};

}  // namespace agentos
