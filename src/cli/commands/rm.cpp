#include "cli/answers.hpp"
#include "cli/foreground.hpp"
#include "cli/report.hpp"
#include "cli/waiting.hpp"

namespace agentos::cli {
namespace {

class Rm final : public Command {
 public:
  void declare(Options& options) override {
    options.flag("-f,--force", force_, "End it first if it runs (SIGKILL at once)");
    options.flag("--discard", discard_, "Also what it wrote and nobody has committed");
    options.positionals("AGENT", agents_, "Ids or names");
    options.examples("  agentos rm builder\n  agentos rm -f $(agentos ps -q)");
  }

  Result<int> run(Context& context) override {
    return for_each_agent(context, agents_, [&](const std::string& agent) -> Result<> {
      if (force_) {
        // conflict: it has ended already.
        const auto ended = terminate_agent(context, agent, "removed by force", 0);
        if (!ended && ended.error().kind() != ErrorKind::conflict) return std::unexpected(ended.error());
        if (const auto waited = wait_until_ended(context, agent);
            !waited && waited.error().kind() != ErrorKind::not_found) {
          return std::unexpected(waited.error());
        }
      }
      const auto removed = context.client().call(
          {.method = "DELETE", .target = context.agent_target(agent, {}, discard_ ? "discard=true" : "")});
      // One that was run with --rm may have removed itself by now.
      if (!removed && !(force_ && removed.error().kind() == ErrorKind::not_found))
        return std::unexpected(removed.error());
      return context.json ? Result<>() : print(agent + "\n");
    });
  }

 private:
  bool force_{}, discard_{};
  std::vector<std::string> agents_;
};

}  // namespace

std::unique_ptr<Command> make_rm() {
  return std::make_unique<Rm>();
}

}  // namespace agentos::cli
