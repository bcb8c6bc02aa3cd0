#include "agentos/base/text.hpp"
#include "cli/agent_view.hpp"
#include "cli/command.hpp"
#include "cli/json_text.hpp"
#include "cli/policy_choice.hpp"
#include "cli/report.hpp"
#include "cli/workspace.hpp"

namespace agentos::cli {
namespace {

class Why final : public Command {
 public:
  void declare(Options& options) override {
    options.value("--path", "PATH", path_, "May the agent do this with this path, as it sees it?");
    options.value("--op", "OP", op_, "read, write or exec (default: read)");
    options.value("--syscall", "CALL", call_, "May it make this system call? A name, or a number");
    options.value("--agent", "AGENT", agent_, "Ask about this agent, not about one that is to be started");
    choice_.declare(options);
    options.value("-w,--workspace", "DIR", workspace_, "Folder it would work in (default: the current one)");
    options.examples(
        "  agentos why --path ./.env\n"
        "  agentos why --path /usr/bin/gdb --op exec --policy build\n"
        "  agentos why --syscall ptrace --agent builder");
  }

  Result<int> run(Context& context) override {
    if (path_.empty() == call_.empty())
      return fail(ErrorKind::invalid, "why: give either --path or --syscall", "for example: agentos why --path ./.env");
    boost::json::object body;
    AGENTOS_TRY(choice_.put(body));
    if (agent_.empty()) {
      body["workspace"] = AGENTOS_TRY(open_workspace(workspace_)).path;
    } else {
      body["agent"] = agent_;
    }
    if (call_.empty()) {
      body["path"] = path_;
      body["op"] = op_;
    } else {
      body["syscall"] = call_;
    }
    const auto answer = AGENTOS_TRY(
        context.client().call({.method = "POST", .target = context.with_tenant("/v1/why"), .body = std::move(body)}));
    const AgentView view(answer.body);
    const bool allowed = view.flag("allowed");
    if (context.json) {
      AGENTOS_TRY(print(json_pretty(answer.body)));
    } else {
      AGENTOS_TRY(print(std::string(allowed ? "allowed: " : "denied: ") + printable(view.text("reason")) + " (" +
                        printable(view.text("at")) + ")\n"));
    }
    return allowed ? exit_status::ok : exit_status::forbidden;
  }

 private:
  std::string path_, op_{"read"}, call_, agent_, workspace_;
  PolicyChoice choice_;
};

}  // namespace

std::unique_ptr<Command> make_why() {
  return std::make_unique<Why>();
}

}  // namespace agentos::cli
