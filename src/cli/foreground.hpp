#pragma once

#include <optional>
#include <string>
#include <vector>

#include <boost/json/object.hpp>

#include "cli/command.hpp"
#include "cli/relay.hpp"

// What run, exec and attach share.
namespace agentos::cli {

struct TerminalChoice {
  bool force{}, forbid{};  // -t, -T

  void declare(Options& options);
  // Whether the program gets a terminal: when stdin and stdout are terminals, unless told otherwise.
  [[nodiscard]] Result<bool> wanted() const;
};

// "NAME=VALUE", or "NAME" for the caller's own value (left out where the caller has none), into an object.
[[nodiscard]] Result<boost::json::object> environment(const std::vector<std::string>& given);

// Adds tty, rows, columns and term to a request.
void describe_terminal(boost::json::object& body, bool tty);

// Those that run, exec and attach read instead of dying of; opened before the request is sent, so that a ^C between the
// start of a program and the relay reaches the program.
[[nodiscard]] Result<SignalInbox> relay_signals(bool tty);

// How a relay ended, in words and an exit status.
struct Foreground {
  Context& context;
  std::string agent;    // id
  std::string program;  // as the user called it
  bool owns_agent{};    // run: the agent is terminated when its output has nowhere to go

  [[nodiscard]] Result<int> conclude(const RelayEnd& end) const;

 private:
  [[nodiscard]] Result<int> lost(const RelayEnd& end) const;
  [[nodiscard]] Result<int> output_failed(int number) const;
};

[[nodiscard]] int status_of_wait(int wait_status);

// POST /v1/agents/ID/terminate.
[[nodiscard]] Result<client::Reply> terminate_agent(const Context& context, std::string_view ref,
                                                    std::string_view reason, std::optional<std::int64_t> grace_ms);

}  // namespace agentos::cli
