#pragma once

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include "os/cgroup.hpp"
#include "process/agents.hpp"

namespace agentos::process {

// An agent that has not ended, or whose end is not stored yet.
struct Agents::Live {
  Live(const boost::asio::any_io_executor& executor, Agent record)
      : agent(std::move(record)), grace(executor), time(executor), look(executor) {}

  Agent agent;
  std::optional<boost::asio::posix::stream_descriptor> pidfd;  // of its init
  std::optional<os::Cgroup> cgroup;
  boost::asio::steady_timer grace;  // stopping: until SIGKILL
  boost::asio::steady_timer time;   // until its wall time is over
  boost::asio::steady_timer look;   // until it is next looked at whether it is idle
  Bell ended;
  bool freezing{};  // a pause or resume is under way
  // Adopted in `starting`: whether it runs is not known yet. spawnd may still be at work on what the last agentosd
  // asked.
  std::optional<Bell::Clock::time_point> lost_until;
  bool storing{};  // store_later is at work
};

}  // namespace agentos::process
