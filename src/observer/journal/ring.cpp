#include "observer/journal/ring.hpp"

#include <fcntl.h>
#include <liburing.h>
#include <sys/eventfd.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace agentos::journal {

namespace asio = boost::asio;

struct Ring::State {
  explicit State(const asio::any_io_executor& executor) : bell(executor) {}
  io_uring ring{};
  asio::posix::stream_descriptor bell;  // an eventfd
  std::uint64_t count{};
  io_uring_sqe* entry{};
  bool under_way{};
};

Ring::Ring(std::unique_ptr<State> state) : state_(std::move(state)) {}

Result<std::unique_ptr<Ring>> Ring::open(const asio::any_io_executor& executor) {
  auto state = std::make_unique<State>(executor);
  if (const int error = ::io_uring_queue_init(4, &state->ring, 0); error < 0) {
    return std::unexpected(
        Error(ErrorKind::unsupported, "io_uring: " + Error::from_errno(-error, "set up").message(),
              "the audit journal needs it: sysctl kernel.io_uring_disabled=0, and a container that lets it"));
  }
  std::unique_ptr<Ring> ring(new Ring(std::move(state)));
  const int fd = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (fd < 0) return fail_errno("eventfd");
  ring->state_->bell.assign(fd);
  if (const int error = ::io_uring_register_eventfd(&ring->state_->ring, fd); error < 0)
    return fail_errno(-error, "io_uring: register the eventfd");
  return ring;
}

Ring::~Ring() {
  io_uring_cqe* done = nullptr;
  if (state_->under_way) ::io_uring_wait_cqe(&state_->ring, &done);
  ::io_uring_queue_exit(&state_->ring);
}

asio::awaitable<int> Ring::create(int folder, const char* name) {
  state_->entry = ::io_uring_get_sqe(&state_->ring);
  ::io_uring_prep_openat(state_->entry, folder, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  return submit();
}

asio::awaitable<int> Ring::write(int fd, std::string_view bytes, std::uint64_t offset) {
  state_->entry = ::io_uring_get_sqe(&state_->ring);
  ::io_uring_prep_write(state_->entry, fd, bytes.data(), static_cast<unsigned>(bytes.size()), offset);
  return submit();
}

asio::awaitable<int> Ring::sync(int fd, bool data_only) {
  state_->entry = ::io_uring_get_sqe(&state_->ring);
  ::io_uring_prep_fsync(state_->entry, fd, data_only ? IORING_FSYNC_DATASYNC : 0);
  return submit();
}

asio::awaitable<int> Ring::submit() {
  // By a worker of the kernel from the start: a buffered write may block where it is submitted.
  ::io_uring_sqe_set_flags(state_->entry, IOSQE_ASYNC);
  if (const int error = ::io_uring_submit(&state_->ring); error < 0) co_return error;
  state_->under_way = true;
  for (;;) {
    io_uring_cqe* done = nullptr;
    if (::io_uring_peek_cqe(&state_->ring, &done) == 0) {
      const int result = done->res;
      ::io_uring_cqe_seen(&state_->ring, done);
      state_->under_way = false;
      co_return result;
    }
    const auto [error, size] = co_await state_->bell.async_read_some(asio::buffer(&state_->count, sizeof state_->count),
                                                                     asio::as_tuple(asio::use_awaitable));
    if (error) co_return -ECANCELED;
  }
}

}  // namespace agentos::journal
