#include "observer/journal/journal.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "agentos/base/codec.hpp"
#include "observer/journal/verify.hpp"

namespace agentos::journal {

namespace asio = boost::asio;

namespace {

constexpr std::size_t batch_bytes_max = 256 << 10;
constexpr std::size_t scan_bytes_max = 64 << 20;  // for one page

std::int64_t now_ns() {
  return std::chrono::nanoseconds(std::chrono::system_clock::now().time_since_epoch()).count();
}

std::size_t frame_size(std::string_view frames) {
  return frame_overhead + Reader(frames.substr(4)).get<std::uint32_t>();
}

}  // namespace

SegmentJournal::SegmentJournal(const asio::any_io_executor& executor, JournalOptions options, Log log)
    : options_(std::move(options)), log_(std::move(log)), work_(executor), progress_(executor) {
  work_.expires_at(asio::steady_timer::time_point::max());
  progress_.expires_at(asio::steady_timer::time_point::max());
}

Result<std::unique_ptr<SegmentJournal>> SegmentJournal::open(const asio::any_io_executor& executor,
                                                             JournalOptions options, Log log) {
  std::unique_ptr<SegmentJournal> journal(new SegmentJournal(executor, std::move(options), std::move(log)));
  journal->ring_ = AGENTOS_TRY(Ring::open(executor));
  AGENTOS_TRY(journal->recover());
  asio::co_spawn(executor, journal->write_forever(), [](std::exception_ptr error) {
    if (error) std::rethrow_exception(error);
  });
  return journal;
}

Result<> SegmentJournal::recover() {
  const auto& path = options_.folder;
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) return fail_errno("make the journal's folder " + path);
  folder_.reset(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!folder_) return fail_errno("open the journal's folder " + path);
  auto names = AGENTOS_TRY(segments(path));
  // One that was being made when the process was killed: no record can be in it yet.
  while (!names.empty() && AGENTOS_TRY(read_segment(path, names.back())).size() < header_size) {
    if (::unlinkat(folder_.get(), names.back().c_str(), 0) != 0)
      return fail_errno("remove " + path + "/" + names.back());
    log_("the segment " + names.back() + " of the audit journal was only begun: it is removed");
    names.pop_back();
  }
  if (!names.empty()) AGENTOS_TRY(look_at_last(names.back()));
  return {};
}

Result<> SegmentJournal::look_at_last(const std::string& name) {
  const auto bytes = AGENTOS_TRY(read_segment(options_.folder, name));
  const auto header = SegmentHeader::decode(bytes);
  if (!header) {
    return fail(ErrorKind::invalid, options_.folder + "/" + name + ": " + header.error().message(),
                "move the file out of the folder; `agentos audit verify` then says what is missing");
  }
  end_ = {header->first - 1, header->time_ns, header->previous};
  std::size_t good = header_size;
  std::size_t at = good;
  AuditEntry last;
  bool damaged = false;
  while (at < bytes.size()) {
    auto frame = decode_frame(std::string_view(bytes).substr(at));
    if (!frame) {
      const auto behind = find_frame(bytes, at + 1);
      if (behind == std::string::npos) break;
      damaged = true;
      at = behind;
      continue;
    }
    end_ = {frame->record.sequence, frame->record.time_ns, frame->record.hash};
    last = std::move(frame->record.entry);
    at += frame->size;
    good = at;
  }
  durable_ = end_;
  const auto where = "{\"file\":\"" + name + "\",\"offset\":" + std::to_string(good);
  if (damaged) {  // the evidence stays: what comes goes into a segment of its own
    log_("the audit journal was changed: `agentos audit verify` says where");
    append({std::string(audit_kind::audit_damaged), {}, {}, "{\"file\":\"" + name + "\"}"});
    return {};
  }
  file_.reset(::openat(folder_.get(), name.c_str(), O_WRONLY | O_NOFOLLOW | O_CLOEXEC));
  if (!file_) return fail_errno("open " + options_.folder + "/" + name);
  const auto torn = bytes.size() - good;
  if (torn > 0 && (::ftruncate(file_.get(), static_cast<off_t>(good)) != 0 || ::fsync(file_.get()) != 0))
    return fail_errno("cut the torn end of " + options_.folder + "/" + name);
  file_name_ = name;
  size_ = good;
  if (torn > 0 || (last.kind != audit_kind::daemon_stopped && end_.sequence != 0)) {
    append({std::string(audit_kind::audit_reopened),
            {},
            {},
            where + ",\"cut_bytes\":" + std::to_string(torn) +
                ",\"lost\":\"what was not written yet when the last agentosd ended without warning\"}"});
  }
  return {};
}

bool SegmentJournal::add(AuditEntry& entry) {
  AuditRecord record{end_.sequence + 1, now_ns(), end_.hash, std::move(entry), {}};
  auto frame = encode_frame(record);
  if (stopped_ || queue_.size() + frame.size() > options_.queue_bytes) return false;
  queue_ += frame;
  end_ = {record.sequence, record.time_ns, record.hash};
  work_.cancel();
  return true;
}

void SegmentJournal::say_dropped() {
  if (dropped_ == 0) return;
  AuditEntry entry{std::string(audit_kind::audit_dropped), {}, {}, "{\"records\":" + std::to_string(dropped_) + "}"};
  if (add(entry)) dropped_ = 0;
}

void SegmentJournal::append(AuditEntry entry) {
  say_dropped();
  if (dropped_ == 0 && add(entry)) return;
  if (dropped_++ == 0) log_("audit records are dropped: " + (failing_ ? failure_.message() : "too many wait"));
}

asio::awaitable<Result<void>> SegmentJournal::keep(AuditEntry entry) {
  say_dropped();
  if (dropped_ != 0 || !add(entry)) {
    ++dropped_;
    co_return fail(ErrorKind::exhausted,
                   "the audit record cannot be kept: " + (failing_ ? failure_.message() : "too many wait"),
                   "make room on the file system of " + options_.folder);
  }
  const auto sequence = end_.sequence;
  while (durable_.sequence < sequence) {
    if (failed_ >= sequence) co_return std::unexpected(failure_);
    co_await progress_.async_wait(asio::as_tuple(asio::use_awaitable));
  }
  co_return Result<void>{};
}

asio::awaitable<void> SegmentJournal::wait(std::uint64_t after) {
  while (durable_.sequence <= after) {
    co_await progress_.async_wait(asio::as_tuple(asio::use_awaitable));
    const auto state = co_await asio::this_coro::cancellation_state;
    if (state.cancelled() != asio::cancellation_type::none) co_return;
  }
}

asio::awaitable<bool> SegmentJournal::stop() {
  stopping_ = true;
  work_.cancel();
  while (!stopped_) co_await progress_.async_wait(asio::as_tuple(asio::use_awaitable));
  co_return queue_.empty() && dropped_ == 0;
}

asio::awaitable<void> SegmentJournal::write_forever() {
  for (;;) {
    if (queue_.empty()) {
      if (stopping_) break;
      co_await work_.async_wait(asio::as_tuple(asio::use_awaitable));
      continue;
    }
    auto written = co_await write_batch();
    if (written) {
      if (std::exchange(failing_, false)) log_("audit records can be written again");
      say_dropped();
      progress_.cancel();
      continue;
    }
    failure_ = std::move(written).error().within("keep audit records");
    failed_ = end_.sequence;
    if (!std::exchange(failing_, true)) log_(failure_.message());
    progress_.cancel();
    if (stopping_) break;
    asio::steady_timer rest(co_await asio::this_coro::executor, options_.retry);
    co_await rest.async_wait(asio::as_tuple(asio::use_awaitable));
  }
  stopped_ = true;
  progress_.cancel();
}

// Whole frames from the front of the queue, as many as the segment takes, at least one.
void SegmentJournal::take_batch() {
  const std::string_view waiting = queue_;
  while (batched_ < waiting.size()) {
    const auto size = frame_size(waiting.substr(batched_));
    const auto with = batched_ + size;
    if (batched_ > 0 && (with > batch_bytes_max || size_ + with > options_.segment_bytes)) break;
    batched_ = with;
  }
  batch_ = waiting.substr(0, batched_);
  std::size_t last = 0;
  for (std::size_t at = 0; at < batched_; at += frame_size(waiting.substr(at))) last = at;
  const auto frame = decode_frame(waiting.substr(last));
  AGENTOS_ASSERT(frame.has_value());
  batch_end_ = {frame->record.sequence, frame->record.time_ns, frame->record.hash};
}

asio::awaitable<Result<void>> SegmentJournal::write_batch() {
  // One that failed is written again as it was, over what there is of it.
  if (batch_.empty()) {
    if (file_ && size_ > header_size && size_ + frame_size(queue_) > options_.segment_bytes) file_.reset();
    take_batch();
  }
  if (!file_) {
    auto made = co_await next_segment();
    if (!made) co_return made;
  }
  auto written = co_await write_all(batch_);
  if (!written) co_return written;
  size_ += batch_.size();
  queue_.erase(0, batched_);
  batched_ = 0;
  batch_.clear();
  durable_ = batch_end_;
  delete_retired();
  co_return Result<void>{};
}

// Called with a new segment: what it holds is bounded, whoever fills it.
void SegmentJournal::retire_oldest() {
  const auto names = segments(options_.folder);
  if (!names || names->size() <= options_.segments_max || !retired_.empty()) return;
  const auto kept = names->end() - static_cast<std::ptrdiff_t>(options_.segments_max);
  const std::string first = std::to_string(std::strtoull(kept->c_str(), nullptr, 10));  // its name tells
  AuditEntry entry{std::string(audit_kind::audit_deleted),
                   {},
                   {},
                   "{\"next\":" + first + ",\"segments\":" + std::to_string(kept - names->begin()) + "}"};
  if (!add(entry)) return;
  retired_.assign(names->begin(), kept);
  retired_at_ = end_.sequence;
}

void SegmentJournal::delete_retired() {
  if (retired_.empty() || durable_.sequence < retired_at_) return;
  for (const auto& name : retired_) {
    if (::unlinkat(folder_.get(), name.c_str(), 0) != 0)
      log_(Error::from_errno(errno, "delete " + name + " of the audit journal").message());
  }
  retired_.clear();
}

asio::awaitable<Result<void>> SegmentJournal::next_segment() {
  const auto first = decode_frame(batch_);
  AGENTOS_ASSERT(first.has_value());
  const SegmentHeader header{first->record.sequence, now_ns(), first->record.previous};
  file_name_ = header.file_name();
  header_ = header.encode();
  const int fd = co_await ring_->create(folder_.get(), file_name_.c_str());
  if (fd < 0) co_return fail_errno(-fd, "make " + options_.folder + "/" + file_name_);
  file_.reset(fd);
  size_ = 0;
  auto written = co_await write_all(header_);
  const int synced = written ? co_await ring_->sync(folder_.get(), false) : 0;
  if (written && synced == 0) {
    size_ = header_.size();
    retire_oldest();
    co_return Result<void>{};
  }
  // Nothing is in it yet: the next attempt makes it anew.
  file_.reset();
  ::unlinkat(folder_.get(), file_name_.c_str(), 0);
  if (!written) co_return written;
  co_return fail_errno(-synced, "make " + options_.folder + "/" + file_name_ + " durable");
}

asio::awaitable<Result<void>> SegmentJournal::write_all(std::string_view bytes) {
  for (std::size_t done = 0; done < bytes.size();) {
    const int count = co_await ring_->write(file_.get(), bytes.substr(done), size_ + done);
    if (count <= 0) co_return fail_errno(count == 0 ? EIO : -count, "write " + options_.folder + "/" + file_name_);
    done += static_cast<std::size_t>(count);
  }
  const int synced = co_await ring_->sync(file_.get(), true);
  if (synced < 0) co_return fail_errno(-synced, "make " + options_.folder + "/" + file_name_ + " durable");
  co_return Result<void>{};
}

asio::awaitable<Result<AuditPage>> SegmentJournal::read(AuditQuery query) {
  const auto search = [this, query = std::move(query),
                       upto = durable_.sequence]() -> asio::awaitable<Result<AuditPage>> {
    co_return this->search(query, upto);
  };
  co_return co_await asio::co_spawn(reading_, search, asio::use_awaitable);
}

Result<AuditPage> SegmentJournal::search(const AuditQuery& query, std::uint64_t upto) const {
  AuditPage page{{}, query.after, false};
  const auto names = AGENTOS_TRY(segments(options_.folder));
  const auto limit = std::min(query.limit, AuditQuery::limit_max);
  const auto next = SegmentHeader{query.after + 1, 0, {}}.file_name();
  auto at = std::ranges::upper_bound(names, next);  // the segment before it holds the first record that is wanted
  if (at != names.begin()) --at;
  for (std::size_t scanned = 0; at != names.end(); ++at) {
    const auto bytes = AGENTOS_TRY(read_segment(options_.folder, *at));
    for (std::size_t place = header_size; place < bytes.size();) {
      const auto frame = decode_frame(std::string_view(bytes).substr(place));
      if (!frame) {
        place = find_frame(bytes, place + 1);
        continue;
      }
      place += frame->size;
      const auto& record = frame->record;
      if (record.sequence > upto) return page;
      page.last = std::max(page.last, record.sequence);
      if (!query.matches(record)) continue;
      page.records.push_back(record);
      page.more = page.records.size() >= limit;
      if (page.more) return page;
    }
    scanned += bytes.size();
    page.more = scanned >= scan_bytes_max;
    if (page.more) return page;
  }
  page.more = false;
  return page;
}

}  // namespace agentos::journal
