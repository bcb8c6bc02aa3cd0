#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include "agentos/base/result.hpp"
#include "process/bell.hpp"

namespace agentos::daemon {

// Tells who follows a log that it has grown. One inotify instance serves all: the kernel allows a user only 128.
class LogWatch {
 public:
  static Result<std::unique_ptr<LogWatch>> open(const boost::asio::any_io_executor& executor);

  // Rings, as long as it is held, whenever a file in the folder was written to.
  [[nodiscard]] Result<std::shared_ptr<process::Bell>> watch(const std::string& folder);

 private:
  LogWatch(const boost::asio::any_io_executor& executor, int fd) : inotify_(executor, fd) {}
  boost::asio::awaitable<void> run();
  void ring(std::string_view events);  // what was read from inotify

  boost::asio::posix::stream_descriptor inotify_;
  // By watch descriptor. A watch that nobody holds any more is removed at the next write to its folder.
  std::map<int, std::weak_ptr<process::Bell>> watched_;
};

}  // namespace agentos::daemon
