#include "policy/parse.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace agentos::policy {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::string errors(std::string_view yaml, Kind kind = Kind::policy) {
  const auto parsed = parse(yaml, "p.yaml", kind);
  return parsed ? "accepted" : text(parsed.error(), "p.yaml");
}

std::string with(std::string_view rest) {
  return "version: 1\n" + std::string(rest);
}

template <class T>
std::vector<T> values(const std::vector<Stated<T>>& list) {
  std::vector<T> all;
  for (const auto& entry : list) all.push_back(entry.value);
  return all;
}

constexpr std::string_view whole = R"(# everything
version: 1
level: container
filesystem:
  read_only: [./Makefile, ./docs]
  hidden: [/usr/bin/gdb, ./.env, /etc/ssl/openssl.cnf]
  workspace: overlay
process:
  user: agent
  seccomp: strict
  limits: {nofile: 1024, nproc: 100, fsize: 1GiB, memlock: 64KiB, stack: 8MiB, as: 4GiB, core: 0}
resources:
  cpu: 150%
  memory: 512MiB
  memory_high: 400MiB
  io: {weight: 50}
  pids: 200
  on_missing: warn
environment:
  pass: [LANG, "LC_*"]
  set:
    EDITOR: vi
    EMPTY: ""
scheduling:
  weight: 200
limits:
  wall: 2h
  idle: 20m
)";

TEST(PolicyParse, ReadsEverySetting) {
  const auto parsed = parse(whole, "p.yaml");
  ASSERT_TRUE(parsed) << text(parsed.error(), "p.yaml");
  EXPECT_EQ(parsed->level->value, Level::container);
  EXPECT_THAT(values(parsed->read_only), ElementsAre("./Makefile", "./docs"));
  EXPECT_THAT(values(parsed->hidden), ElementsAre("./.env", "/etc/ssl/openssl.cnf", "/usr/bin/gdb"));
  EXPECT_EQ(parsed->workspace->value, WorkspaceMode::overlay);
  EXPECT_EQ(parsed->seccomp->value, Seccomp::strict);
  EXPECT_EQ(parsed->rlimits[0]->value.count, 1024U);
  EXPECT_EQ(parsed->rlimits[5]->value.count, 4ULL << 30U);
  EXPECT_EQ(parsed->rlimits[6]->value.count, 0U);
  EXPECT_EQ(parsed->cpu->value.percent, 150U);
  EXPECT_EQ(parsed->memory->value.count, 512ULL << 20U);
  EXPECT_EQ(parsed->memory_high->value.count, 400ULL << 20U);
  EXPECT_EQ(parsed->io->value.weight, 50U);
  EXPECT_EQ(parsed->pids->value.count, 200U);
  EXPECT_EQ(parsed->on_missing->value, OnMissing::warn);
  EXPECT_THAT(values(*parsed->pass), ElementsAre("LANG", "LC_*"));
  EXPECT_THAT(values(parsed->set), ElementsAre(Variable{"EDITOR", "vi"}, Variable{"EMPTY", ""}));
  EXPECT_EQ(parsed->weight->value.weight, 200U);
  EXPECT_EQ(parsed->wall->value, std::chrono::hours(2));
  EXPECT_EQ(parsed->idle->value, std::chrono::minutes(20));
}

TEST(PolicyParse, AWorkspaceIsAWordOrAMap) {
  const auto quota = parse(with("filesystem: {workspace: {mode: overlay, quota: {bytes: 1GiB, inodes: 1000}}}\n"), "p");
  ASSERT_TRUE(quota) << text(quota.error(), "p");
  EXPECT_EQ(quota->workspace->value, WorkspaceMode::overlay);
  EXPECT_EQ(quota->layer_bytes->value.count, 1ULL << 30U);
  EXPECT_EQ(quota->layer_inodes->value.count, 1000U);
  EXPECT_EQ(quota->layer_inodes->origin.text(), "p:2:70");
  const auto only = parse(with("filesystem: {workspace: {quota: {bytes: 2MiB}}}\n"), "p");
  ASSERT_TRUE(only);
  EXPECT_FALSE(only->workspace || only->layer_inodes);
  EXPECT_THAT(errors(with("filesystem: {workspace: {quota: {byte: 2MiB}}}\n")), HasSubstr("did you mean 'bytes'?"));
  EXPECT_THAT(errors(with("filesystem: {workspace: [overlay]}\n")), HasSubstr("must be a map"));
  EXPECT_THAT(errors(with("filesystem: {workspace: {mode: overly}}\n")), HasSubstr("did you mean 'overlay'?"));
}

TEST(PolicyParse, KnowsWhereEachValueStands) {
  const auto parsed = parse(whole, "p.yaml");
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->memory->origin.text(), "p.yaml:14:11");
  EXPECT_EQ(parsed->hidden[2].origin.text(), "p.yaml:6:12");  // /usr/bin/gdb
  EXPECT_EQ(parsed->set[0].origin.text(), "p.yaml:22:5");
  EXPECT_EQ(parsed->rlimits[1]->origin.text(), "p.yaml:11:33");
}

TEST(PolicyParse, WhatIsNotSaidIsNotSet) {
  const auto parsed = parse("version: 1\n", "p.yaml");
  ASSERT_TRUE(parsed);
  EXPECT_EQ(*parsed, Policy{});
}

TEST(PolicyParse, SaysAllErrorsAtOnce) {
  EXPECT_EQ(errors("version: 3\nresources:\n  memroy: 2GiB\n  cpu: lots\nnetwork: {}\nlimits: {wall: 0s}\n"),
            "p.yaml:1:10: the version is not one that this program reads (write 'version: 1')\n"
            "p.yaml:3:3: unknown key 'memroy' (did you mean 'memory'?)\n"
            "p.yaml:4:8: 'lots' is not an amount of CPU (write CPUs or percent of one CPU, for example 1.5 or 150%)\n"
            "p.yaml:5:1: 'network' is not yet known to this version (remove it: what it says would not be enforced)\n"
            "p.yaml:6:16: '0s' is less than 1s");
}

TEST(PolicyParse, ReservesTheSectionsOfLaterVersions) {
  for (const auto section : reserved_sections()) {
    EXPECT_THAT(errors(with(std::string(section) + ": {}\n")), HasSubstr("not yet known to this version")) << section;
  }
  EXPECT_THAT(errors(with("colour: red\n")), HasSubstr("unknown key 'colour' (known here: version, level"));
}

TEST(PolicyParse, OnlyATenantSaysWhichPoliciesMayBeUsed) {
  EXPECT_THAT(errors(with("policies: [default]\n")), HasSubstr("belongs into the file of a tenant"));
  const auto tenant = parse(with("policies: [default, build]\n"), "t.yaml", Kind::tenant);
  ASSERT_TRUE(tenant);
  EXPECT_THAT(values(*tenant->policies), ElementsAre("build", "default"));
}

TEST(PolicyParse, RefusesPathsThatItCannotKeep) {
  const auto hidden = [](std::string_view path) {
    return errors(with("filesystem: {hidden: ['" + std::string(path) + "']}\n"));
  };
  for (const char* good :
       {"./a", "./.git/hooks", "/usr/bin/gdb", "/etc/ssl/certs", "./a b", "./ä", "/home/alice", "~/x"})
    EXPECT_EQ(hidden(good), "accepted") << good;
  for (const char* bad : {"a",    "1",        "true",          ".",    "./",      "..",
                          "../x", "./a/../b", "./a//b",        "./a/", "/usr",    "/etc",
                          "/",    "/run/x",   "/proc/cpuinfo", "~x",   "./*.pem", "/usr/../etc/shadow",
                          "",     "/dev",     "./a/./b"})
    EXPECT_THAT(hidden(bad), HasSubstr("p.yaml:2:23: ")) << bad;
  EXPECT_THAT(errors(with("filesystem: {hidden: [\"./a\\e[2J\"]}\n")), HasSubstr("control character"));
  EXPECT_THAT(errors(with("filesystem: {read_only: [/usr/bin]}\n")), HasSubstr("the same for all, and read-only"));
  EXPECT_THAT(errors(with("filesystem: {hidden: [./a, ./b, ./a]}\n")),
              HasSubstr("p.yaml:2:33: './a' stands twice (the first is in line 2)"));
}

TEST(PolicyParse, RefusesVariablesThatCannotBe) {
  const auto pass = [](std::string_view name) {
    return errors(with("environment: {pass: ['" + std::string(name) + "']}\n"));
  };
  for (const char* good : {"A", "_a1", "LC_*", "*"}) EXPECT_EQ(pass(good), "accepted") << good;
  for (const char* bad : {"", "1A", "A B", "A=B", "A**", "*A", "A-B"}) EXPECT_NE(pass(bad), "accepted") << bad;
  EXPECT_THAT(errors(with("environment: {set: {AGENTOS_TENANT: x}}\n")), HasSubstr("set by agentos itself"));
  EXPECT_THAT(errors(with("environment: {set: {A: \"x\\0y\"}}\n")), HasSubstr("zero byte"));
  EXPECT_THAT(errors(with("environment: {set: {A: [x]}}\n")), HasSubstr("one word or text"));
}

TEST(PolicyParse, RefusesWhatYamlHasTooMuchOf) {
  EXPECT_THAT(errors(with("level: &a container\n")), HasSubstr("p.yaml:2:8: anchor '&a' is not allowed"));
  EXPECT_THAT(errors(with("level: *a\n")), HasSubstr("p.yaml:2:8"));
  EXPECT_THAT(errors(with("level: !!str container\n")), HasSubstr("is not allowed (remove it)"));
  EXPECT_THAT(errors(with("level: container\nlevel: container\n")), HasSubstr("'level' stands twice"));
  EXPECT_THAT(errors(with("---\nversion: 1\n")), HasSubstr("a second document"));
  EXPECT_THAT(errors(with("level: [\n")), HasSubstr("cannot be read as YAML"));
}

// Every limit somebody can push against, at its number.
TEST(PolicyParse, HoldsItsLimits) {
  const std::string good(whole);
  EXPECT_EQ(errors(good + std::string(file_bytes_max - good.size(), '\n')), "accepted");
  EXPECT_EQ(errors(good + std::string(file_bytes_max - good.size() + 1, '\n')), "p.yaml:1:1: longer than 65536 bytes");
  const auto list = [](std::size_t count) {
    std::string names = "filesystem:\n  hidden:\n";
    for (std::size_t at = 0; at < count; ++at) names += "    - ./f" + std::to_string(at) + "\n";
    return errors(with(names));
  };
  EXPECT_EQ(list(entries_max), "accepted");
  EXPECT_THAT(list(entries_max + 1), HasSubstr("more than 128 entries"));
  const auto set = [](std::size_t count) {
    std::string names = "environment:\n  set:\n";
    for (std::size_t at = 0; at < count; ++at) names += "    V" + std::to_string(at) + ": x\n";
    return errors(with(names));
  };
  EXPECT_EQ(set(entries_max), "accepted");
  EXPECT_THAT(set(entries_max + 1), HasSubstr("more than 128 entries"));
  const auto value = [](std::size_t size) {
    return errors(with("environment: {set: {A: " + std::string(size, 'x') + "}}\n"));
  };
  EXPECT_EQ(value(value_bytes_max), "accepted");
  EXPECT_THAT(value(value_bytes_max + 1), HasSubstr("longer than 4096 bytes"));
  const auto path = [](const std::string& name) { return errors(with("filesystem: {hidden: [" + name + "]}\n")); };
  const std::string long_name = std::string(255, 'x');
  EXPECT_EQ(path("./" + long_name + "/" + long_name.substr(1)), "accepted");  // 512 bytes
  EXPECT_THAT(path("./" + long_name + "/" + long_name), HasSubstr("longer than 512"));
  EXPECT_THAT(path("./" + long_name + "x"), HasSubstr("longer than 255"));
  std::string deep = "./a";
  for (int at = 1; at < 16; ++at) deep += "/a";
  EXPECT_EQ(path(deep), "accepted");
  EXPECT_THAT(path(deep + "/a"), HasSubstr("more than 16 names"));
  EXPECT_THAT(errors("version: 1\nresources: " + std::string(31, '[') + std::string(31, ']')),
              testing::Not(HasSubstr("deeper")));
  EXPECT_THAT(errors("version: 1\nresources: " + std::string(32, '[') + std::string(32, ']')),
              HasSubstr("deeper than 32"));
}

TEST(PolicyParse, HoldsTheBoundsOfNumbers) {
  struct Bound {
    const char* text;
    const char* least;
    const char* below;
    const char* most;
    const char* above;
  };
  for (const auto& [text, least, below, most, above] :
       {Bound{"scheduling: {weight: %}", "1", "0", "10000", "10001"},
        Bound{"resources: {io: {weight: %}}", "1", "0", "10000", "4294967297"},
        Bound{"resources: {pids: %}", "2", "1", "4194304", "4194305"},
        Bound{"resources: {memory: %}", "8MiB", "8388607", "1048576TiB", "1048577TiB"},
        Bound{"filesystem: {workspace: {quota: {bytes: %}}}", "1MiB", "1048575", "1048576TiB", "1048577TiB"},
        Bound{"filesystem: {workspace: {quota: {inodes: %}}}", "16", "15", "1099511627776", "1099511627777"},
        Bound{"resources: {cpu: %}", "1%", "0.5%", "10000", "10001"},
        Bound{"process: {limits: {nofile: %}}", "16", "15", "65536", "65537"},
        Bound{"limits: {wall: %}", "1s", "999ms", "365d", "366d"}}) {
    const std::string form(text);
    const auto at = [&](const char* number) {
      return errors(with(form.substr(0, form.find('%')) + number + form.substr(form.find('%') + 1) + "\n"));
    };
    EXPECT_EQ(at(least), "accepted") << text;
    EXPECT_EQ(at(most), "accepted") << text;
    EXPECT_NE(at(below), "accepted") << text;
    EXPECT_NE(at(above), "accepted") << text;
  }
  EXPECT_THAT(errors(with("resources: {memory: 1GiB, memory_high: 2GiB}\n")),
              HasSubstr("p.yaml:2:40: memory_high is more than memory"));
}

TEST(PolicyParse, TakesNoCoreDumps) {
  EXPECT_EQ(errors(with("process: {limits: {core: 0}}\n")), "accepted");
  EXPECT_THAT(errors(with("process: {limits: {core: 1MiB}}\n")),
              HasSubstr("p.yaml:2:26: '1MiB' is more than 0, and agents leave no core dumps"));
}

TEST(PolicyParse, CountsErrorsBeyondAHundred) {
  std::string many = "version: 1\n";
  for (int at = 0; at < 150; ++at) many += "k" + std::to_string(at) + ": 1\n";
  const auto parsed = parse(many, "p.yaml");
  ASSERT_FALSE(parsed);
  EXPECT_EQ(parsed.error().size(), diagnostics_max + 1);
  EXPECT_EQ(parsed.error().back().what, "and 50 more errors");
}

TEST(PolicyParse, HostileTextIsNeutralInMessages) {
  EXPECT_THAT(errors(with("\"\\e[2J\": 1\n")), HasSubstr("unknown key '\\x1b[2J'"));
  EXPECT_THAT(errors(with("level: \"\\e[2J\"\n")), HasSubstr("'\\x1b[2J' is not known here"));
  EXPECT_THAT(errors(with("resources: {memory: \"\\e[2J\"}\n")), HasSubstr("'\\x1b[2J' is not a size"));
}

TEST(PolicyParse, TakesUtf8Only) {
  EXPECT_EQ(errors(with("filesystem: {hidden: [./\xc3\xa4]}\n")), "accepted");
  EXPECT_EQ(errors(with("filesystem:\n  hidden: [./\xe4]\n")),
            "p.yaml:3:14: a byte that is not UTF-8 (save the file as UTF-8)");
  EXPECT_THAT(errors(with("filesystem: {read_only: [\"/lib\\u202Ex/y\"]}\n")), HasSubstr("'/lib\\u{202e}x/y' belongs"));
}

TEST(PolicyText, ReadsBackAsItWasWritten) {
  EXPECT_EQ(text(Bytes{512ULL << 20U}), "512MiB");
  EXPECT_EQ(text(Bytes{1000}), "1000");
  EXPECT_EQ(text(Bytes{0}), "0");
  EXPECT_EQ(text(std::chrono::milliseconds(5'400'500)), "1h30m500ms");
  EXPECT_EQ(text(Percent{150}), "150%");
  EXPECT_THAT(values(std::vector<Stated<std::string>>{}), IsEmpty());
}

}  // namespace
}  // namespace agentos::policy
