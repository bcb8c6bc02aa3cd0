#include "cli/foreground.hpp"

#include <sys/wait.h>

#include <cerrno>
#include <cstdlib>

#include "agentos/base/text.hpp"
#include "cli/agent_view.hpp"
#include "cli/report.hpp"

namespace agentos::cli {

void TerminalChoice::declare(Options& options) {
  options.flag("-t,--tty", force, "Give the program a terminal (default: when stdin and stdout are one)");
  options.flag("-T,--no-tty", forbid, "Give it pipes, also on a terminal");
}

Result<bool> TerminalChoice::wanted() const {
  if (force && forbid) return fail(ErrorKind::invalid, "-t and -T exclude each other");
  return force || (!forbid && ::isatty(STDIN_FILENO) == 1 && ::isatty(STDOUT_FILENO) == 1);
}

Result<boost::json::object> environment(const std::vector<std::string>& given) {
  boost::json::object result;
  for (const auto& entry : given) {
    const auto equals = entry.find('=');
    const auto name = entry.substr(0, equals);
    if (name.empty()) {
      return fail(ErrorKind::invalid, "-e: '" + printable(entry) + "' has no name",
                  "write -e NAME=VALUE, or -e NAME to pass on your own value");
    }
    if (equals != std::string::npos) {
      result[name] = entry.substr(equals + 1);
    } else if (const char* value = std::getenv(name.c_str()); value != nullptr) {
      result[name] = value;
    }
  }
  return result;
}

void describe_terminal(boost::json::object& body, bool tty) {
  body["tty"] = tty;
  if (!tty) return;
  const auto size = window_size().value_or(WindowSize{});
  body["rows"] = size.rows;
  body["columns"] = size.columns;
  const char* term = std::getenv("TERM");
  if (term != nullptr && is_name(term)) body["term"] = term;
}

Result<SignalInbox> relay_signals(bool tty) {
  if (tty) return SignalInbox::open({SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGWINCH, SIGCONT, SIGTSTP, SIGPIPE});
  return SignalInbox::open({SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGCONT, SIGPIPE});
}

int status_of_wait(int wait_status) {
  if (WIFEXITED(wait_status)) return WEXITSTATUS(wait_status);
  if (WIFSIGNALED(wait_status)) return exit_status::signal_base + WTERMSIG(wait_status);
  return exit_status::agentos_failed;
}

Result<client::Reply> terminate_agent(const Context& context, std::string_view ref, std::string_view reason,
                                      std::optional<std::int64_t> grace_ms) {
  boost::json::object body;
  if (!reason.empty()) body["reason"] = reason;
  if (grace_ms) body["grace_ms"] = *grace_ms;
  return context.client().call(
      {.method = "POST", .target = context.agent_target(ref, "terminate"), .body = std::move(body)});
}

Result<int> Foreground::conclude(const RelayEnd& end) const {
  switch (end.kind) {
    case RelayEnd::Kind::exited:
      return status_of_wait(end.number);
    case RelayEnd::Kind::refused: {
      if (end.number == ENOENT) {
        report({ErrorKind::not_found, program + ": no such program in the sandbox (PATH there is not yours)",
                "give its full path; /usr of this host and the workspace are what a sandbox sees"},
               context.json);
        return exit_status::no_such_program;
      }
      const auto why =
          end.words.empty() ? Error::from_errno(end.number, program) : Error(ErrorKind::internal, end.words);
      report(why, context.json);
      const bool not_executable =
          end.number == EACCES || end.number == ENOEXEC || end.number == EISDIR || end.number == ENOTDIR;
      return not_executable ? exit_status::not_executable : exit_status::agentos_failed;
    }
    case RelayEnd::Kind::detached:
      if (::isatty(STDERR_FILENO) == 1) AGENTOS_TRY(print_error("\n"));  // the cursor is where the program left it
      note("detached: 'agentos attach " + agent + "' returns");
      return exit_status::ok;
    case RelayEnd::Kind::signaled:
      die_of(end.number);
      return exit_status::signal_base + end.number;
    case RelayEnd::Kind::output_failed:
      return output_failed(end.number);
    case RelayEnd::Kind::lost:
      return lost(end);
  }
  return exit_status::agentos_failed;
}

// The stream ended without a last word: agentos-init was killed (out of memory, terminated past its grace), and
// agentosd knows why.
Result<int> Foreground::lost(const RelayEnd& end) const {
  if (!end.words.empty()) return fail(ErrorKind::internal, "the stream from agent " + agent + " broke: " + end.words);
  const auto answer = context.client().call({.target = context.agent_target(agent, "wait", "timeout_ms=5000")});
  if (!answer) {
    // Its record may be gone already (--rm); only a kill ends a stream like this.
    if (answer.error().kind() == ErrorKind::not_found) return exit_status::signal_base + SIGKILL;
    auto error = answer.error();
    return std::unexpected(std::move(error).within("the stream from agent " + agent + " ended without saying why"));
  }
  const AgentView view(answer->body);
  if (const auto reason = view.text("reason"); !reason.empty())
    note("agent " + view.label() + " " + view.status() + ": " + reason);
  if (owns_agent) return view.shell_status();
  return view.ended() ? exit_status::signal_base + SIGKILL : exit_status::agentos_failed;
}

Result<int> Foreground::output_failed(int number) const {
  if (owns_agent) {
    const auto ended = terminate_agent(context, agent, "its output could not be written", std::nullopt);
    if (!ended && ended.error().kind() != ErrorKind::conflict) {
      report(ended.error(), context.json);
    }
  }
  if (number == EPIPE) {
    die_of(SIGPIPE);
    return exit_status::signal_base + SIGPIPE;
  }
  return fail_errno(number, "write the program's output");
}

}  // namespace agentos::cli
