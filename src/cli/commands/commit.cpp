#include "workspace/commit.hpp"

#include <algorithm>

#include <boost/json/array.hpp>

#include "agentos/base/text.hpp"
#include "cli/json_text.hpp"
#include "cli/layer.hpp"
#include "cli/patch.hpp"
#include "cli/report.hpp"

namespace agentos::cli {
namespace {

using workspace::Outcome;
using workspace::Verdict;

// Why it is not in the workspace now, and what would put it there.
std::string reason(const Outcome& outcome) {
  const auto& change = outcome.change;
  if (outcome.failure) return outcome.failure->message();
  switch (outcome.verdict) {
    case Verdict::guarded:
      return "protected, because " + std::string(change.protection) + "; look at it, then commit it with --allow " +
             quoted(change.path);
    case Verdict::conflict:
      return (change.conflict == workspace::Conflict::none ? "the folder it is in was removed from the workspace"
                                                           : words_of(change.conflict)) +
             "; --force commits the agent's";
    case Verdict::depends:
      return "a folder it needs, or something in it, is held back";
    default:
      return words_of(change.obstacle);
  }
}

std::string letter(const workspace::Change& change) {
  return change.what == workspace::What::added ? "A" : change.what == workspace::What::deleted ? "D" : "M";
}

bool is_done(const Outcome& outcome) {
  return outcome.verdict == Verdict::commit && !outcome.failure;
}

class Commit final : public Command {
 public:
  void declare(Options& options) override {
    options.flag("-n,--dry-run", dry_run_, "Tell what would be done, and do nothing");
    options.list("--allow", "PATH", allowed_, "Also this protected path, or those in this folder");
    options.flag("--force", force_, "Also what changed in the workspace since: the agent's replaces it");
    options.positional("AGENT", agent_, "Id or name");
    options.positionals("PATH", paths_, "Files or folders, from the workspace (default: all)", 0);
    options.examples(
        "  agentos commit --dry-run fixer\n"
        "  agentos commit fixer src README.md\n"
        "  agentos commit --allow .github/workflows fixer");
  }

  Result<int> run(Context& context) override {
    // Looking at it is allowed while the agent runs.
    const auto opened = AGENTOS_TRY(open_layer(context, agent_, dry_run_ ? Purpose::look : Purpose::change));
    workspace::CommitRequest request{.selection = AGENTOS_TRY(workspace::Selection::parse(paths_, opened.workspace)),
                                     .force = force_,
                                     .dry_run = dry_run_};
    request.allowed = AGENTOS_TRY(workspace::Selection::parse(allowed_, opened.workspace));
    if (!allowed_.empty() && request.allowed.everything()) {
      return fail(ErrorKind::invalid, "--allow: the whole workspace",
                  "name the protected paths that you have looked at");
    }
    const auto outcomes = AGENTOS_TRY(workspace::commit(opened.layer(), request));
    std::vector<std::string_view> found;
    for (const auto& outcome : outcomes) found.emplace_back(outcome.change.path);
    AGENTOS_TRY(check_found(request.selection, found));
    AGENTOS_TRY(context.json ? print(json_pretty(described(opened, outcomes))) : tell(outcomes));
    const auto failed = std::ranges::find_if(outcomes, [](const auto& one) { return one.failure.has_value(); });
    if (failed != outcomes.end()) return status_of(failed->failure->kind());
    const bool held = std::ranges::any_of(outcomes, [](const auto& one) { return workspace::is_held(one.verdict); });
    return held ? exit_status::conflict : exit_status::ok;
  }

 private:
  Result<> tell(const std::vector<Outcome>& outcomes) const {
    std::string done;
    for (const auto& outcome : outcomes) {
      if (is_done(outcome)) done += letter(outcome.change) + " " + quoted(outcome.change.path) + "\n";
    }
    AGENTOS_TRY(print(done));
    for (const auto& outcome : outcomes) {
      const auto path = quoted(outcome.change.path);
      if (outcome.failure) {
        note("not committed: " + path + ": " + reason(outcome));
      } else if (outcome.verdict == Verdict::left_out) {
        note("left out: " + path + ": " + reason(outcome));
      } else if (workspace::is_held(outcome.verdict)) {
        note("held back: " + path + ": " + reason(outcome));
      } else if (outcome.change.privileged) {
        note("without its setuid, setgid or sticky bit: " + path);
      } else if (outcome.change.leads_out) {
        note("a link that leads out of the workspace: " + path);
      }
    }
    if (dry_run_) note("nothing was done, because of --dry-run");
    return {};
  }

  [[nodiscard]] boost::json::object described(const AgentLayer& opened, const std::vector<Outcome>& outcomes) const {
    boost::json::array committed, left_out, held;
    for (const auto& outcome : outcomes) {
      auto change = to_json(outcome.change);
      if (is_done(outcome)) {
        committed.push_back(std::move(change));
        continue;
      }
      change["reason"] = reason(outcome);
      (outcome.verdict == Verdict::left_out && !outcome.failure ? left_out : held).push_back(std::move(change));
    }
    return {{"agent", opened.id},
            {"workspace", opened.workspace},
            {"dry_run", dry_run_},
            {"committed", std::move(committed)},
            {"left_out", std::move(left_out)},
            {"held_back", std::move(held)}};
  }

  bool dry_run_{}, force_{};
  std::string agent_;
  std::vector<std::string> paths_, allowed_;
};

}  // namespace

std::unique_ptr<Command> make_commit() {
  return std::make_unique<Commit>();
}

}  // namespace agentos::cli
