// What the built agentos says to a scripted agentosd about policies, and makes of its answers.
#include <fcntl.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include <boost/json/parse.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "program.hpp"
#include "unit/client/scripted_server.hpp"

namespace agentos::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string write(const TemporaryFolder& folder, const char* name, const std::string& text) {
  const auto path = (folder.path() / name).string();
  std::ofstream(path) << text;
  return path;
}

TEST(RunPolicy, SendsTheUsersFileAsTextAndItsName) {
  const TemporaryFolder folder;
  const auto file = write(folder, "mine.yaml", "version: 1\n");
  ScriptedServer server([](const Asked&) { return Scripted{answer(201, R"({"id":"a1","notes":["look\u001b[2J"]})")}; });
  const auto ran = run({"run", "-d", "--policy", "build", "--policy-file", file, "make"}, server);
  EXPECT_EQ(ran.status, 0);
  EXPECT_EQ(ran.err, "agentos: look\\x1b[2J\n");
  const auto body = boost::json::parse(server.asked(0).body);
  EXPECT_EQ(body.at("policy").as_string(), "build");
  EXPECT_EQ(body.at("policy_file").at("name").as_string(), file);
  EXPECT_EQ(body.at("policy_file").at("text").as_string(), "version: 1\n");
}

TEST(RunPolicy, GivesOfItsEnvironmentWhatThePolicyNames) {
  ::setenv("AGENTOS_TEST_NAMED", "secret", 1);
  ::setenv("AGENTOS_TEST_OTHER", "never", 1);
  ScriptedServer server([](const Asked& asked) {
    const bool offers = boost::json::parse(asked.body).at("offers_environment").as_bool();
    return Scripted{offers ? answer(200, R"({"pass":["AGENTOS_TEST_NAMED","AGENTOS_TEST_UNSET","GIVEN"]})")
                           : answer(201, R"({"id":"a1"})")};
  });
  const auto ran = run({"run", "-d", "-e", "GIVEN=by hand", "true"}, server);
  EXPECT_EQ(ran.status, 0);
  EXPECT_EQ(ran.out, "a1\n");
  EXPECT_EQ(boost::json::parse(server.asked(0).body).at("env"), boost::json::parse(R"({"GIVEN":"by hand"})"));
  EXPECT_EQ(boost::json::parse(server.asked(1).body).at("env"),
            boost::json::parse(R"({"GIVEN":"by hand","AGENTOS_TEST_NAMED":"secret"})"));
  EXPECT_EQ(server.asked(1).fds.size(), 1U);  // the workspace, again
  ::unsetenv("AGENTOS_TEST_NAMED");
  ::unsetenv("AGENTOS_TEST_OTHER");
}

// A grant as agentosd asks for it.
std::string asked_for(const std::string& path, bool write, bool optional) {
  return R"({"path":")" + path + R"(","key":"filesystem.read_)" + (write ? "write" : "only") + R"(","write":)" +
         (write ? "true" : "false") + R"(,"optional":)" + (optional ? "true" : "false") + R"(,"at":"p.yaml:2:3"})";
}

TEST(RunPolicy, OpensWhatThePolicyGrants) {
  const TemporaryFolder folder;
  const auto real = std::filesystem::canonical(folder.path()).string();
  std::filesystem::create_directory(real + "/data");
  std::filesystem::create_symlink(real + "/data", real + "/link");
  const auto file = write(folder, "file", "text");
  std::string grants;
  ScriptedServer server([&](const Asked& asked) {
    const bool offers = boost::json::parse(asked.body).at("offers_grants").as_bool();
    return Scripted{offers ? answer(200, R"({"pass":[],"grants":[)" + grants + "]}") : answer(201, R"({"id":"a1"})")};
  });
  grants = asked_for(real + "/data", true, false) + "," + asked_for(real + "/missing", false, true) + "," +
           asked_for(real + "/link", false, true) + "," + asked_for(real + "/file", false, false);
  const auto ran = run({"run", "-d", "true"}, server);
  EXPECT_EQ(ran.status, 0) << ran.err;
  EXPECT_EQ(ran.err,
            "agentos: left out: p.yaml:2:3: filesystem.read_only: '" + real + "/link' is reached by a symbolic link\n");
  const auto body = boost::json::parse(server.asked(1).body);
  EXPECT_EQ(body.at("grants"), boost::json::parse("[\"" + real + "/data\",\"" + real + "/file\"]"));
  ASSERT_EQ(server.asked(1).fds.size(), 3U);
  for (std::size_t at = 1; at < 3; ++at)
    EXPECT_NE(::fcntl(server.asked(1).fds[at].get(), F_GETFL) & O_PATH, 0) << "nobody waits for it when it is closed";
}

TEST(RunPolicy, SaysWhichLineGrantsWhatCannotBeOpened) {
  const TemporaryFolder folder;
  const auto real = std::filesystem::canonical(folder.path()).string();
  std::filesystem::create_symlink("/usr", real + "/link");
  ASSERT_EQ(::mkfifo((real + "/pipe").c_str(), 0600), 0);
  std::string grants;
  ScriptedServer server(
      [&](const Asked&) { return Scripted{answer(200, R"({"pass":[],"grants":[)" + grants + "]}")}; });
  for (const auto& [path, why] :
       {std::pair{real + "/missing", "is not there"}, std::pair{real + "/link", "is reached by a symbolic link"},
        std::pair{real + "/link/bin", "have the policy name what it leads to: /usr/bin"},
        std::pair{real + "/pipe", "is neither a folder nor a regular file"}}) {
    grants = asked_for(path, false, false);
    const auto ran = run({"run", "-d", "true"}, server);
    EXPECT_EQ(ran.status, 125);
    EXPECT_THAT(ran.err, HasSubstr("p.yaml:2:3: filesystem.read_only: '" + path + "' "));
    EXPECT_THAT(ran.err, HasSubstr(why));
  }
}

TEST(RunPolicy, AFileThatCannotBeReadIsSaidBeforeAnythingIsAsked) {
  const TemporaryFolder folder;
  ScriptedServer server([](const Asked&) { return Scripted{answer(201, R"({"id":"a1"})")}; });
  for (const auto& file : {folder.path().string() + "/missing", write(folder, "latin1", "# \xe4\n")}) {
    const auto ran = run({"run", "-d", "--policy-file", file, "true"}, server);
    EXPECT_EQ(ran.status, 125);
    EXPECT_THAT(ran.err, HasSubstr("--policy-file"));
  }
  EXPECT_TRUE(server.lines().empty());
}

TEST(PolicyCommand, ChecksEachFile) {
  const TemporaryFolder folder;
  const auto good = write(folder, "good.yaml", "version: 1\n");
  const auto bad = write(folder, "bad.yaml", "x\n");
  ScriptedServer server([&](const Asked& asked) {
    return Scripted{answer(200, asked.body.find("bad.yaml") == std::string::npos
                                    ? R"({"good":true,"errors":[],"lines":[]})"
                                    : R"({"good":false,"errors":[{"text":"bad.yaml:1:1: no\u001b[2J"}],"lines":[]})")};
  });
  const auto ran = run({"policy", "check", good, bad}, server);
  EXPECT_EQ(ran.status, 1);
  EXPECT_EQ(ran.out, good + ": good\nbad.yaml:1:1: no\\x1b[2J\n");
  EXPECT_EQ(run({"policy", "check", good}, server).status, 0);
}

TEST(PolicyCommand, RefusesWhatItDoesNotKnow) {
  ScriptedServer server([](const Asked&) { return Scripted{answer(200, "{}")}; });
  EXPECT_EQ(run({"policy", "chek", "x"}, server).status, 2);
  EXPECT_EQ(run({"policy", "diff", "one"}, server).status, 2);
  EXPECT_EQ(run({"policy"}, server).status, 2);
  EXPECT_EQ(run({"why"}, server).status, 2);
  EXPECT_EQ(run({"why", "--path", "x", "--syscall", "y"}, server).status, 2);
  EXPECT_TRUE(server.lines().empty());
}

TEST(WhyCommand, ItsStatusIsTheAnswer) {
  bool allowed = true;
  ScriptedServer server([&](const Asked&) {
    return Scripted{answer(200, std::string(R"({"allowed":)") + (allowed ? "true" : "false") +
                                    R"(,"reason":"because","at":"p.yaml:1:2"})")};
  });
  const auto yes = run({"why", "--path", "./x", "--op", "write", "--agent", "builder"}, server);
  EXPECT_EQ(yes.status, 0);
  EXPECT_EQ(yes.out, "allowed: because (p.yaml:1:2)\n");
  EXPECT_EQ(boost::json::parse(server.asked(0).body),
            boost::json::parse(R"({"agent":"builder","path":"./x","op":"write"})"));
  allowed = false;
  const auto no = run({"why", "--syscall", "mount"}, server);
  EXPECT_EQ(no.status, 4);
  EXPECT_EQ(no.out, "denied: because (p.yaml:1:2)\n");
  EXPECT_THAT(server.lines(), ElementsAre("POST /v1/why", "POST /v1/why"));
}

}  // namespace
}  // namespace agentos::testing
