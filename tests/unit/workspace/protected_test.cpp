#include "workspace/protected.hpp"

#include <gtest/gtest.h>

namespace agentos::workspace {
namespace {

bool is_protected(std::string_view path, Kind kind = Kind::file) {
  return !protection_of(path, kind).empty();
}

TEST(Protected, what_runs_outside_later) {
  for (const auto* path : {".git/hooks/pre-commit",
                           ".git/config",
                           "sub/.git/config",
                           ".git/config.worktree",
                           ".git/info/attributes",
                           ".git/modules/a/b/hooks/post-checkout",
                           ".git/modules/a/config",
                           ".git/worktrees/w/config.worktree",
                           ".git/rebase-merge/git-rebase-todo",
                           ".gitmodules",
                           ".bashrc",
                           "home/.bash_profile",
                           ".zshrc",
                           ".mcp.json",
                           ".vscode/tasks.json",
                           "a/b/.vscode",
                           ".idea/workspace.xml",
                           ".envrc",
                           "deep/in/.envrc",
                           ".claude/settings.json",
                           "CLAUDE.md",
                           "sub/AGENTS.md",
                           "GEMINI.md",
                           ".cursor/rules/x",
                           ".cursorrules",
                           ".github/workflows/ci.yml",
                           ".npmrc",
                           ".yarnrc.yml",
                           "pip.conf",
                           ".cargo/config.toml",
                           ".cargo/config",
                           ".ssh/authorized_keys",
                           ".config/fish/config.fish",
                           ".husky/pre-commit"}) {
    EXPECT_TRUE(is_protected(path)) << path;
  }
}

TEST(Protected, in_any_case_of_letters) {
  EXPECT_TRUE(is_protected(".GIT/Hooks/pre-commit"));
  EXPECT_TRUE(is_protected("claude.md"));
}

TEST(Protected, not_what_an_agent_is_there_to_write) {
  for (const auto* path : {"Makefile",
                           "src/main.cpp",
                           "package.json",
                           ".git/index",
                           ".git/HEAD",
                           ".git/objects/ab/cdef",
                           ".git/refs/heads/config",
                           ".git/refs/heads/hooks",
                           ".git/logs/HEAD",
                           ".git/refs/remotes/origin/HEAD",
                           ".git/COMMIT_EDITMSG",
                           ".git/modules/a/index",
                           ".git/modules/a/HEAD",
                           ".gitignore",
                           ".gitattributes",
                           "hooks/x",
                           "config",
                           ".github/CODEOWNERS",
                           ".cargo/registry",
                           "README.md",
                           "agents.py",
                           "src/.gitkeep",
                           ""}) {
    EXPECT_FALSE(is_protected(path)) << path;
  }
  EXPECT_FALSE(is_protected(".git", Kind::directory));
  EXPECT_FALSE(is_protected(".github", Kind::directory));
  EXPECT_FALSE(is_protected(".git/modules/a", Kind::directory));
}

TEST(Protected, a_link_that_leads_where_such_a_file_is_looked_for) {
  EXPECT_TRUE(is_protected(".git", Kind::symlink));
  EXPECT_TRUE(is_protected(".git", Kind::file)) << "it names another folder to git";
  EXPECT_TRUE(is_protected(".cargo", Kind::symlink));
  EXPECT_TRUE(is_protected(".github", Kind::symlink));
  EXPECT_TRUE(is_protected(".git/modules/a", Kind::symlink));
  EXPECT_FALSE(is_protected("other", Kind::symlink));
}

TEST(Protected, the_sign_of_a_repository_outside_git) {
  EXPECT_TRUE(is_protected("tool/HEAD"));
  EXPECT_TRUE(is_protected("HEAD"));
  EXPECT_FALSE(is_protected("HEAD.md"));
}

TEST(Protected, has_a_reason_for_people) {
  EXPECT_EQ(protection_of(".envrc", Kind::file), "it sets the environment of who enters the folder");
}

TEST(Links, that_lead_out_of_the_workspace) {
  for (const auto* target : {"/etc/passwd", "/", "..", "../x", "a/../../x"})
    EXPECT_TRUE(leads_out("link", target)) << target;
  for (const auto* target : {"a", "./a", "a/../b", ".", "..a"}) EXPECT_FALSE(leads_out("link", target)) << target;
  EXPECT_FALSE(leads_out("a/b/link", "../../x"));
  EXPECT_TRUE(leads_out("a/b/link", "../../../x"));
}

}  // namespace
}  // namespace agentos::workspace
