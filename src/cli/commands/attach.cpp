#include "cli/agent_view.hpp"
#include "cli/foreground.hpp"
#include "cli/report.hpp"

namespace agentos::cli {
namespace {

class Attach final : public Command {
 public:
  void declare(Options& options) override {
    options.value("--detach-keys", "KEYS", detach_keys_, "Keys that detach from a terminal (default: ctrl-p,ctrl-q)");
    options.positional("AGENT", agent_, "A running agent");
    options.examples(
        "  agentos attach builder                         ctrl-p ctrl-q leaves it running\n"
        "  agentos attach --detach-keys ctrl-] builder");
  }

  Result<int> run(Context& context) override {
    auto keys = AGENTOS_TRY(DetachKeys::parse(detach_keys_));
    const auto found = AGENTOS_TRY(context.client().call({.target = context.agent_target(agent_)}));
    const AgentView view(found.body);
    const bool tty = view.flag("tty");
    boost::json::object body;
    const auto size = window_size().value_or(WindowSize{});
    body["rows"] = tty ? size.rows : 0;
    body["columns"] = tty ? size.columns : 0;

    auto signals = AGENTOS_TRY(relay_signals(tty));
    const auto answer = context.client().call({.method = "POST",
                                               .target = context.agent_target(view.id(), "attach"),
                                               .body = std::move(body),
                                               .interrupt = signals.interrupts()});
    if (!answer && answer.error().number() == EINTR) die_of(signals.next().value_or(SIGINT));
    if (!answer) return std::unexpected(answer.error());
    if (!answer->fd) return fail(ErrorKind::internal, "agentosd sent no stream to the agent");
    if (!tty && ::isatty(STDIN_FILENO) == 1) note("attached to " + view.label() + "; ctrl-c leaves it running");
    RelaySetup setup{.stream = answer->fd.get(), .tty = tty, .redraw = tty, .detach_keys = std::move(keys)};
    const auto end = AGENTOS_TRY(Relay(std::move(setup), signals).run());
    return Foreground{context, view.id(), view.label()}.conclude(end);
  }

 private:
  std::string agent_, detach_keys_{"ctrl-p,ctrl-q"};
};

}  // namespace

std::unique_ptr<Command> make_attach() {
  return std::make_unique<Attach>();
}

}  // namespace agentos::cli
