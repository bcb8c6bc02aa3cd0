#include "agentos/base/text.hpp"
#include "cli/agent_view.hpp"
#include "cli/answers.hpp"
#include "cli/foreground.hpp"
#include "cli/json_text.hpp"
#include "cli/report.hpp"
#include "cli/waiting.hpp"

namespace agentos::cli {
namespace {

class Terminate final : public Command {
 public:
  void declare(Options& options) override {
    options.value("--reason", "TEXT", reason_, "Why, for the record");
    options.value("--grace", "TIME", grace_, "Time between SIGTERM and SIGKILL (default: 10s)");
    options.positionals("AGENT", agents_, "Ids or names");
    options.examples(
        "  agentos terminate builder\n"
        "  agentos terminate --grace 0 --reason 'went astray' $(agentos ps -q)");
  }

  Result<int> run(Context& context) override {
    std::optional<std::int64_t> grace;
    if (!grace_.empty()) {
      auto parsed = parse_duration_ms(grace_);
      if (!parsed) return std::unexpected(std::move(parsed).error().within("--grace"));
      grace = static_cast<std::int64_t>(*parsed);
    }
    // All are told first, so that their grace runs at the same time.
    std::vector<std::string> told;
    const auto tell = [&](const std::string& agent) -> Result<> {
      const auto answer = AGENTOS_TRY(terminate_agent(context, agent, reason_, grace));
      told.push_back(AgentView(answer.body).id());
      return {};
    };
    const int status = AGENTOS_TRY(for_each_agent(context, agents_, tell));
    const int waited = AGENTOS_TRY(
        for_each_agent(context, told, [&](const std::string& id) { return wait_and_print(context, id, grace); }));
    return status != exit_status::ok ? status : waited;
  }

 private:
  static Result<> wait_and_print(const Context& context, const std::string& id, std::optional<std::int64_t> grace) {
    const bool terminal = ::isatty(STDERR_FILENO) == 1;
    const auto grace_left = grace.value_or(default_grace_ms);
    int said = 0;
    const auto ended = wait_until_ended(context, id, [&](std::chrono::milliseconds waited) {
      if (terminal && said == 0 && waited.count() < grace_left) {
        said = 1;
        note("waiting for " + id + " to end; SIGKILL in " + age(std::chrono::milliseconds(grace_left) - waited));
      } else if (terminal && said < 2 && waited.count() >= grace_left) {
        said = 2;
        note("waiting for " + id + " to end; SIGKILL was sent");
      }
      return true;
    });
    // One that was run with --rm is gone with its end.
    if (!ended && ended.error().kind() == ErrorKind::not_found) return print(id + "\n");
    if (!ended) return std::unexpected(ended.error());
    return print(context.json ? json_pretty(*ended) : AgentView(*ended).label() + "\n");
  }

  static constexpr std::int64_t default_grace_ms = 10'000;  // as the API's
  std::string reason_, grace_;
  std::vector<std::string> agents_;
};

}  // namespace

std::unique_ptr<Command> make_terminate() {
  return std::make_unique<Terminate>();
}

}  // namespace agentos::cli
