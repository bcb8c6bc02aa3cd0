#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include "agentos/base/result.hpp"

namespace agentos::daemon {

// Calls back when files in some folders have changed and then rested for a moment: an editor writes in several steps.
class PolicyWatch {
 public:
  static Result<std::unique_ptr<PolicyWatch>> open(const boost::asio::any_io_executor& executor,
                                                   std::vector<std::string> folders, std::function<void()> changed);

  // Folders that were not there are looked for again.
  void renew();

 private:
  PolicyWatch(const boost::asio::any_io_executor& executor, int fd, std::vector<std::string> folders,
              std::function<void()> changed)
      : inotify_(executor, fd), rest_(executor), folders_(std::move(folders)), changed_(std::move(changed)) {}
  boost::asio::awaitable<void> run();
  boost::asio::awaitable<void> tell();

  boost::asio::posix::stream_descriptor inotify_;
  boost::asio::steady_timer rest_;
  std::vector<std::string> folders_;
  std::function<void()> changed_;
  bool telling_{};
};

}  // namespace agentos::daemon
