#include "observer/meter/meter.hpp"

#include <cerrno>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "agentos/model/plan.hpp"

namespace agentos::observer {
namespace {

namespace asio = boost::asio;

static_assert(AGENTOS_ACCOUNTS == UidPool::slots);

std::size_t size_of(std::uint32_t kind) {
  switch (kind) {
    case AGENTOS_EVENT_EXEC:
      return sizeof(agentos_exec);
    case AGENTOS_EVENT_EXIT:
      return sizeof(agentos_exit);
    case AGENTOS_EVENT_CONNECT:
      return sizeof(agentos_connect);
    default:
      return sizeof(agentos_event);  // of a newer spawnd
  }
}

class KernelMeter final : public Meter {
 public:
  KernelMeter(const asio::any_io_executor& executor, UniqueFd accounts, Heard heard)
      : executor_(executor), accounts_(std::move(accounts)), heard_(std::move(heard)) {}
  KernelMeter(const KernelMeter&) = delete;
  KernelMeter& operator=(const KernelMeter&) = delete;
  ~KernelMeter() override {
    if (watched_) watched_->release();  // libbpf's
    ::ring_buffer__free(ring_);
  }

  Result<> listen(int events) {
    ring_ = ::ring_buffer__new(events, &KernelMeter::take, this, nullptr);
    if (ring_ == nullptr) return fail_errno("map the ring buffer of events");
    watched_ = std::make_shared<asio::posix::stream_descriptor>(executor_, ::ring_buffer__epoll_fd(ring_));
    asio::co_spawn(executor_, watch(watched_), asio::detached);
    return {};
  }

  std::optional<Activity> activity(std::uint32_t uid_base, std::uint64_t cgroup) const override {
    if (uid_base < UidPool::first || cgroup == 0) return std::nullopt;
    const std::uint32_t row = (uid_base - UidPool::first) / UidPool::range;
    if (row >= AGENTOS_ACCOUNTS) return std::nullopt;
    agentos_account account{};
    if (::bpf_map_lookup_elem(accounts_.get(), &row, &account) != 0 || account.cgroup != cgroup) return std::nullopt;
    return Activity{.forks = account.forks,
                    .threads = account.threads,
                    .execs = account.execs,
                    .exits = account.exits,
                    .connects = account.connects,
                    .sent_bytes = account.sent_bytes,
                    .sent_packets = account.sent_packets,
                    .received_bytes = account.received_bytes,
                    .received_packets = account.received_packets,
                    .events = account.events,
                    .dropped = account.dropped,
                    .withheld = 0};
  }

 private:
  static constexpr int events_a_turn = 1024;

  // False: there may be more. Agents on many processors can tell faster than one thread hears.
  bool drain() {
    heard_now_ = 0;
    return ::ring_buffer__consume(ring_) >= 0;
  }

  static int take(void* self, void* data, std::size_t size) {
    const auto* event = event_in(data, size);
    if (event == nullptr) return 0;
    auto& meter = *static_cast<KernelMeter*>(self);
    meter.heard_(*event);
    return ++meter.heard_now_ < events_a_turn ? 0 : -EAGAIN;
  }

  // Ends when the descriptor is let go of.
  asio::awaitable<void> watch(std::shared_ptr<asio::posix::stream_descriptor> watched) {
    for (;;) {
      const auto [error] =
          co_await watched->async_wait(asio::posix::stream_descriptor::wait_read, asio::as_tuple(asio::use_awaitable));
      if (error) co_return;
      while (watched->is_open() && !drain()) co_await asio::post(watched->get_executor(), asio::use_awaitable);
      if (!watched->is_open()) co_return;
    }
  }

  asio::any_io_executor executor_;
  UniqueFd accounts_;
  Heard heard_;
  int heard_now_{};
  ::ring_buffer* ring_{};
  std::shared_ptr<asio::posix::stream_descriptor> watched_;
};

}  // namespace

const agentos_event* event_in(const void* data, std::size_t size) {
  const auto* event = static_cast<const agentos_event*>(data);
  return size < sizeof *event || size < event->size || event->size < size_of(event->kind) ? nullptr : event;
}

Result<std::unique_ptr<Meter>> Meter::open(const asio::any_io_executor& executor, UniqueFd accounts,
                                           const UniqueFd& events, Heard heard) {
  auto meter = std::make_unique<KernelMeter>(executor, std::move(accounts), std::move(heard));
  AGENTOS_TRY(meter->listen(events.get()));
  return meter;
}

}  // namespace agentos::observer
