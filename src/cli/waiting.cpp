#include "cli/waiting.hpp"

#include <poll.h>

#include <algorithm>

namespace agentos::cli {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::milliseconds long_poll{30'000}, tick_poll{1'000}, between_tries{200};
constexpr std::chrono::seconds restart_time{15};  // agentosd may take this long to come back

}  // namespace

Result<boost::json::value> wait_until_ended(const Context& context, std::string_view ref, const OnTick& tick) {
  const auto poll = tick ? tick_poll : long_poll;
  const auto target = context.agent_target(ref, "wait", "timeout_ms=" + std::to_string(poll.count()));
  const auto begin = Clock::now();
  AGENTOS_TRY(context.client().call({.target = context.agent_target(ref)}));
  auto reached = Clock::now();  // when agentosd last answered
  for (;;) {
    const auto asked = Clock::now();
    auto answer = context.client().call({.target = target, .timeout = poll + std::chrono::seconds(30)});
    if (answer) return std::move(answer->body);
    if (answer.error().kind() != ErrorKind::unavailable) return std::unexpected(std::move(answer).error());
    // "Not yet" and "not running" are both unavailable; the first takes as long as was asked for.
    const auto now = Clock::now();
    const bool not_yet = now - asked >= poll - std::chrono::milliseconds(100);
    if (not_yet) reached = now;
    if (now - reached > restart_time) return std::unexpected(std::move(answer).error());
    if (!not_yet) ::poll(nullptr, 0, static_cast<int>(between_tries.count()));
    if (tick && !tick(std::chrono::duration_cast<std::chrono::milliseconds>(now - begin))) return boost::json::value();
  }
}

}  // namespace agentos::cli
