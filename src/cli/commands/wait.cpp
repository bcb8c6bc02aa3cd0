#include <algorithm>

#include "agentos/base/text.hpp"
#include "cli/agent_view.hpp"
#include "cli/answers.hpp"
#include "cli/json_text.hpp"
#include "cli/report.hpp"
#include "cli/waiting.hpp"

namespace agentos::cli {
namespace {

class Wait final : public Command {
 public:
  void declare(Options& options) override {
    options.value("--timeout", "TIME", timeout_, "Give up after this time, with exit status 124");
    options.positionals("AGENT", agents_, "Ids or names");
    options.examples(
        "  agentos wait builder && deploy\n"
        "  agentos wait --timeout 10m builder tester");
  }

  // Prints each agent's status; its own is the first that is not 0.
  Result<int> run(Context& context) override {
    std::optional<std::chrono::steady_clock::time_point> deadline;
    if (!timeout_.empty()) {
      auto parsed = parse_duration_ms(timeout_);
      if (!parsed) return std::unexpected(std::move(parsed).error().within("--timeout"));
      deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(*parsed);
    }
    OnTick tick;
    if (deadline) tick = [&](std::chrono::milliseconds) { return std::chrono::steady_clock::now() < *deadline; };
    int result = exit_status::ok;
    for (const auto& agent : agents_) {
      const auto ended = AGENTOS_TRY(wait_until_ended(context, agent, tick));
      if (ended.is_null()) {
        report({ErrorKind::unavailable, agent + " has not ended after " + timeout_}, context.json);
        return exit_status::timed_out;
      }
      const AgentView view(ended);
      const auto status = view.shell_status();
      if (result == exit_status::ok) result = status;
      const auto line = agents_.size() == 1 ? std::to_string(status) : view.label() + " " + std::to_string(status);
      AGENTOS_TRY(print(context.json ? json_pretty(ended) : line + "\n"));
    }
    return result;
  }

 private:
  std::string timeout_;
  std::vector<std::string> agents_;
};

}  // namespace

std::unique_ptr<Command> make_wait() {
  return std::make_unique<Wait>();
}

}  // namespace agentos::cli
