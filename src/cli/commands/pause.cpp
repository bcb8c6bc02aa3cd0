#include "cli/agent_view.hpp"
#include "cli/answers.hpp"
#include "cli/json_text.hpp"
#include "cli/report.hpp"

// pause and resume: one request each, which answers when it is done.
namespace agentos::cli {
namespace {

class Steer final : public Command {
 public:
  explicit Steer(const char* action) : action_(action) {}

  void declare(Options& options) override {
    options.positionals("AGENT", agents_, "Ids or names");
    options.examples("  agentos " + std::string(action_) + " builder tester");
  }

  Result<int> run(Context& context) override {
    return for_each_agent(context, agents_, [&](const std::string& agent) -> Result<> {
      const auto answer =
          AGENTOS_TRY(context.client().call({.method = "POST", .target = context.agent_target(agent, action_)}));
      return print(context.json ? json_pretty(answer.body) : AgentView(answer.body).label() + "\n");
    });
  }

 private:
  const char* action_;
  std::vector<std::string> agents_;
};

}  // namespace

std::unique_ptr<Command> make_pause() {
  return std::make_unique<Steer>("pause");
}
std::unique_ptr<Command> make_resume() {
  return std::make_unique<Steer>("resume");
}

}  // namespace agentos::cli
