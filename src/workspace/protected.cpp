#include "workspace/protected.hpp"

#include <fnmatch.h>

#include <array>
#include <cctype>
#include <span>
#include <string>
#include <vector>

namespace agentos::workspace {
namespace {

constexpr std::string_view git_runs = "git runs it";
constexpr std::string_view git_config = "git takes configuration from it, which can name programs to run";
constexpr std::string_view git_elsewhere = "git finds its configuration through it";
constexpr std::string_view git_todo = "git rebase --continue runs what it says";
constexpr std::string_view bare_repository =
    "git takes a folder with HEAD for a repository and runs what its config says";
constexpr std::string_view shell = "shells run it when they start";
constexpr std::string_view session = "the desktop or systemd runs it at login";
constexpr std::string_view secrets = "ssh or gpg takes keys or commands from it";
constexpr std::string_view editor = "editors run tasks and settings from it";
constexpr std::string_view orders = "coding agents take orders from it";
constexpr std::string_view servers = "coding agents start the servers it names";
constexpr std::string_view pipeline = "a CI service runs it, with its secrets";
constexpr std::string_view packages = "package managers take commands or servers from it";
constexpr std::string_view environment = "it sets the environment of who enters the folder";
constexpr std::string_view debugger = "debuggers run it when they start";
constexpr std::string_view network = "programs take servers, proxies or passwords from it";

// A sequence of path components that may stand anywhere in a path; what is below it is protected too. "*" is within a
// component, "**" any number of components.
struct Row {
  std::string_view pattern;
  std::string_view reason;
};

constexpr std::array rows{
    Row{".git/hooks", git_runs},
    Row{".git/config", git_config},
    Row{".git/config.worktree", git_config},
    Row{".git/info/attributes", git_config},
    Row{".git/commondir", git_elsewhere},
    Row{".git/objects/info/alternates", git_elsewhere},
    Row{".git/modules/**/hooks", git_runs},
    Row{".git/modules/**/config", git_config},
    Row{".git/modules/**/config.worktree", git_config},
    Row{".git/modules/**/commondir", git_elsewhere},
    Row{".git/modules/**/info/attributes", git_config},
    Row{".git/worktrees/*/config.worktree", git_config},
    Row{".git/worktrees/*/commondir", git_elsewhere},
    Row{".git/worktrees/*/gitdir", git_elsewhere},
    Row{".git/rebase-merge", git_todo},
    Row{".git/rebase-apply", git_todo},
    Row{".gitmodules", git_config},
    Row{".gitconfig", git_config},
    Row{".config/git", git_config},
    Row{".husky", git_runs},
    Row{".githooks", git_runs},
    Row{".pre-commit-config.y*ml", git_runs},
    Row{"lefthook*.y*ml", git_runs},
    Row{".bashrc", shell},
    Row{".bash_*", shell},
    Row{".profile", shell},
    Row{".zshrc", shell},
    Row{".zshenv", shell},
    Row{".zprofile", shell},
    Row{".zlogin", shell},
    Row{".zlogout", shell},
    Row{".kshrc", shell},
    Row{".cshrc", shell},
    Row{".tcshrc", shell},
    Row{".inputrc", shell},
    Row{".config/fish", shell},
    Row{".config/autostart", session},
    Row{".config/systemd", session},
    Row{".xinitrc", session},
    Row{".xprofile", session},
    Row{".xsession*", session},
    Row{".pam_environment", session},
    Row{".ssh", secrets},
    Row{".gnupg", secrets},
    Row{".vscode", editor},
    Row{"*.code-workspace", editor},
    Row{".idea", editor},
    Row{".vs", editor},
    Row{".fleet", editor},
    Row{".zed", editor},
    Row{".devcontainer*", editor},
    Row{".vimrc", editor},
    Row{".exrc", editor},
    Row{".nvimrc", editor},
    Row{".nvim.lua", editor},
    Row{".config/nvim", editor},
    Row{".emacs*", editor},
    Row{".dir-locals*.el", editor},
    Row{".mcp.json", servers},
    Row{"mcp.json", servers},
    Row{".claude*", orders},
    Row{"CLAUDE*.md", orders},
    Row{"AGENTS*.md", orders},
    Row{"GEMINI.md", orders},
    Row{".agents", orders},
    Row{".codex", orders},
    Row{".gemini", orders},
    Row{".cursor*", orders},
    Row{".windsurf*", orders},
    Row{".clinerules*", orders},
    Row{".roo*", orders},
    Row{".aider*", orders},
    Row{".continue*", orders},
    Row{".openhands", orders},
    Row{".kiro", orders},
    Row{".github/copilot-instructions.md", orders},
    Row{".github/instructions", orders},
    Row{".github/workflows", pipeline},
    Row{".github/actions", pipeline},
    Row{".gitlab-ci*.y*ml", pipeline},
    Row{".circleci", pipeline},
    Row{".travis.yml", pipeline},
    Row{".drone.y*ml", pipeline},
    Row{".buildkite", pipeline},
    Row{".woodpecker*", pipeline},
    Row{"azure-pipelines*.y*ml", pipeline},
    Row{"bitbucket-pipelines.yml", pipeline},
    Row{"Jenkinsfile", pipeline},
    Row{".npmrc", packages},
    Row{".yarnrc*", packages},
    Row{".yarn/releases", packages},
    Row{".yarn/plugins", packages},
    Row{".pnpmfile.*js", packages},
    Row{"bunfig.toml", packages},
    Row{"pip.conf", packages},
    Row{".pypirc", packages},
    Row{".condarc", packages},
    Row{".cargo/config*", packages},
    Row{".bundle/config", packages},
    Row{".gemrc", packages},
    Row{".envrc", environment},
    Row{".direnv", environment},
    Row{"mise.toml", environment},
    Row{".mise*.toml", environment},
    Row{".gdbinit", debugger},
    Row{".lldbinit", debugger},
    Row{".netrc", network},
    Row{".curlrc", network},
    Row{".wgetrc", network},
};

using Parts = std::vector<std::string>;

Parts parts_of(std::string_view path) {
  Parts parts;
  while (!path.empty()) {
    const auto end = path.find('/');
    if (end != 0) parts.emplace_back(path.substr(0, end));
    if (end == std::string_view::npos) break;
    path.remove_prefix(end + 1);
  }
  return parts;
}

int lower(char c) {
  return std::tolower(static_cast<unsigned char>(c));
}

bool fits(const std::string& pattern, const std::string& component) {
  // Nearly all are told apart by their first character.
  if (pattern[0] != '*' && lower(pattern[0]) != lower(component[0])) return false;
  return ::fnmatch(pattern.c_str(), component.c_str(), FNM_CASEFOLD) == 0;
}

enum class Match {
  no,
  whole,
  beginning,  // the path ended before the pattern did
  within,     // the path ended in what "**" may stand for
};

Match match(std::span<const std::string> pattern, std::span<const std::string> path) {
  if (pattern.empty()) return Match::whole;
  if (path.empty()) return Match::beginning;
  if (pattern[0] == "**") {
    for (std::size_t skipped = 0; skipped < path.size(); ++skipped) {
      if (match(pattern.subspan(1), path.subspan(skipped)) == Match::whole) return Match::whole;
    }
    return Match::within;
  }
  return fits(pattern[0], path[0]) ? match(pattern.subspan(1), path.subspan(1)) : Match::no;
}

}  // namespace

std::string_view protection_of(std::string_view path, Kind kind) {
  static const std::vector<Parts> patterns = [] {
    std::vector<Parts> all;
    for (const auto& row : rows) all.push_back(parts_of(row.pattern));
    return all;
  }();
  const auto parts = parts_of(path);
  // A link where a folder is looked for leads to files of another name; for git a file does too.
  const bool link = kind == Kind::symlink;
  const bool stands_in = link || kind == Kind::file;
  bool in_git = false;
  for (std::size_t at = 0; at < parts.size(); ++at) {
    const auto rest = std::span(parts).subspan(at);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const auto found = match(patterns[i], rest);
      const bool leads_there = (found == Match::beginning && stands_in) || (found == Match::within && link);
      if (found == Match::whole || leads_there) return rows[i].reason;
    }
    if (!in_git && at + 1 == parts.size() && fits("HEAD", parts[at])) return bare_repository;
    in_git = in_git || fits(".git", parts[at]);
  }
  return {};
}

bool leads_out(std::string_view path, std::string_view target) {
  if (target.starts_with('/')) return true;
  auto depth = parts_of(path).size() - 1;
  for (const auto& part : parts_of(target)) {
    if (part == "..") {
      if (depth == 0) return true;
      --depth;
    } else if (part != ".") {
      ++depth;
    }
  }
  return false;
}

}  // namespace agentos::workspace
