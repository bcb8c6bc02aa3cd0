#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>

#include "agentos/base/fd.hpp"
#include "agentos/ports/journal.hpp"
#include "observer/journal/frame.hpp"
#include "observer/journal/ring.hpp"

namespace agentos::journal {

struct JournalOptions {
  std::string folder;
  std::uint64_t segment_bytes{16U << 20U};  // a segment that has reached this is closed
  std::size_t segments_max{64};             // beyond it the oldest are deleted, and a record says so
  std::size_t queue_bytes{4U << 20U};       // what waits to be written: beyond it records are dropped, and counted
  std::chrono::milliseconds retry{1000};    // after a write that failed
};

// The journal in segment files (see frame.hpp). What is appended is chained at once and written in batches, each
// followed by fdatasync. What was waiting when the process is killed is lost; the next one says so.
class SegmentJournal final : public Journal {
 public:
  using Log = std::function<void(const std::string& line)>;

  // Takes over what is in the folder, which is made. A tail that was torn is cut, and a record says so. A damage
  // elsewhere is left as it is: a new segment begins behind it. Blocks: before the loop runs.
  static Result<std::unique_ptr<SegmentJournal>> open(const boost::asio::any_io_executor& executor,
                                                      JournalOptions options, Log log);

  void append(AuditEntry entry) override;
  boost::asio::awaitable<Result<void>> keep(AuditEntry entry) override;
  boost::asio::awaitable<Result<AuditPage>> read(AuditQuery query) override;
  boost::asio::awaitable<void> wait(std::uint64_t after) override;

  // Writes what waits and then nothing more. False: something could not be written.
  boost::asio::awaitable<bool> stop();

  [[nodiscard]] AuditHead durable() const { return durable_; }
  [[nodiscard]] std::uint64_t dropped() const { return dropped_; }  // since the last record that says how many

 private:
  SegmentJournal(const boost::asio::any_io_executor& executor, JournalOptions options, Log log);

  Result<> recover();
  Result<> look_at_last(const std::string& name);
  bool add(AuditEntry& entry);  // false: the queue is full
  void say_dropped();
  boost::asio::awaitable<void> write_forever();
  boost::asio::awaitable<Result<void>> write_batch();
  boost::asio::awaitable<Result<void>> next_segment();
  void retire_oldest();
  void delete_retired();
  boost::asio::awaitable<Result<void>> write_all(std::string_view bytes);
  void take_batch();
  Result<AuditPage> search(const AuditQuery& query, std::uint64_t upto) const;  // on the reading thread

  JournalOptions options_;
  Log log_;
  UniqueFd folder_, file_;
  std::string file_name_, header_;
  std::uint64_t size_{};       // of the file, as far as it is durable
  std::string queue_, batch_;  // frames
  std::size_t batched_{};      // bytes of queue_ that are in batch_
  AuditHead end_, durable_, batch_end_;
  std::vector<std::string> retired_;  // segments that go when the record of it is durable
  std::uint64_t retired_at_{};        // its sequence
  std::uint64_t failed_{};            // sequence up to which keep() must not promise anything any more
  Error failure_{ErrorKind::internal, ""};
  bool failing_{}, stopping_{}, stopped_{};
  std::uint64_t dropped_{};
  boost::asio::steady_timer work_, progress_;
  boost::asio::thread_pool reading_{1};
  std::unique_ptr<Ring> ring_;  // gone before the bytes that the kernel reads
};

}  // namespace agentos::journal
