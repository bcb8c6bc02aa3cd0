#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include "agentos/base/result.hpp"

struct io_uring_sqe;

namespace agentos::journal {

// File operations by io_uring, one at a time, completed on the executor's loop: they never block it.
class Ring {
 public:
  // unsupported: the kernel, a container or kernel.io_uring_disabled does not let it.
  static Result<std::unique_ptr<Ring>> open(const boost::asio::any_io_executor& executor);
  Ring(const Ring&) = delete;
  Ring& operator=(const Ring&) = delete;
  ~Ring();  // waits for what is under way: the kernel reads its bytes

  // What they are given must live until they complete, or until the ring is gone. Each gives what the call would, or
  // -errno.
  boost::asio::awaitable<int> create(int folder, const char* name);  // O_EXCL, for writing, 0600
  boost::asio::awaitable<int> write(int fd, std::string_view bytes, std::uint64_t offset);
  boost::asio::awaitable<int> sync(int fd, bool data_only);

 private:
  struct State;
  explicit Ring(std::unique_ptr<State> state);
  boost::asio::awaitable<int> submit();
  std::unique_ptr<State> state_;
};

}  // namespace agentos::journal
