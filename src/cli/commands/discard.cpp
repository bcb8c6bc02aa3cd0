#include "workspace/discard.hpp"

#include "cli/json_text.hpp"
#include "cli/layer.hpp"
#include "cli/report.hpp"

namespace agentos::cli {
namespace {

class Discard final : public Command {
 public:
  void declare(Options& options) override {
    options.positional("AGENT", agent_, "Id or name");
    options.positionals("PATH", paths_, "Files or folders, from the workspace (default: all)", 0);
    options.examples(
        "  agentos discard fixer\n"
        "  agentos discard fixer package-lock.json");
  }

  Result<int> run(Context& context) override {
    const auto opened = AGENTOS_TRY(open_layer(context, agent_, Purpose::change));
    const auto selection = AGENTOS_TRY(workspace::Selection::parse(paths_, opened.workspace));
    AGENTOS_TRY(workspace::discard(opened.layer(), selection));
    if (context.json) AGENTOS_TRY(print(json_pretty(boost::json::object{{"agent", opened.id}, {"discarded", true}})));
    return exit_status::ok;
  }

 private:
  std::string agent_;
  std::vector<std::string> paths_;
};

}  // namespace

std::unique_ptr<Command> make_discard() {
  return std::make_unique<Discard>();
}

}  // namespace agentos::cli
