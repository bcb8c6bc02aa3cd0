#include <boost/json/array.hpp>

#include "agentos/base/text.hpp"
#include "cli/foreground.hpp"
#include "cli/report.hpp"

namespace agentos::cli {
namespace {

class Exec final : public Command {
 public:
  void declare(Options& options) override {
    terminal_.declare(options);
    options.list("-e,--env", "NAME[=VALUE]", environment_,
                 "Environment variable; without a value your own is passed on");
    options.value("--workdir", "DIR", workdir_, "Folder inside to start in (default: the workspace)");
    options.rest("AGENT COMMAND", words_, "A running agent, the program and its arguments");
    options.examples(
        "  agentos exec builder bash\n"
        "  agentos exec -T builder -- git status > status.txt");
  }

  Result<int> run(Context& context) override {
    if (words_.empty() || words_[0].empty())
      return fail(ErrorKind::invalid, "exec: no agent given", "see agentos exec --help");
    const std::string agent = words_[0];
    std::vector<std::string> command(words_.begin() + 1, words_.end());
    if (!command.empty() && command[0] == "--") {
      command.erase(command.begin());
    } else if (!command.empty() && command[0].starts_with('-')) {
      return fail(ErrorKind::invalid, "exec: options go in front of the agent",
                  "for example: agentos exec -t " + agent + " bash");
    }
    if (command.empty())
      return fail(ErrorKind::invalid, "exec: no command given", "for example: agentos exec " + agent + " bash");

    const bool tty = AGENTOS_TRY(terminal_.wanted());
    boost::json::object body{{"command", boost::json::array(command.begin(), command.end())}, {"stdin", true}};
    body["env"] = AGENTOS_TRY(environment(environment_));
    if (!workdir_.empty()) body["cwd"] = workdir_;
    describe_terminal(body, tty);

    auto signals = AGENTOS_TRY(relay_signals(tty));
    const auto answer = context.client().call({.method = "POST",
                                               .target = context.agent_target(agent, "exec"),
                                               .body = std::move(body),
                                               .interrupt = signals.interrupts()});
    if (!answer && answer.error().number() == EINTR) die_of(signals.next().value_or(SIGINT));
    if (!answer) return std::unexpected(answer.error());
    if (!answer->fd) return fail(ErrorKind::internal, "agentosd sent no stream to the program");
    RelaySetup setup{.stream = answer->fd.get(), .tty = tty, .forward_signals = true};
    const auto end = AGENTOS_TRY(Relay(std::move(setup), signals).run());
    return Foreground{context, agent, command[0]}.conclude(end);
  }

 private:
  TerminalChoice terminal_;
  std::string workdir_;
  std::vector<std::string> environment_, words_;
};

}  // namespace

std::unique_ptr<Command> make_exec() {
  return std::make_unique<Exec>();
}

}  // namespace agentos::cli
