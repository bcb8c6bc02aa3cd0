#include <unistd.h>

#include <boost/json/object.hpp>

#include "agentos/model/lifecycle.hpp"
#include "cli/agent_view.hpp"
#include "cli/command.hpp"
#include "cli/json_text.hpp"
#include "cli/owner.hpp"
#include "cli/report.hpp"
#include "cli/table.hpp"
#include "cli/terminal.hpp"

namespace agentos::cli {
namespace {

std::string status_words(const AgentView& agent) {
  auto words = agent.status();
  if (!agent.ended()) return words;
  if (const auto signal = agent.number("signal"); signal && *signal > 0)
    return words + " (signal " + std::to_string(*signal) + ")";
  if (const auto code = agent.number("exit_code"); code && *code != 0)
    return words + " (" + std::to_string(*code) + ")";
  return words;
}

class Ps final : public Command {
 public:
  void declare(Options& options) override {
    options.flag("-a,--all", all_, "Also agents that have ended");
    options.value("--status", "STATUS", status_, "Only agents with this status, for example failed");
    options.flag("-q,--quiet", quiet_, "Only ids");
    options.flag("--names", names_, "With -q: names instead of ids, where there are");
    options.flag("--no-trunc", whole_, "Do not cut lines at the width of the terminal");
    options.examples(
        "  agentos ps -a\n"
        "  agentos rm $(agentos ps -q --status failed)\n"
        "  agentos ps --json | jq -r '.[] | [.id, .usage.memory_peak] | @tsv'");
  }

  Result<int> run(Context& context) override {
    if (!status_.empty() && !status_named(status_)) {
      std::string known;
      for (int i = 0; i <= static_cast<int>(Status::rejected); ++i)
        known += (i == 0 ? "" : ", ") + std::string(name(static_cast<Status>(i)));
      return fail(ErrorKind::invalid, "--status: there is no status '" + status_ + "'", "there are " + known);
    }
    std::string query = all_ || !status_.empty() ? "all=true" : "all=false";
    if (!status_.empty()) query += "&status=" + status_;
    const auto answer = AGENTOS_TRY(context.client().call({.target = context.with_tenant("/v1/agents", query)}));
    const auto agents = agents_of(answer.body);
    if (context.json) {
      const auto* list = answer.body.is_object() ? answer.body.get_object().if_contains("agents") : nullptr;
      AGENTOS_TRY(print(json_pretty(list != nullptr ? *list : answer.body)));
    } else if (quiet_) {
      std::string ids;
      for (const auto& agent : agents) ids += (names_ ? agent.label() : agent.id()) + "\n";
      AGENTOS_TRY(print(ids));
    } else {
      AGENTOS_TRY(print_table(agents));
    }
    return exit_status::ok;
  }

 private:
  Result<> print_table(const std::vector<AgentView>& agents) const {
    const auto now = std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
    Table table({"ID", "NAME", "STATUS", "AGE", "OWNER", "COMMAND"});
    Owners owners;
    bool marked = false;
    for (const auto& agent : agents) {
      const bool open = !agent.not_enforced().empty() && !agent.ended();
      marked = marked || open;
      const auto created = agent.time("created");
      table.add({agent.id(), agent.text("name"), status_words(agent) + (open ? "*" : ""),
                 created ? age(now - *created) : "", owners.name(agent.owner()), agent.command_line()});
    }
    const bool terminal = ::isatty(STDOUT_FILENO) == 1;
    const auto width = terminal && !whole_ ? window_size().value_or(WindowSize{}).columns : 0;
    AGENTOS_TRY(print(table.text(width)));
    if (marked && terminal)
      note("* some of its sandbox is not enforced on this host; see agentos inspect and agentos doctor");
    return {};
  }

  bool all_{}, quiet_{}, names_{}, whole_{};
  std::string status_;
};

}  // namespace

std::unique_ptr<Command> make_ps() {
  return std::make_unique<Ps>();
}

}  // namespace agentos::cli
