#include "cli/outlet.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>

namespace agentos::cli {

Outlet::Outlet(int fd) : fd_(fd) {
  struct stat status{};
  if (::fstat(fd, &status) != 0) return;
  socket_ = S_ISSOCK(status.st_mode);
  // A pipe or terminal is opened once more, for an open file description of our own. Not a regular file: its offset is
  // shared.
  if (S_ISFIFO(status.st_mode) || ::isatty(fd) == 1) {
    const std::string path = "/proc/self/fd/" + std::to_string(fd);
    own_.reset(::open(path.c_str(), O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  }
}

int Outlet::flush() {
  std::string_view rest = pending_;
  int failure = 0;
  while (!rest.empty()) {
    // Where it could not be opened anew (the terminal of another user), poll(2) promises room for PIPE_BUF bytes at
    // least.
    pollfd ready{fd(), POLLOUT, 0};
    if (!own_ && !socket_ && ::poll(&ready, 1, 0) == 0) break;
    const std::size_t size = own_ || socket_ ? rest.size() : std::min<std::size_t>(rest.size(), PIPE_BUF);
    const ssize_t count =
        socket_ ? ::send(fd(), rest.data(), size, MSG_DONTWAIT | MSG_NOSIGNAL) : ::write(fd(), rest.data(), size);
    if (count >= 0) {
      rest.remove_prefix(static_cast<std::size_t>(count));
    } else if (errno == EAGAIN) {
      break;
    } else if (errno != EINTR) {
      failure = errno;
      rest = {};
    }
  }
  pending_.erase(0, pending_.size() - rest.size());
  return failure;
}

}  // namespace agentos::cli
