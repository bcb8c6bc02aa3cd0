#include "daemon/http/fd_disposal.hpp"

#include <fcntl.h>

#include <csignal>
#include <deque>
#include <map>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

namespace agentos::http {

struct FdDisposal::Queue {
  std::function<void(int)> close;
  std::mutex mutex;
  std::deque<std::pair<uid_t, int>> fds;
  std::map<uid_t, unsigned> waiting;  // in `fds` or being closed
  bool running{false};

  void run() {
    std::unique_lock lock(mutex);
    while (!fds.empty()) {
      const auto [owner, fd] = fds.front();
      fds.pop_front();
      lock.unlock();
      close(fd);
      lock.lock();
      if (--waiting[owner] == 0) waiting.erase(owner);
    }
    running = false;
  }
};

FdDisposal::FdDisposal(std::function<void(int)> close) : queue_(std::make_shared<Queue>()) {
  queue_->close = close ? std::move(close) : [](int fd) { ::close(fd); };
}

bool FdDisposal::closes_at_once(int fd) {
  // The flags of the open file, which no later call can set.
  const int flags = ::fcntl(fd, F_GETFL);
  return flags >= 0 && (flags & (O_PATH | O_DIRECTORY)) != 0;
}

void FdDisposal::dispose(uid_t owner, UniqueFd fd) {
  const std::lock_guard lock(queue_->mutex);
  queue_->fds.emplace_back(owner, fd.release());
  ++queue_->waiting[owner];
  if (queue_->running) return;
  sigset_t all;
  sigset_t old;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &old);  // signals stay with the loop's thread
  queue_->running = true;
  try {
    std::thread([queue = queue_] { queue->run(); }).detach();
  } catch (const std::system_error&) {
    queue_->running = false;  // no thread to be had now: the next descriptor tries again
  }
  pthread_sigmask(SIG_SETMASK, &old, nullptr);
}

bool FdDisposal::accepts(uid_t owner) const {
  const std::lock_guard lock(queue_->mutex);
  const auto found = queue_->waiting.find(owner);
  return found == queue_->waiting.end() || found->second < max_waiting_of_uid;
}

}  // namespace agentos::http
