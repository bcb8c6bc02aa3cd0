#include <unistd.h>

#include <algorithm>

#include <boost/json/array.hpp>

#include "agentos/base/text.hpp"
#include "cli/json_text.hpp"
#include "cli/layer.hpp"
#include "cli/patch.hpp"
#include "cli/report.hpp"
#include "workspace/changes.hpp"

namespace agentos::cli {
namespace {

using workspace::Change;

// A folder that is told by what is in it.
bool is_implied(const std::vector<Change>& changes, std::size_t at) {
  const auto& change = changes[at];
  const auto kind = change.after.kind == workspace::Kind::none ? change.before.kind : change.after.kind;
  return kind == workspace::Kind::directory && change.what != workspace::What::modified && at + 1 < changes.size() &&
         changes[at + 1].path.starts_with(change.path + "/");
}

std::string plural(std::size_t count, const char* what) {
  return std::to_string(count) + " " + what + (count == 1 ? "" : "s");
}

// " path | 12 ++++----", as wide as `bars` at most.
class Stat {
 public:
  void add(const Change& change, const Patch& patch) {
    insertions_ += patch.insertions;
    deletions_ += patch.deletions;
    std::string words;
    if (change.binary) {
      words = "Bin " + std::to_string(change.before.size) + " -> " + std::to_string(change.after.size) + " bytes";
    } else if (!patch.counted) {
      words = change.only_times() ? "time of change" : std::string(name(change.what));
    }
    if (change.what == workspace::What::deleted && !patch.counted && !change.binary) words = "deleted";
    rows_.push_back({quoted(change.path), words, patch.insertions, patch.deletions});
  }

  [[nodiscard]] std::string text() const {
    std::size_t width = 0, most = 1;
    for (const auto& row : rows_) {
      width = std::max(width, row.path.size());
      most = std::max(most, row.insertions + row.deletions);
    }
    const auto scaled = [&](std::size_t count) {
      return most <= bars || count == 0 ? count : std::max<std::size_t>(1, count * bars / most);
    };
    std::string result;
    for (const auto& row : rows_) {
      result += " " + row.path + std::string(width - row.path.size(), ' ') + " | ";
      result += row.words.empty()
                    ? std::to_string(row.insertions + row.deletions) + " " + std::string(scaled(row.insertions), '+') +
                          std::string(scaled(row.deletions), '-')
                    : row.words;
      result += "\n";
    }
    if (rows_.empty()) return result;
    result += " " + plural(rows_.size(), "path") + " changed";
    if (insertions_ > 0) result += ", " + plural(insertions_, "insertion") + "(+)";
    if (deletions_ > 0) result += ", " + plural(deletions_, "deletion") + "(-)";
    return result + "\n";
  }

 private:
  static constexpr std::size_t bars = 40;
  struct Row {
    std::string path, words;
    std::size_t insertions, deletions;
  };
  std::vector<Row> rows_;
  std::size_t insertions_{}, deletions_{};
};

class Diff final : public Command {
 public:
  void declare(Options& options) override {
    options.flag("--stat", stat_, "Only which paths changed, and by how many lines");
    options.flag("--exit-code", exit_code_, "Exit with status 1 when there are changes");
    options.positional("AGENT", agent_, "Id or name");
    options.positionals("PATH", paths_, "Files or folders, from the workspace (default: all)", 0);
    options.examples(
        "  agentos diff fixer\n"
        "  agentos diff --stat fixer src\n"
        "  agentos diff fixer > changes.patch && git apply changes.patch\n"
        "  agentos diff --json fixer | jq -r '.changes[] | select(.protected) | .path'");
  }

  Result<int> run(Context& context) override {
    const auto opened = AGENTOS_TRY(open_layer(context, agent_, Purpose::look));
    const auto layer = opened.layer();
    const auto selection = AGENTOS_TRY(workspace::Selection::parse(paths_, opened.workspace));
    const auto changes = AGENTOS_TRY(workspace::changes(layer, selection));
    std::vector<std::string_view> found;
    for (const auto& change : changes) found.emplace_back(change.path);
    AGENTOS_TRY(check_found(selection, found));
    if (context.json) {
      boost::json::array list;
      for (const auto& change : changes) list.push_back(described(layer, change));
      AGENTOS_TRY(print(json_pretty(
          boost::json::object{{"agent", opened.id}, {"workspace", opened.workspace}, {"changes", std::move(list)}})));
    } else {
      AGENTOS_TRY(tell(layer, changes));
    }
    return exit_code_ && !changes.empty() ? 1 : exit_status::ok;
  }

 private:
  static boost::json::object described(const workspace::Layer& layer, const Change& change) {
    auto result = to_json(change);
    const auto patch = patch_of(layer, change);
    result["insertions"] = patch.counted ? boost::json::value(patch.insertions) : boost::json::value();
    result["deletions"] = patch.counted ? boost::json::value(patch.deletions) : boost::json::value();
    return result;
  }

  Result<> tell(const workspace::Layer& layer, const std::vector<Change>& changes) const {
    const bool terminal = ::isatty(STDOUT_FILENO) == 1;
    Stat stat;
    for (std::size_t i = 0; i < changes.size(); ++i) {
      if (is_implied(changes, i)) continue;
      const auto patch = patch_of(layer, changes[i]);
      if (stat_) {
        stat.add(changes[i], patch);
      } else {
        AGENTOS_TRY(print(terminal ? for_terminal(patch.text, in_colour()) : patch.text));
      }
    }
    return stat_ ? print(stat.text()) : Result<>();
  }

  bool stat_{}, exit_code_{};
  std::string agent_;
  std::vector<std::string> paths_;
};

}  // namespace

std::unique_ptr<Command> make_diff() {
  return std::make_unique<Diff>();
}

}  // namespace agentos::cli
