#include <sys/stat.h>

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/command.hpp"
#include "cli/foreground.hpp"
#include "cli/limits.hpp"
#include "cli/workspace.hpp"
#include "unit/client/scripted_server.hpp"

namespace agentos::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

struct Parsed {
  bool flag{};
  std::string value;
  std::vector<std::string> list, rest;
};

Result<Parsed> parse_with_rest(const std::vector<std::string>& arguments) {
  Parsed parsed;
  Options options("test", "Test");
  options.flag("-f,--flag", parsed.flag, "A flag");
  options.value("-v,--value", "V", parsed.value, "A value");
  options.list("-e,--env", "E", parsed.list, "A list");
  options.rest("COMMAND", parsed.rest, "The rest");
  AGENTOS_TRY(options.parse(arguments));
  return parsed;
}

TEST(Options, TheFirstPositionalEndsThem) {
  const auto parsed = parse_with_rest({"-f", "-e", "A=1", "claude", "-f", "--value", "x", "--", "y"}).value();
  EXPECT_TRUE(parsed.flag);
  EXPECT_EQ(parsed.value, "");
  EXPECT_THAT(parsed.list, ElementsAre("A=1"));
  EXPECT_THAT(parsed.rest, ElementsAre("claude", "-f", "--value", "x", "--", "y"));
}

TEST(Options, TwoDashesEndThem) {
  EXPECT_THAT(parse_with_rest({"--", "--odd", "-f"}).value().rest, ElementsAre("--odd", "-f"));
  EXPECT_THAT(parse_with_rest({"-f", "--", "ls"}).value().rest, ElementsAre("ls"));
  EXPECT_TRUE(parse_with_rest({"-f", "--"}).value().rest.empty());
}

TEST(Options, EveryFormOfAValue) {
  for (const std::vector<std::string>& form :
       {std::vector<std::string>{"--value", "-x"}, {"--value=-x"}, {"-v", "-x"}, {"-v-x"}}) {
    auto arguments = form;
    arguments.push_back("ls");
    const auto parsed = parse_with_rest(arguments);
    ASSERT_TRUE(parsed) << parsed.error().message();
    EXPECT_EQ(parsed->value, "-x");
    EXPECT_THAT(parsed->rest, ElementsAre("ls"));
  }
  EXPECT_EQ(parse_with_rest({"--value=", "ls"}).value().value, "");
  EXPECT_EQ(parse_with_rest({"--value=a=b"}).value().value, "a=b");
  EXPECT_EQ(parse_with_rest({"--value", "1", "--value", "2"}).value().value, "2");
  EXPECT_THAT(parse_with_rest({"-eA=[1,2]", "-e", "B", "ls"}).value().list, ElementsAre("A=[1,2]", "B"));
}

TEST(Options, MistakesAreUsageErrors) {
  for (const std::vector<std::string>& form :
       {std::vector<std::string>{"--nope"}, {"-x"}, {"--value"}, {"--flagg", "ls"}}) {
    const auto parsed = parse_with_rest(form);
    ASSERT_FALSE(parsed);
    EXPECT_EQ(parsed.error().kind(), ErrorKind::invalid);
    EXPECT_EQ(parsed.error().hint(), "see agentos test --help");
  }
}

TEST(Options, EveryCommandHasHelpWithExamplesOfItself) {
  for (const auto& info : commands()) {
    const auto command = info.make();
    Options options(info.name, info.summary);
    Context context;
    declare(info, *command, context, options);
    EXPECT_THAT(options.help(), HasSubstr("agentos " + std::string(info.name)));
    if (options.entries().size() > 3) {
      EXPECT_THAT(options.help(), HasSubstr("Examples:\n  ")) << info.name;
    }
    EXPECT_THAT(options.help(), HasSubstr("--socket PATH"));
  }
}

TEST(Options, EveryCommandHasAManPageThatShowsThem) {
  for (const auto& info : commands()) {
    std::ifstream page(AGENTOS_MAN "/agentos-" + std::string(info.name) + ".1.scd");
    const std::string text((std::istreambuf_iterator<char>(page)), {});
    EXPECT_THAT(text, HasSubstr("\n@OPTIONS " + std::string(info.name) + "@\n")) << info.name;
  }
}

TEST(Environment, TakesValuesAndTheCallersOwn) {
  ::setenv("AGENTOS_TEST_SET", "mine", 1);
  ::unsetenv("AGENTOS_TEST_UNSET");
  const auto object = environment({"A=1", "B=", "C=x=y", "AGENTOS_TEST_SET", "AGENTOS_TEST_UNSET", "A=2"}).value();
  EXPECT_EQ(object.size(), 4U);
  EXPECT_EQ(object.at("A").as_string(), "2");
  EXPECT_EQ(object.at("B").as_string(), "");
  EXPECT_EQ(object.at("C").as_string(), "x=y");
  EXPECT_EQ(object.at("AGENTOS_TEST_SET").as_string(), "mine");
  EXPECT_FALSE(environment({"=x"}));
  EXPECT_FALSE(environment({""}));
}

Result<boost::json::object> limits(const std::vector<std::string>& arguments) {
  LimitOptions limits;
  Options options("run", "Run");
  limits.declare(options);
  AGENTOS_TRY(options.parse(arguments));
  return limits.json();
}

TEST(Limits, AreInTheUnitsOfTheApi) {
  const auto json = limits({"--memory", "2GiB", "--memory-high", "1G", "--cpus", "1.5", "--cpu-weight", "200", "--pids",
                            "64", "--io-weight", "1"})
                        .value();
  EXPECT_EQ(json.at("memory_max").to_number<std::uint64_t>(), 2ULL << 30);
  EXPECT_EQ(json.at("memory_high").to_number<std::uint64_t>(), 1ULL << 30);
  EXPECT_EQ(json.at("cpu_max").to_number<int>(), 150);
  EXPECT_EQ(json.at("cpu_weight").to_number<int>(), 200);
  EXPECT_EQ(json.at("pids_max").to_number<int>(), 64);
  EXPECT_EQ(json.at("io_weight").to_number<int>(), 1);
  EXPECT_TRUE(limits({}).value().empty());
}

TEST(Limits, NameTheOptionThatIsWrong) {
  for (const auto& [option, value] : {std::pair{"--memory", "much"},
                                      {"--cpus", "0"},
                                      {"--cpu-weight", "0"},
                                      {"--cpu-weight", "10001"},
                                      {"--pids", "-1"},
                                      {"--pids", "1x"},
                                      {"--io-weight", ""}}) {
    const auto json = limits({option, value});
    if (*value == '\0') continue;  // empty: not given
    ASSERT_FALSE(json) << option << value;
    EXPECT_EQ(json.error().kind(), ErrorKind::invalid);
    EXPECT_THAT(json.error().message(), HasSubstr(option));
  }
}

TEST(Workspace, IsOpenedAndNamedByWhatItReallyIs) {
  const testing::TemporaryFolder folder;
  std::filesystem::create_directory(folder.path() / "real");
  std::filesystem::create_directory_symlink(folder.path() / "real", folder.path() / "link");
  const auto workspace = open_workspace(folder.path() / "link");
  ASSERT_TRUE(workspace) << workspace.error().message();
  EXPECT_EQ(workspace->path, std::filesystem::canonical(folder.path() / "real"));
  EXPECT_EQ(open_workspace("").value().path, std::filesystem::current_path());
}

TEST(Workspace, AModeStandsBehindAColon) {
  const testing::TemporaryFolder folder;
  for (const char* name : {"plain", "with:colon", "like:ro"}) std::filesystem::create_directory(folder.path() / name);
  const auto opened = [&](const std::string& argument) {
    const auto workspace =
        open_workspace(argument.starts_with(':') ? argument : folder.path().string() + "/" + argument);
    EXPECT_TRUE(workspace) << argument << ": " << workspace.error().message();
    return std::pair(std::filesystem::path(workspace->path).filename().string(), workspace->mode);
  };
  EXPECT_EQ(opened("plain"), std::pair(std::string("plain"), std::optional<WorkspaceMode>()));
  EXPECT_EQ(opened("plain:bind"), std::pair(std::string("plain"), std::optional(WorkspaceMode::bind)));
  EXPECT_EQ(opened("with:colon"), std::pair(std::string("with:colon"), std::optional<WorkspaceMode>()));
  EXPECT_EQ(opened("like:ro:empty"), std::pair(std::string("like:ro"), std::optional(WorkspaceMode::empty)));
  EXPECT_EQ(opened(":overlay").second, WorkspaceMode::overlay);
  EXPECT_EQ(open_workspace("like:ro").error().kind(), ErrorKind::not_found) << "it is 'like', read-only";
}

TEST(Workspace, OneLineForEachMistake) {
  const testing::TemporaryFolder folder;
  std::ofstream(folder.path() / "file") << "x";
  const auto missing = open_workspace(folder.path() / "missing");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().kind(), ErrorKind::not_found);
  const auto file = open_workspace(folder.path() / "file");
  ASSERT_FALSE(file);
  EXPECT_THAT(file.error().message(), HasSubstr("is not a folder"));
  if (::geteuid() != 0) GTEST_SKIP() << "needs root to become another user";
  std::filesystem::create_directory(folder.path() / "secret");
  ASSERT_EQ(::chmod(folder.path().c_str(), 0755), 0);
  ASSERT_EQ(::chmod((folder.path() / "secret").c_str(), 0755), 0);
  ASSERT_EQ(::seteuid(65534), 0);
  EXPECT_TRUE(open_workspace(folder.path() / "secret"));  // allowed
  ASSERT_EQ(::seteuid(0), 0);
  ASSERT_EQ(::chmod((folder.path() / "secret").c_str(), 0700), 0);
  ASSERT_EQ(::seteuid(65534), 0);
  const auto secret = open_workspace(folder.path() / "secret");
  ASSERT_EQ(::seteuid(0), 0);
  ASSERT_FALSE(secret);
  EXPECT_EQ(secret.error().kind(), ErrorKind::forbidden);
  EXPECT_THAT(secret.error().message(), HasSubstr("you may not read it"));
}

}  // namespace
}  // namespace agentos::cli
