#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include <boost/asio/any_io_executor.hpp>

#include "agentos/base/fd.hpp"
#include "agentos/base/result.hpp"
#include "agentos/meter.h"
#include "agentos/model/activity.hpp"

namespace agentos::observer {

// A record of the ring buffer, aligned to 8 bytes, where it is as large as it says, which is at least what its kind
// takes; else null. A kind that is not known (a newer spawnd's) has the beginning that all have.
[[nodiscard]] const agentos_event* event_in(const void* data, std::size_t size);

// Reads what the BPF programs of agentos-spawnd count and tell. Its maps come from spawnd, and the kernel alone writes
// to them: what is read is trusted but for the texts in events, which are the agents'.
class Meter {
 public:
  // Called for each event, whose size is that of its kind or more, in the order of their times on one CPU. However
  // many there are, the rest of the loop has its turn in between.
  using Heard = std::function<void(const agentos_event&)>;

  // `accounts`, `events`: as SpawndRequest::Kind::meter gives them.
  static Result<std::unique_ptr<Meter>> open(const boost::asio::any_io_executor& executor, UniqueFd accounts,
                                             const UniqueFd& events, Heard heard);
  virtual ~Meter() = default;

  // Of the agent whose cgroup has this id (inode number) and whose ids begin at `uid_base`; nullopt: it is not counted.
  // One system call.
  [[nodiscard]] virtual std::optional<Activity> activity(std::uint32_t uid_base, std::uint64_t cgroup) const = 0;

 protected:
  Meter() = default;
};

}  // namespace agentos::observer
