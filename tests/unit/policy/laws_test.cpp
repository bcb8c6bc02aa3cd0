#include <algorithm>
#include <array>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agentos/model/places.hpp"
#include "policy/compose.hpp"
#include "policy/encode.hpp"
#include "policy/explain.hpp"
#include "policy/grants.hpp"
#include "policy/parse.hpp"

// The laws of composition, on policies made at random from fixed seeds.
namespace agentos::policy {
namespace {

class Random {
 public:
  explicit Random(unsigned seed) : engine_(seed) {}
  unsigned below(unsigned end) { return static_cast<unsigned>(engine_() % end); }
  bool often() { return below(3) != 0; }

 private:
  std::mt19937 engine_;
};

// The text of a policy, so that the parser and its places are part of what is tested.
std::string some_yaml(Random& random, bool may_warn = true) {
  std::string yaml = "version: 1\n";
  const auto number = [&](unsigned least, unsigned most) { return std::to_string(least + random.below(most - least)); };
  const auto list = [&](std::vector<std::string> all) {
    std::string entries;
    for (const auto& entry : all) {
      if (random.below(2) == 0) entries += (entries.empty() ? "'" : ", '") + entry + "'";
    }
    return "[" + entries + "]";
  };
  if (random.often()) {
    yaml += "filesystem:\n  hidden: " + list({"./a", "./b/c", "/usr/bin/gdb", "/etc/ssl/certs"}) + "\n";
    if (random.often()) yaml += "  read_only: " + list({"./x", "./y/z", "./a"}) + "\n";
    const auto mode = std::string(name(all_workspace_modes[random.below(4)]));
    if (random.often()) {
      yaml += "  workspace: " + mode + "\n";
    } else if (random.below(2) == 0) {
      yaml += "  workspace: {mode: " + mode + ", quota: {bytes: " + number(1, 9) + "MiB, inodes: " + number(16, 99) +
              "}}\n";
    }
  }
  // In place of the lists above, so that those of a whole are not always empty.
  if (random.below(3) == 0) {
    yaml = "version: 1\nfilesystem:\n  hidden: " + list({"/g/a", "/g/a/b/c", "~/h", "./a"}) +
           "\n  read_only: " + list({"./x", "/g", "/g/a/b", "~/h?", "/g/c?"}) +
           "\n  read_write: " + list({"/g/a", "/g/w", "/f", "~/h/i", "/g/a/b/c"}) + "\n";
  }
  if (random.often()) {
    yaml += "process:\n  seccomp: " + std::string(random.below(2) == 0 ? "strict" : "agent") +
            "\n  limits: {nofile: " + number(16, 5000) + "}\n";
  }
  if (random.often()) {
    yaml += "resources:\n";
    yaml += "  memory: " + number(100, 120) + "MiB\n";
    if (random.often()) yaml += "  memory_high: " + number(80, 100) + "MiB\n";
    if (random.often()) yaml += "  cpu: " + number(1, 400) + "%\n";
    if (random.often()) yaml += "  pids: " + number(2, 300) + "\n";
    if (may_warn && random.often())
      yaml += "  on_missing: " + std::string(random.below(2) == 0 ? "warn" : "refuse") + "\n";
  }
  if (random.often()) {
    yaml += "environment:\n  pass: " + list({"A", "AB", "A*", "AB*", "*", "B", "C"}) + "\n";
    if (random.below(3) == 0) yaml += "  set: {A: same}\n";
  }
  if (random.often())
    yaml += "scheduling: {weight: " + number(1, 10000) + "}\nlimits: {wall: " + number(1, 900) + "s}\n";
  return yaml;
}

Policy some_policy(Random& random, const std::string& file, bool may_warn = true) {
  const auto yaml = some_yaml(random, may_warn);
  const auto parsed = parse(yaml, file, file == "tenant" ? Kind::tenant : Kind::policy);
  EXPECT_TRUE(parsed) << yaml << text(parsed.error(), file);
  return parsed.value_or(Policy());
}

// 0: nothing, 1: read, 2: write
int access_of(const Policy& policy, std::string_view path, bool of_user = false) {
  const auto covers_it = [&](const auto& hidden) { return is_within(path, hidden.value); };
  if (std::ranges::any_of(policy.hidden, covers_it)) return 0;
  if (!policy.grants) return policy.of_tenant || of_user ? 2 : 0;
  const auto* grant = grant_of(*policy.grants, path);
  return grant == nullptr ? 0 : grant->value.access == Access::write ? 2 : 1;
}

constexpr std::array places{"/g",   "/g/x", "/g/a", "/g/a/x", "/g/a/b", "/g/a/b/c", "/g/a/b/c/x", "/g/c",
                            "/g/w", "/f/x", "/",    "~/h",    "~/h/i",  "~/h/x",    "~",          "/gg"};

// Whether `less` allows nothing that `more` does not. Empty: so it is; else the key that differs.
std::string exceeds(const Policy& less, const Policy& more, bool of_user = false) {
  std::string where;
  each_setting([&](std::string_view key, auto member) {
    const auto& small = member(less);
    const auto& large = member(more);
    if (large && (!small || small->value > large->value)) where = key;
  });
  const auto has = [](const auto& list, const auto& value) {
    return std::ranges::any_of(list, [&](const auto& entry) { return entry.value == value; });
  };
  for (const auto& path : more.hidden) {
    if (!has(less.hidden, path.value)) where = "hidden " + path.value;
  }
  for (const auto& path : more.read_only) {
    if (!has(less.read_only, path.value)) where = "read_only " + path.value;
  }
  for (const char* path : places) {
    if (access_of(less, path) > access_of(more, path, of_user)) where = std::string("grant of ") + path;
  }
  for (const char* name : {"A", "AB", "ABC", "AX", "B", "C", "D", "X"}) {
    if (passes(less, name) && !passes(more, name)) where = std::string("pass ") + name;
  }
  for (const auto& name : passed_names(less)) {
    if (!passes(more, name)) where = "pass " + name;
  }
  return where;
}

constexpr unsigned seeds = 500;

TEST(CompositionLaws, SeveralCeilingsGrantOfEachPathTheLeastThatOneOfThemDoes) {
  int granted = 0;
  for (unsigned seed = 0; seed < seeds; ++seed) {
    Random random(seed);
    const std::vector<Policy> files{some_policy(random, "a"), some_policy(random, "tenant")};
    const auto all = compose(files);
    ASSERT_TRUE(all);
    for (const char* path : places) {
      const auto least = std::ranges::min(files, {}, [&](const auto& file) { return access_of(file, path); });
      EXPECT_EQ(access_of(*all, path), access_of(least, path)) << seed << " " << path;
      if (access_of(*all, path) > 0) ++granted;
    }
  }
  EXPECT_GT(granted, 100);
}

TEST(CompositionLaws, AUsersFileNeverAllowsMoreThanAdministratorAndTenant) {
  int accepted = 0;
  int refused = 0;
  for (unsigned seed = 0; seed < 2 * seeds; ++seed) {
    Random random(seed);
    const std::vector<Policy> ceilings{some_policy(random, "admin"), some_policy(random, "tenant")};
    const std::vector<Policy> wishes{some_policy(random, "user", false)};
    const auto result = compose(ceilings, wishes);
    ++(result ? accepted : refused);
    if (!result) continue;
    for (const auto& ceiling : ceilings) EXPECT_EQ(exceeds(*result, ceiling), "") << seed;
    EXPECT_EQ(exceeds(*result, wishes[0], true), "") << seed;  // and not more than it asked for itself
  }
  EXPECT_GT(accepted, 30);
  EXPECT_GT(refused, 100);
}

TEST(CompositionLaws, AnAcceptedWishIsWithinTheCeilingsAlone) {
  for (unsigned seed = 0; seed < seeds; ++seed) {
    Random random(seed);
    const std::vector<Policy> ceilings{some_policy(random, "admin"), some_policy(random, "tenant")};
    Policy wish = some_policy(random, "user", false);
    wish.workspace.reset();
    const auto alone = compose(ceilings);
    ASSERT_TRUE(alone) << seed;
    const auto result = compose(ceilings, std::vector<Policy>{wish});
    if (result) {
      EXPECT_EQ(exceeds(*result, *alone), "") << seed;
    }
  }
}

TEST(CompositionLaws, AddingADenyNeverAllowsMore) {
  for (unsigned seed = 0; seed < seeds; ++seed) {
    Random random(seed);
    const Policy admin = some_policy(random, "admin");
    const Policy tenant = some_policy(random, "tenant");
    const auto before = compose(std::vector<Policy>{admin, tenant});
    ASSERT_TRUE(before);
    const auto after = compose(std::vector<Policy>{admin, tenant, some_policy(random, "further", false)});
    ASSERT_TRUE(after);
    EXPECT_EQ(exceeds(*after, *before), "") << seed;
  }
}

TEST(CompositionLaws, TheOrderOfTheFilesDoesNotMatter) {
  for (unsigned seed = 0; seed < seeds; ++seed) {
    Random random(seed);
    std::vector<Policy> files{some_policy(random, "a"), some_policy(random, "b"), some_policy(random, "tenant")};
    const auto first = compose(files);
    ASSERT_TRUE(first);
    for (int turn = 0; turn < 5; ++turn) {
      std::ranges::next_permutation(files, [](const Policy& x, const Policy& y) { return encode(x) < encode(y); });
      const auto other = compose(files);
      ASSERT_TRUE(other);
      ASSERT_EQ(*other, *first) << seed;
    }
    files.push_back(files[0]);  // nor whether one stands there twice
    EXPECT_EQ(*compose(files), *first);
  }
}

TEST(CompositionLaws, EqualPoliciesAreExplainedAlikeAndEveryLineKnowsItsPlace) {
  for (unsigned seed = 0; seed < seeds; ++seed) {
    Random random(seed);
    Random same(seed);
    const std::vector<Policy> files{some_policy(random, "a"), some_policy(random, "b")};
    const std::vector<Policy> again{some_policy(same, "a"), some_policy(same, "b")};
    const auto explained = lines(*compose(files));
    EXPECT_EQ(explained, lines(*compose(again)));
    for (const auto& line : explained) {
      EXPECT_TRUE(line.origin.file == built_in || line.origin.line > 0 || line.value == "nothing") << line.key;
    }
    EXPECT_EQ(*decode(encode(*compose(files))), *compose(files));
  }
}

}  // namespace
}  // namespace agentos::policy
