#include <cstdlib>

#include <boost/json/array.hpp>

#include "agentos/base/text.hpp"
#include "cli/agent_view.hpp"
#include "cli/foreground.hpp"
#include "cli/grants.hpp"
#include "cli/json_text.hpp"
#include "cli/limits.hpp"
#include "cli/policy_choice.hpp"
#include "cli/report.hpp"
#include "cli/workspace.hpp"

namespace agentos::cli {
namespace {

class Run final : public Command {
 public:
  void declare(Options& options) override {
    options.flag("-d,--detach", detach_, "Start it, print its id, and do not wait");
    terminal_.declare(options);
    options.flag("--rm", remove_, "Remove its record and logs when it has ended and left no changes");
    options.value("--name", "NAME", name_, "A name, which works wherever an id does");
    options.value("--goal", "TEXT", goal_, "What it is to achieve, for people");
    options.value("--type", "TYPE", type_, "Agent type (default: command)");
    options.list("-e,--env", "NAME[=VALUE]", environment_,
                 "Environment variable; without a value your own is passed on");
    options.value(
        "-w,--workspace", "DIR", workspace_,
        "Folder it works in, at the same path inside (default: the current one); DIR:overlay (default: what it "
        "writes waits to be committed), DIR:bind (it writes to the folder), DIR:ro, DIR:empty");
    policy_.declare(options);
    limits_.declare(options);
    options.value("--detach-keys", "KEYS", detach_keys_, "Keys that detach from a terminal (default: ctrl-p,ctrl-q)");
    options.rest("COMMAND", command_, "The program and its arguments");
    options.examples(
        "  agentos run bash\n"
        "  agentos run --rm -e ANTHROPIC_API_KEY -- claude -p 'fix the failing test'\n"
        "  agentos run -d --name builder --memory 2GiB --cpus 1.5 -w ~/src/app:bind make -j4\n"
        "  git diff | agentos run --rm -T ./review > review.md");
  }

  Result<int> run(Context& context) override {
    if (command_.empty()) return fail(ErrorKind::invalid, "run: no command given", "for example: agentos run bash");
    const auto workspace = AGENTOS_TRY(open_workspace(workspace_));
    const bool tty = AGENTOS_TRY(detach_ && !terminal_.forbid ? Result<bool>(terminal_.force) : terminal_.wanted());
    auto body = AGENTOS_TRY(request(workspace, tty));
    client::Call call{.method = "POST",
                      .target = context.with_tenant("/v1/agents"),
                      .body = std::move(body),
                      .fds = {workspace.fd.get()}};
    return detach_ ? start(context, call) : foreground(context, std::move(call), tty);
  }

 private:
  Result<boost::json::object> request(const Workspace& workspace, bool tty) const {
    boost::json::object body;
    for (const auto& [key, value] : {std::pair{"name", &name_}, {"type", &type_}, {"goal", &goal_}}) {
      if (!value->empty()) body[key] = *value;
    }
    body["command"] = boost::json::array(command_.begin(), command_.end());
    body["env"] = AGENTOS_TRY(environment(environment_));
    describe_terminal(body, tty);
    body["stdin"] = !detach_ || tty;
    body["attach"] = !detach_;
    body["workspace"] = workspace.path;
    if (workspace.mode) body["workspace_mode"] = name(*workspace.mode);
    body["limits"] = AGENTOS_TRY(limits_.json());
    body["remove_on_exit"] = remove_;
    AGENTOS_TRY(policy_.put(body));
    body["offers_environment"] = true;
    body["offers_grants"] = true;
    return body;
  }

  // Where the policy lets variables enter by themselves, or grants files of the host, agentosd answers with their names
  // first: it neither knows nor may open what is the caller's.
  static Result<client::Reply> submit(const Context& context, client::Call call) {
    auto reply = context.client().call(call);
    const auto* needs = reply && reply->body.is_object() ? &reply->body.get_object() : nullptr;
    const auto* names = needs != nullptr ? needs->if_contains("pass") : nullptr;
    if (names == nullptr || !names->is_array()) return reply;
    auto& body = call.body.as_object();
    auto& environment = body["env"].as_object();
    for (const auto& name : names->get_array()) {
      const std::string key = name.is_string() ? std::string(name.get_string()) : std::string();
      const char* value = key.empty() || environment.contains(key) ? nullptr : std::getenv(key.c_str());
      if (value != nullptr) environment[key] = value;
    }
    const auto* grants = needs->if_contains("grants");
    const auto opened = AGENTOS_TRY(open_grants(grants != nullptr ? *grants : boost::json::value()));
    for (const auto& left_out : opened.notes) note(left_out);
    body["grants"] = boost::json::array(opened.paths.begin(), opened.paths.end());
    for (const auto& fd : opened.fds) call.fds.push_back(fd.get());
    body["offers_environment"] = false;
    body["offers_grants"] = false;
    return context.client().call(call);
  }

  static void tell_notes(const client::Reply& reply) {
    const auto* notes = reply.body.is_object() ? reply.body.get_object().if_contains("notes") : nullptr;
    if (notes == nullptr || !notes->is_array()) return;
    for (const auto& one : notes->get_array()) {
      if (one.is_string()) note(one.get_string());
    }
  }

  static void tell_not_enforced(const AgentView& agent, bool json) {
    const auto missing = agent.not_enforced();
    if (missing.empty()) return;
    std::string line;
    for (const auto& what : missing) line += (line.empty() ? "not enforced on this host: " : ", ") + what;
    if (json) {
      note_json({{"not_enforced", boost::json::array(missing.begin(), missing.end())}});
    } else {
      note(line + " (see agentos doctor)");
    }
  }

  static Result<int> start(const Context& context, const client::Call& call) {
    const auto answer = AGENTOS_TRY(submit(context, call));
    const AgentView agent(answer.body);
    tell_notes(answer);
    tell_not_enforced(agent, context.json);
    AGENTOS_TRY(print(context.json ? json_pretty(answer.body) : agent.id() + "\n"));
    return exit_status::ok;
  }

  Result<int> foreground(Context& context, client::Call call, bool tty) const {
    auto keys = AGENTOS_TRY(DetachKeys::parse(detach_keys_));
    auto signals = AGENTOS_TRY(relay_signals(tty));
    call.interrupt = signals.interrupts();
    const auto answer = submit(context, call);
    if (!answer && answer.error().number() == EINTR) return interrupted(signals);
    if (!answer) return std::unexpected(answer.error());
    const AgentView agent(answer->body);
    if (!answer->fd) return fail(ErrorKind::internal, "agentosd sent no stream to the agent " + agent.id());
    tell_notes(*answer);
    tell_not_enforced(agent, context.json);

    const auto id = agent.id();
    RelaySetup setup{.stream = answer->fd.get(), .tty = tty, .forward_signals = true, .detach_keys = std::move(keys)};
    setup.second_interrupt = [&] {
      const auto ended = terminate_agent(context, id, "interrupted twice", second_interrupt_grace_ms);
      if (!ended && ended.error().kind() != ErrorKind::conflict) report(ended.error(), context.json);
    };
    const auto end = AGENTOS_TRY(Relay(std::move(setup), signals).run());
    const auto mode = agent.workspace_mode();
    if (end.kind == RelayEnd::Kind::exited && (remove_ || (mode && has_layer(*mode)))) tell_changes(context, id);
    return Foreground{context, id, command_[0], true}.conclude(end);
  }

  // Waits until agentosd knows of the end, so that the next command sees it too. When agentosd is away, or has removed
  // the agent already, there is nothing to tell.
  static void tell_changes(const Context& context, const std::string& id) {
    const auto answer = context.client().call({.target = context.agent_target(id, "wait", "timeout_ms=10000")});
    if (!answer) return;
    const AgentView agent(answer->body);
    if (!agent.changed()) return;
    const auto label = agent.label();
    if (context.json) {
      note_json({{"agent", id}, {"changed", true}});
    } else {
      note("it left changes: 'agentos diff " + label + "' shows, 'agentos commit " + label +
           "' keeps, 'agentos discard " + label + "' drops them");
    }
  }

  static Result<int> interrupted(SignalInbox& signals) {
    const int signal = signals.next().value_or(SIGINT);
    note("interrupted while agentosd was starting it; 'agentos ps' shows whether it runs");
    die_of(signal);
    return exit_status::signal_base + signal;
  }

  static constexpr std::int64_t second_interrupt_grace_ms = 2000;

  bool detach_{}, remove_{};
  TerminalChoice terminal_;
  std::string name_, goal_, type_, workspace_, detach_keys_{"ctrl-p,ctrl-q"};
  std::vector<std::string> environment_, command_;
  LimitOptions limits_;
  PolicyChoice policy_;
};

}  // namespace

std::unique_ptr<Command> make_run() {
  return std::make_unique<Run>();
}

}  // namespace agentos::cli
