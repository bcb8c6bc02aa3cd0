#include <fcntl.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include <boost/json/array.hpp>

#include "agentos/base/text.hpp"
#include "cli/agent_view.hpp"
#include "cli/foreground.hpp"
#include "cli/json_text.hpp"
#include "cli/policy_choice.hpp"
#include "cli/report.hpp"
#include "cli/selftest_report.hpp"
#include "cli/waiting.hpp"
#include "cli/workspace.hpp"
#include "os/file.hpp"

namespace agentos::cli {
namespace {

constexpr std::size_t words_max = 1 << 20;  // bytes of what the probe says
constexpr int own_table_end = 512;          // system calls of x86-64 are below, those of x32 above

// A folder that only the caller can change, gone with this.
class Folder {
 public:
  static Result<Folder> create() {
    std::string path = "/var/tmp/agentos-selftest-XXXXXX";  // on a disk, where /tmp may be memory
    if (::mkdtemp(path.data()) == nullptr) return fail_errno("make a folder in /var/tmp");
    Folder folder(std::move(path));
    // It holds no secret, and whoever the agent turns out to be must come in.
    if (::chmod(folder.path_.c_str(), 0755) != 0) return fail_errno("open " + folder.path_ + " to the agent");
    return folder;
  }
  Folder(Folder&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  Folder& operator=(Folder&&) = delete;
  ~Folder() {
    std::error_code ignored;  // it is in a folder for what may be left
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  explicit Folder(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

// What every sandbox sees is run where it is. A copy in the workspace is for programs that are not installed.
Result<std::string> program_for(const Folder& workspace) {
  std::error_code failed;
  const auto own = std::filesystem::read_symlink("/proc/self/exe", failed);
  const auto probe = (own.parent_path() / "../libexec/agentos/agentos-probe").lexically_normal();
  if (failed || ::access(probe.c_str(), X_OK) != 0)
    return fail(ErrorKind::not_found, probe.string() + " is not there",
                "it is part of the package agentos: install it anew");
  if (probe.string().starts_with("/usr/")) return probe.string();
  const auto copy = workspace.path() + "/agentos-probe";
  if (!std::filesystem::copy_file(probe, copy, failed) || failed)
    return fail(ErrorKind::internal, "copy the probe to " + copy + ": " + failed.message());
  return copy;
}

Result<std::string> new_name() {
  std::uint64_t number = 0;
  if (::getrandom(&number, sizeof number, 0) != static_cast<ssize_t>(sizeof number)) return fail_errno("getrandom");
  return "selftest-" + std::to_string(number);
}

class Selftest final : public Command {
 public:
  void declare(Options& options) override {
    policy_.declare(options);
    options.examples(
        "  agentos selftest\n"
        "  agentos selftest --policy claude-code\n"
        "  agentos selftest --json | jq -r '.cases[] | select(.state == \"open\").name'");
  }

  Result<int> run(Context& context) override {
    auto signals = AGENTOS_TRY(relay_signals(false));  // from here on none of them leaves anything behind
    const auto folder = AGENTOS_TRY(Folder::create());
    const auto workspace = AGENTOS_TRY(open_workspace(folder.path()));
    const auto name = AGENTOS_TRY(new_name());
    boost::json::object body{{"name", name},
                             {"command", boost::json::array{AGENTOS_TRY(program_for(folder))}},
                             {"env", boost::json::object()},
                             {"tty", false},
                             {"stdin", false},
                             {"attach", true},
                             {"workspace", workspace.path},
                             {"workspace_mode", agentos::name(WorkspaceMode::read_only)},  // so it has nothing to leave
                             {"remove_on_exit", true}};
    AGENTOS_TRY(policy_.put(body));
    const auto answer = context.client().call({.method = "POST",
                                               .target = context.with_tenant("/v1/agents"),
                                               .body = std::move(body),
                                               .fds = {workspace.fd.get()},
                                               .interrupt = signals.interrupts()});
    if (!answer && answer.error().number() == EINTR) return interrupted(context, name, signals.next().value_or(SIGINT));
    if (!answer) return std::unexpected(answer.error());
    if (!answer->fd) return fail(ErrorKind::internal, "agentosd sent no stream to the agent");

    const UniqueFd words(::memfd_create("selftest", MFD_CLOEXEC));
    const UniqueFd nothing(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    if (!words || !nothing) return fail_errno("make a place for what the probe says");
    const auto end =
        AGENTOS_TRY(Relay({.stream = answer->fd.get(), .in = nothing.get(), .out = words.get()}, signals).run());
    if (end.kind == RelayEnd::Kind::signaled) return interrupted(context, name, end.number);
    if (end.kind != RelayEnd::Kind::exited)
      return Foreground{context, AgentView(answer->body).id(), "the probe", true}.conclude(end);
    return judge(context, AgentView(answer->body), workspace.path, words);
  }

 private:
  Result<int> judge(const Context& context, const AgentView& agent, const std::string& workspace,
                    const UniqueFd& words) const {
    if (::lseek(words.get(), 0, SEEK_SET) != 0) return fail_errno("read what the probe said");
    const auto said = AGENTOS_TRY(os::read_all(words.get(), words_max));
    auto report = AGENTOS_TRY(SelftestReport::parse(said));
    report.explain_calls(AGENTOS_TRY(reasons(context, workspace, report)));
    const auto missing = agent.not_enforced();
    if (context.json) {
      auto answer = report.json();
      answer["not_enforced"] = boost::json::array(missing.begin(), missing.end());
      AGENTOS_TRY(print(json_pretty(answer)));
    } else {
      std::string text = report.text();
      for (std::size_t i = 0; i < missing.size(); ++i)
        text += (i == 0 ? "Not enforced on this host (see agentos doctor): " : ", ") + printable(missing[i]);
      AGENTOS_TRY(print(text + (missing.empty() ? "" : "\n")));
    }
    return report.open() == 0 ? exit_status::ok : exit_status::open;
  }

  // Asked of the filter itself, of which the probe sees only the answers. Numbers of other tables have none.
  Result<std::map<int, std::string>> reasons(const Context& context, const std::string& workspace,
                                             const SelftestReport& report) const {
    std::map<int, std::string> all;
    for (const auto& one : report.cases()) {
      if (!one.call || *one.call >= own_table_end || all.contains(*one.call)) continue;
      boost::json::object body{{"workspace", workspace}, {"syscall", std::to_string(*one.call)}};
      AGENTOS_TRY(policy_.put(body));
      const auto answer = AGENTOS_TRY(
          context.client().call({.method = "POST", .target = context.with_tenant("/v1/why"), .body = std::move(body)}));
      all[*one.call] = AgentView(answer.body).text("reason");
    }
    return all;
  }

  // Nothing is left behind: the agent is ended, and its record goes with it.
  static Result<int> interrupted(const Context& context, const std::string& name, int signal) {
    const auto ended = terminate_agent(context, name, "the selftest was interrupted", 0);
    if (!ended && ended.error().kind() != ErrorKind::not_found && ended.error().kind() != ErrorKind::conflict)
      report(ended.error(), context.json);
    if (ended) [[maybe_unused]]
      const auto gone = wait_until_ended(context, name);
    return exit_status::signal_base + signal;
  }

  PolicyChoice policy_;
};

}  // namespace

std::unique_ptr<Command> make_selftest() {
  return std::make_unique<Selftest>();
}

}  // namespace agentos::cli
