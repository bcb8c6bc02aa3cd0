#include "cli/answers.hpp"
#include "cli/json_text.hpp"
#include "cli/report.hpp"

namespace agentos::cli {
namespace {

class Inspect final : public Command {
 public:
  void declare(Options& options) override {
    options.positionals("AGENT", agents_, "Ids or names");
    options.examples("  agentos inspect builder | jq .sandbox");
  }

  Result<int> run(Context& context) override {
    return for_each_agent(context, agents_, [&](const std::string& agent) -> Result<> {
      const auto answer = AGENTOS_TRY(context.client().call({.target = context.agent_target(agent)}));
      return print(json_pretty(answer.body));
    });
  }

 private:
  std::vector<std::string> agents_;
};

}  // namespace

std::unique_ptr<Command> make_inspect() {
  return std::make_unique<Inspect>();
}

}  // namespace agentos::cli
