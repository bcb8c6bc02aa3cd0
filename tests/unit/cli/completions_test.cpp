#include "cli/completions.hpp"

#include <array>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/client/scripted_server.hpp"

namespace agentos::cli {
namespace {

using ::testing::IsSupersetOf;
using ::testing::UnorderedElementsAre;

std::string read(const std::filesystem::path& path) {
  std::stringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

void hold(const char* file, const std::string& made) {
  const auto path = std::filesystem::path(AGENTOS_COMPLETIONS) / file;
  if (std::getenv("AGENTOS_UPDATE_GOLDEN") != nullptr) std::ofstream(path) << made;
  EXPECT_TRUE(read(path) == made) << path << " is out of date: run with AGENTOS_UPDATE_GOLDEN=1";
}

TEST(Completions, FilesAreWhatTheOptionTablesSay) {
  hold("agentos.bash", bash_completion());
  hold("_agentos", zsh_completion());
  hold("agentos.fish", fish_completion());
}

bool has(const char* program) {
  return std::system(("command -v " + std::string(program) + " >/dev/null").c_str()) == 0;
}

// Real shells, and a stand-in for agentos that lists agents.
class Shells : public ::testing::Test {
 protected:
  Shells() {
    const auto program = folder_.path() / "agentos";
    std::ofstream(program) << "#!/bin/sh\n"
                              "case \"$*\" in\n"
                              "  'ps -q --names') echo builder; echo tester ;;\n"
                              "  'ps -q --names -a') echo builder; echo tester; echo old ;;\n"
                              "esac\n";
    std::filesystem::permissions(program, std::filesystem::perms::owner_all);
  }
  std::set<std::string> run(const std::string& shell, const std::string& script) {
    std::ofstream(folder_.path() / "script") << script;
    const auto line = "cd " + folder_.path().string() + " && HOME=" + folder_.path().string() +
                      " PATH=" + folder_.path().string() + ":$PATH " + shell + " script 2>&1";
    std::set<std::string> lines;
    FILE* pipe = ::popen(line.c_str(), "r");
    std::array<char, 4096> buffer{};
    std::string text;
    while (std::fgets(buffer.data(), buffer.size(), pipe) != nullptr) text += buffer.data();
    ::pclose(pipe);
    std::istringstream stream(text);
    for (std::string one; std::getline(stream, one);) {
      if (!one.empty()) lines.insert(one);
    }
    return lines;
  }
  // Words as readline parts them; the last is the one to complete.
  std::set<std::string> bash(const std::vector<std::string>& words) {
    std::string array;
    for (const auto& word : words) array += " '" + word + "'";
    return run("bash --norc",
               "set -u\nsource '" AGENTOS_COMPLETIONS "/agentos.bash'\nCOMP_WORDS=(" + array +
                   ")\nCOMP_CWORD=$((${#COMP_WORDS[@]} - 1))\n_agentos\nprintf '%s\\n' \"${COMPREPLY[@]}\"\n");
  }
  std::set<std::string> fish(const std::string& line) {
    auto lines = run("fish --no-config", "source '" AGENTOS_COMPLETIONS "/agentos.fish'\ncomplete -C '" + line +
                                             "' | string split -f1 \\t\n");
    return lines;
  }
  testing::TemporaryFolder folder_;
};

TEST_F(Shells, Bash) {
  EXPECT_THAT(bash({"agentos", ""}), IsSupersetOf({"run", "ps", "doctor", "--version"}));
  EXPECT_THAT(bash({"agentos", "p"}), UnorderedElementsAre("ps", "pause", "prune", "policy"));
  EXPECT_THAT(bash({"agentos", "policy", "re"}), UnorderedElementsAre("reload"));
  EXPECT_THAT(bash({"agentos", "--socket", "/x", "res"}), UnorderedElementsAre("resume"));
  EXPECT_THAT(bash({"agentos", "ps", "--st"}), UnorderedElementsAre("--status"));
  EXPECT_THAT(bash({"agentos", "ps", "--status", "fa"}), UnorderedElementsAre("failed"));
  EXPECT_THAT(bash({"agentos", "ps", "--status", "=", "fa"}), UnorderedElementsAre("failed"));
  EXPECT_THAT(bash({"agentos", "pause", ""}), UnorderedElementsAre("builder", "tester"));
  EXPECT_THAT(bash({"agentos", "pause", "builder", "te"}), UnorderedElementsAre("tester"));
  EXPECT_THAT(bash({"agentos", "logs", "o"}), UnorderedElementsAre("old"));
  EXPECT_THAT(bash({"agentos", "commit", "o"}), UnorderedElementsAre("old"));
  EXPECT_THAT(bash({"agentos", "commit", "old", "scr"}), UnorderedElementsAre("script"));
  EXPECT_THAT(bash({"agentos", "exec", "-t", "bu"}), UnorderedElementsAre("builder"));
  EXPECT_THAT(bash({"agentos", "exec", "builder", "prin"}), IsSupersetOf({"printf"}));
  EXPECT_THAT(bash({"agentos", "run", "-e", "HOM"}), IsSupersetOf({"HOME"}));
  EXPECT_THAT(bash({"agentos", "run", "-e", "A", "=", "1", "--memory", "1G", "prin"}), IsSupersetOf({"printf"}));
  std::filesystem::create_directory(folder_.path() / "project");
  EXPECT_THAT(bash({"agentos", "run", "-w", "pro"}), UnorderedElementsAre("project"));
  EXPECT_THAT(bash({"agentos", "run", "cat", "scr"}), UnorderedElementsAre("script"));  // that is cat's command line
  EXPECT_THAT(bash({"agentos", "run", "cat", "--mem"}), UnorderedElementsAre());
}

TEST_F(Shells, Fish) {
  if (!has("fish")) GTEST_SKIP() << "fish is not installed";
  EXPECT_THAT(fish("agentos "), IsSupersetOf({"run", "ps", "doctor"}));
  EXPECT_THAT(fish("agentos p"), UnorderedElementsAre("ps", "pause", "prune", "policy"));
  EXPECT_THAT(fish("agentos policy re"), UnorderedElementsAre("reload"));
  EXPECT_THAT(fish("agentos --socket /x res"), UnorderedElementsAre("resume"));
  EXPECT_THAT(fish("agentos ps --st"), UnorderedElementsAre("--status"));
  EXPECT_THAT(fish("agentos ps --status fa"), UnorderedElementsAre("failed"));
  EXPECT_THAT(fish("agentos pause "), UnorderedElementsAre("builder", "tester"));
  EXPECT_THAT(fish("agentos logs o"), UnorderedElementsAre("old"));
  EXPECT_THAT(fish("agentos diff "), IsSupersetOf({"builder", "tester"}));
  EXPECT_THAT(fish("agentos diff builder scr"), IsSupersetOf({"script"}));
  EXPECT_THAT(fish("agentos run -"), IsSupersetOf({"--memory", "-d", "--workspace"}));
}

TEST_F(Shells, Zsh) {
  if (!has("zsh")) GTEST_SKIP() << "zsh is not installed";
  // What the script tells zsh's completion system, which needs a terminal to be seen at work.
  const auto told = [&](const std::string& command) {
    return run("zsh -f", "_arguments() { if [[ $1 == -C ]]; then state=arguments; line=(" + command +
                             "); else print -rl -- \"$@\"; fi }\n" +
                             "compadd() { print -rl -- $agents }\nsource '" AGENTOS_COMPLETIONS
                             "/_agentos'\n_agentos_agents_all\n");
  };
  EXPECT_EQ(run("zsh -f -n", read(std::filesystem::path(AGENTOS_COMPLETIONS) / "_agentos")), std::set<std::string>());
  EXPECT_THAT(
      told("run"),
      IsSupersetOf(
          {"--memory[Most memory, for example 2GiB; past it the kernel kills the agent]:SIZE:",
           "(-w --workspace)-w[Folder it works in, at the same path inside (default\\: the current one); DIR\\:overlay "
           "(default\\: what it writes waits to be committed), DIR\\:bind (it writes to the folder), DIR\\:ro, "
           "DIR\\:empty]:DIR:_files -/",
           "(-)1:program:_command_names -e"}));
  EXPECT_THAT(told("diff"), IsSupersetOf({"1:agent:_agentos_agents_all", "*:path:_files"}));
  EXPECT_THAT(told("pause"), IsSupersetOf({"*:agent:_agentos_agents", "builder", "tester", "old"}));
}

}  // namespace
}  // namespace agentos::cli
