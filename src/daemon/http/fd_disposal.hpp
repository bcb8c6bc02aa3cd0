#pragma once

#include <sys/types.h>

#include <functional>
#include <memory>

#include "agentos/base/fd.hpp"

namespace agentos::http {

// Closes descriptors whose owner is not trusted. close(2) of a file on FUSE waits for the file system's program, which
// may be the sender's and never answer; so it happens on a thread that may get stuck, and a uid that keeps it busy is
// found out.
class FdDisposal {
 public:
  explicit FdDisposal(std::function<void(int)> close = {});  // default: close(2)

  // O_PATH descriptors and directories are closed without asking anybody.
  [[nodiscard]] static bool closes_at_once(int fd);

  void dispose(uid_t owner, UniqueFd fd);
  // False while too many descriptors of this uid wait: take no more from it.
  [[nodiscard]] bool accepts(uid_t owner) const;
  static constexpr unsigned max_waiting_of_uid = 4;

 private:
  struct Queue;
  std::shared_ptr<Queue> queue_;  // shared with the thread, which may outlive us
};

}  // namespace agentos::http
