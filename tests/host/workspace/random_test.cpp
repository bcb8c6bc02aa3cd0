// Random operations in an overlay, beside the same ones in a plain copy: what is committed is what the copy is.
#include <sys/wait.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <csignal>
#include <cstdlib>
#include <random>

#include <gmock/gmock.h>

#include "harness.hpp"

namespace agentos::test {
namespace {

constexpr unsigned seeds = 6;  // what fits into a minute

// How many seeds, and the first: AGENTOS_TEST_SEEDS=200 AGENTOS_TEST_FIRST_SEED=1.
unsigned setting(const char* name, unsigned otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : static_cast<unsigned>(std::strtoul(text, nullptr, 10));
}

// The tree without the times (" @...") or without which names are one file (" is ..."), at the end of its lines.
std::string without(const char* what, const std::string& tree) {
  std::string result;
  for (std::size_t at = 0; at < tree.size();) {
    const auto end = tree.find('\n', at);
    auto line = tree.substr(at, end - at);
    const auto times = line.rfind(" @");
    const auto from = std::min(line.rfind(what), line.size());
    result += line.substr(0, from) + (from < times ? line.substr(std::min(times, line.size())) : "") + "\n";
    at = end + 1;
  }
  return result;
}

std::string first_difference(const std::string& a, const std::string& b) {
  const auto at = std::ranges::mismatch(a, b).in1 - a.begin();
  const auto line = at == 0 ? 0 : a.rfind('\n', static_cast<std::size_t>(at) - 1) + 1;
  return a.substr(line, a.find('\n', line) - line) + "\n" + b.substr(line, b.find('\n', line) - line);
}

class RandomOperations : public LayerTest {
 protected:
  struct Seen {
    std::string log, tree;
  };
  static Seen part(const std::string& output) {
    const auto at = output.rfind("\n--\n");
    if (at == std::string::npos) {
      ADD_FAILURE() << output;
      return {};
    }
    return {output.substr(0, at), output.substr(at + 4)};
  }

  // What the agent left, as it saw it; and what the same operations left of a copy of the workspace.
  struct Trees {
    std::string inside, direct;
  };
  Trees act(unsigned seed) {
    const auto number = std::to_string(seed);
    outside("mkdir -p made copy lower; cd made; exec >/dev/null; " AGENT " operations " + number + " 1500 folder",
            folder_);
    // Links between files of the workspace are not kept by any overlay.
    outside("cp -a --no-preserve=links made/. lower; cp -a lower/. copy", folder_);
    start();
    const auto inside = part(agent_inside({"operations", number + "7", "10000", "overlay"}));
    const auto direct = part(agent_outside({"operations", number + "7", "10000", "folder"}, folder_ + "/copy"));
    EXPECT_TRUE(inside.log == direct.log) << "the operations came to something else, seed " << seed << "\n"
                                          << first_difference(inside.log, direct.log);
    // An overlay may give the names of one file different inode numbers.
    EXPECT_EQ(without(" is ", without(" @", inside.tree)), without(" is ", without(" @", direct.tree))) << seed;
    return {inside.tree, direct.tree};
  }

  void expect_committed(const Trees& trees, unsigned seed) {
    const auto committed = agent_outside({"tree"}, lower());
    EXPECT_EQ(without(" is ", committed), without(" is ", trees.inside)) << "seed " << seed;
    EXPECT_EQ(without(" @", committed), without(" @", trees.direct)) << "seed " << seed;
    EXPECT_THAT(changed(), ::testing::IsEmpty()) << "seed " << seed;
    EXPECT_TRUE(fs_empty(upper())) << "seed " << seed;
  }

  void expect_all(const std::vector<workspace::Outcome>& outcomes) {
    for (const auto& outcome : outcomes) {
      EXPECT_EQ(outcome.verdict, workspace::Verdict::commit) << outcome.change.path;
      EXPECT_FALSE(outcome.failure) << outcome.change.path << ": " << outcome.failure->message();
    }
  }

  static bool fs_empty(const std::string& folder) { return std::filesystem::is_empty(folder); }

  void again() {
    TearDown();
    SetUp();
  }
};

TEST_F(RandomOperations, are_committed_as_they_are_made) {
  const auto first = setting("AGENTOS_TEST_FIRST_SEED", 1);
  for (unsigned seed = first; seed < first + setting("AGENTOS_TEST_SEEDS", seeds) && !HasFailure(); ++seed) {
    const auto trees = act(seed);
    expect_all(commit());
    expect_committed(trees, seed);
    again();
  }
}

// The process that commits is killed again and again, until one comes to its end.
TEST_F(RandomOperations, are_committed_through_crashes) {
  const auto first = setting("AGENTOS_TEST_FIRST_SEED", 1);
  std::size_t crashes = 0;
  for (unsigned seed = first; seed < first + setting("AGENTOS_TEST_SEEDS", seeds) && !HasFailure(); ++seed) {
    const auto trees = act(seed);
    std::mt19937 random(seed);
    double longest_us = 5000;  // grows until a commit fits into it
    for (bool done = false; !done;) {
      const pid_t child = ::fork();
      if (child == 0) {
        if (::setgid(caller) != 0 || ::setuid(caller) != 0) ::_exit(3);
        const auto outcomes = workspace::commit(layer(), {});
        bool all = outcomes.has_value();
        for (const auto& outcome : outcomes.value_or(std::vector<workspace::Outcome>()))
          all = all && outcome.verdict == workspace::Verdict::commit && !outcome.failure;
        ::_exit(all ? 0 : 1);
      }
      // The moment is random; that it is one, and not an event, is the point.
      const auto end = std::chrono::steady_clock::now() + std::chrono::microseconds(random() % std::lround(longest_us));
      longest_us *= 1.3;
      int status = 0;
      pid_t ended = 0;
      while ((ended = ::waitpid(child, &status, WNOHANG)) == 0 && std::chrono::steady_clock::now() < end)
        ::sched_yield();
      if (ended == 0) {
        ::kill(child, SIGKILL);
        ::waitpid(child, &status, 0);
      }
      done = WIFEXITED(status);
      if (!done) ++crashes;
      ASSERT_TRUE(!done || WEXITSTATUS(status) == 0) << "seed " << seed;
    }
    expect_committed(trees, seed);
    again();
  }
  EXPECT_GT(crashes, 0U);
  RecordProperty("crashes", static_cast<int>(crashes));
}

}  // namespace
}  // namespace agentos::test
