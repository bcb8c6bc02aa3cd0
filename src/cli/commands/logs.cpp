#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>

#include <boost/json/parse.hpp>

#include "agentos/base/text.hpp"
#include "cli/agent_view.hpp"
#include "cli/command.hpp"
#include "cli/log_printer.hpp"
#include "cli/report.hpp"

namespace agentos::cli {
namespace {

class Logs final : public Command {
 public:
  void declare(Options& options) override {
    options.flag("-f,--follow", follow_, "Go on with what it prints, until it ends");
    options.value("--since", "TIME", since_, "From this time on: 10m (ago), or 2026-11-23T15:00:00Z");
    options.value("--tail", "LINES", tail_, "Only the last lines");
    options.flag("-t,--timestamps", timestamps_, "Put the time in front of each line");
    options.flag("--raw", raw_, "The bytes as they were printed: on a terminal they can do anything the agent wants");
    options.positional("AGENT", agent_, "Id or name");
    options.examples(
        "  agentos logs -f builder\n"
        "  agentos logs --since 1h --tail 100 builder 2>/dev/null\n"
        "  agentos logs --raw builder > session.bin");
  }

  Result<int> run(Context& context) override {
    auto query = AGENTOS_TRY(this->query());
    LogPrinter printer({raw_, timestamps_},
                       [](bool is_error, std::string_view text) { return is_error ? print_error(text) : print(text); });
    auto reached = Clock::now();
    bool ended = false;
    for (;;) {
      Result<> printed;
      std::size_t skip = same_time_;  // of what comes again after a restart of agentosd
      const auto followed =
          context.client().follow(context.agent_target(agent_, "logs", query), [&](const client::ServerEvent& event) {
            reached = Clock::now();
            ended = event.name == "end";
            if (!ended) printed = take(printer, event, skip);
            return !ended && printed.has_value();
          });
      if (!printed) return std::unexpected(printed.error());
      if (followed) break;
      const bool gone = followed.error().kind() == ErrorKind::unavailable;
      if (!follow_ || !gone || last_time_.empty() || Clock::now() - reached > restart_time) {
        AGENTOS_TRY(printer.finish());
        return std::unexpected(followed.error());
      }
      ::poll(nullptr, 0, between_tries_ms);
      query = "follow=true&since=" + client::escape(last_time_);
    }
    AGENTOS_TRY(printer.finish());
    return exit_status::ok;
  }

 private:
  using Clock = std::chrono::steady_clock;
  static constexpr std::chrono::seconds restart_time{15};
  static constexpr int between_tries_ms = 200;

  Result<> take(LogPrinter& printer, const client::ServerEvent& event, std::size_t& skip) {
    boost::system::error_code error;
    const auto value = boost::json::parse(event.data, error);
    if (error) return fail(ErrorKind::internal, "agentosd sent a malformed log record");
    const AgentView record(value);
    const auto time = record.text("time");
    if (skip > 0 && time == last_time_) {
      --skip;
      return {};
    }
    skip = 0;
    same_time_ = time == last_time_ ? same_time_ + 1 : 1;
    last_time_ = time;
    const auto bytes = AGENTOS_TRY(client::decode_base64(record.text("data")));
    return printer.record(record.text("stream") == "stderr", time, bytes);
  }

  Result<std::string> query() const {
    std::string query = follow_ ? "follow=true" : "follow=false";
    if (!since_.empty()) query += "&since=" + client::escape(AGENTOS_TRY(since_time(since_)));
    if (!tail_.empty()) {
      std::uint32_t lines{};
      const auto [end, error] = std::from_chars(tail_.data(), tail_.data() + tail_.size(), lines);
      if (error != std::errc{} || end != tail_.data() + tail_.size()) {
        return fail(ErrorKind::invalid, "--tail: '" + printable(tail_) + "' is not a number of lines");
      }
      query += "&tail=" + std::to_string(lines);
    }
    return query;
  }

  bool follow_{}, timestamps_{}, raw_{};
  std::string since_, tail_, agent_;
  std::string last_time_;    // of the record printed last
  std::size_t same_time_{};  // records printed with that time
};

}  // namespace

std::unique_ptr<Command> make_logs() {
  return std::make_unique<Logs>();
}

}  // namespace agentos::cli
