// A user's session: the built agentos, as the caller, with a scripted agentosd that hands out the layer.
#include <fcntl.h>
#include <sys/stat.h>

#include <chrono>
#include <memory>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <gmock/gmock.h>

#include "cli/agent_view.hpp"
#include "harness.hpp"
#include "mount.hpp"
#include "unit/client/scripted_server.hpp"

namespace agentos::test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class Session : public LayerTest {
 protected:
  void SetUp() override {
    LayerTest::SetUp();
    if (IsSkipped()) return;
    server_ = std::make_unique<testing::ScriptedServer>([this](const testing::Asked& asked) { return answer(asked); });
    const std::filesystem::path socket = server_->socket();
    ASSERT_EQ(::chmod(socket.c_str(), 0777) + ::chmod(socket.parent_path().c_str(), 0755), 0);
  }

  testing::Scripted answer(const testing::Asked& asked) {
    if (asked.line() == "POST /v1/agents/a0123456789ab/layer") {
      upper_ = UniqueFd(::open(upper().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
      return {.bytes = testing::answer(200, "{}"), .fd = upper_.get()};
    }
    boost::json::object agent{{"id", "a0123456789ab"},
                              {"name", "fixer"},
                              {"status", status_},
                              {"owner", {{"uid", owner_}}},
                              {"workspace", {{"path", lower()}, {"mode", mode_}}}};
    agent["created"] = cli::format_time(started_);
    return {.bytes = testing::answer(200, boost::json::serialize(agent))};
  }

  Ran agentos(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {AGENTOS_BINARY});
    arguments.insert(arguments.end(), {"--socket", server_->socket()});
    return run_in(caller, folder_, arguments);
  }

  std::unique_ptr<testing::ScriptedServer> server_;
  UniqueFd upper_;
  std::string status_{"completed"}, mode_{"overlay"};
  std::uint32_t owner_{caller};
};

TEST_F(Session, a_refactoring_is_looked_at_committed_in_part_and_the_rest_discarded) {
  outside("mkdir reference; cp -r '" SOURCES
          "' lower/src; cd lower; git init -q .; git config user.name me; "
          "git config user.email me@example.org; git add -A; git commit -qm first; cp -a . ../reference",
          folder_);
  start();
  const std::string refactoring =
      "grep -rlZ --include='*.?pp' Result src | xargs -0 sed -i 's/\\bResult\\b/Outcome/g';"
      "git mv src/base/text.cpp src/base/words.cpp; git rm -rqf src/init; echo generated > src/os/generated.cpp;";
  inside(refactoring + "git add -A; git commit -qm refactoring; git gc -q");

  const auto diff = agentos({"diff", "--stat", "fixer", "src"});
  EXPECT_EQ(diff.status, 0);
  EXPECT_THAT(diff.output, HasSubstr(" src/base/words.cpp "));
  EXPECT_THAT(diff.output, HasSubstr(" src/init/init.cpp "));
  const auto committed = agentos({"commit", "fixer", "src/base", lower() + "/src/os"});
  EXPECT_EQ(committed.status, 0) << committed.output;
  EXPECT_THAT(committed.output, HasSubstr("A src/base/words.cpp\n"));
  EXPECT_THAT(committed.output, HasSubstr("D src/base/text.cpp\n"));
  EXPECT_THAT(committed.output, Not(HasSubstr("src/cli")));
  const auto discarded = agentos({"discard", "fixer"});
  EXPECT_EQ(discarded.status, 0) << discarded.output;
  EXPECT_TRUE(std::filesystem::is_empty(upper()));

  // The same done by hand, and what git says of both.
  outside("cp -a . ../whole; cd ../whole; " + refactoring +
              "cd ..; rm -r reference/src/base reference/src/os; "
              "cp -r whole/src/base whole/src/os reference/src",
          folder_ + "/reference");
  const std::string asked = "git status --porcelain=v1 -uall; git diff; git log --oneline; git fsck 2>&1";
  EXPECT_EQ(outside(asked), outside(asked, folder_ + "/reference"));
  EXPECT_THAT(outside(asked), HasSubstr("?? src/base/words.cpp"));
  EXPECT_EQ(outside("diff -r --exclude=index lower reference", folder_), "");
}

TEST_F(Session, a_diff_is_a_patch_that_git_applies) {
  outside(
      "git init -q .; printf '1\\n2\\n3\\n' > changed; printf 'no end' > noend; echo x > removed; echo x > tool; "
      "ln -s changed link; mkdir d; echo deep > d/deep; echo s > 'with space'; cp -a . ../copy");
  start();
  inside(
      "printf '1\\ntwo\\n3' > changed; printf 'no end\\n' > noend; rm removed; chmod +x tool; ln -sfn tool link; "
      "rm -r d; mkdir -p n/m; echo new > n/m/file; touch empty; ln -s nowhere new-link; echo t > 'with space'; "
      "echo q > $'quote\"\\ttab'; printf 'caf\\303\\251\\n' > $'caf\\303\\251'; chmod 600 noend; mkdir lonely");
  const auto diff = agentos({"diff", "fixer"});
  ASSERT_EQ(diff.status, 0) << diff.output;
  EXPECT_THAT(diff.output, HasSubstr("# lonely: new directory\n"));
  const UniqueFd patch(::open((folder_ + "/patch").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
  ASSERT_EQ(::write(patch.get(), diff.output.data(), diff.output.size()), static_cast<ssize_t>(diff.output.size()));
  outside("git apply --whitespace=nowarn ../patch", folder_ + "/copy");
  commit();
  EXPECT_EQ(outside("diff -r --no-dereference lower copy || true", folder_), "Only in lower: lonely\n");
  EXPECT_EQ(outside("test -x copy/tool && readlink copy/link copy/new-link", folder_), "tool\nnowhere\n");
}

TEST_F(Session, a_diff_names_what_is_no_text) {
  outside("printf 'a\\0b' > binary; seq 3 > text");
  start();
  inside(
      "printf 'a\\0c' > binary; printf '\\0' > fresh; seq 30000 > long; mkfifo pipe; touch -d 2020-01-01 text; "
      "mkdir .vscode; echo '{}' > .vscode/tasks.json; ln -s /etc/passwd out");
  const auto diff = agentos({"diff", "fixer"}).output;
  EXPECT_THAT(diff, HasSubstr("Binary files a/binary and b/binary differ\n"));
  EXPECT_THAT(diff, HasSubstr("new file mode 100644\nBinary files /dev/null and b/fresh differ\n"));
  EXPECT_THAT(diff, HasSubstr("# long: differs, 0B before, 164.9KiB after: more than 20000 lines differ\n"));
  EXPECT_THAT(diff, HasSubstr("# pipe: new fifo\n"));
  EXPECT_THAT(diff, HasSubstr("# text: only its time of change differs\n"));
  EXPECT_THAT(diff, HasSubstr("# .vscode/tasks.json: protected: editors run tasks and settings from it\n"));
  EXPECT_THAT(diff, HasSubstr("# out: a link that leads out of the workspace\n"));
  EXPECT_THAT(agentos({"commit", "fixer", "out"}).output, HasSubstr("a link that leads out of the workspace: out\n"));
  const auto json = boost::json::parse(agentos({"diff", "--json", "fixer", "binary"}).output);
  EXPECT_EQ(json.at("workspace").as_string(), lower());
  const auto& change = json.at("changes").at(0);
  EXPECT_EQ(change.at("path"), "binary");
  EXPECT_EQ(change.at("binary"), true);
  EXPECT_EQ(change.at("before").at("size"), 3);
  EXPECT_EQ(change.at("protected"), nullptr);
}

TEST_F(Session, names_cannot_inject) {
  start();
  inside("echo x > $'a\\e[2J\\nb\\xff'");
  const auto stat = agentos({"diff", "--stat", "fixer"}).output;
  EXPECT_THAT(stat, HasSubstr(R"("a\033[2J\012b\377")"));
  const auto json = boost::json::parse(agentos({"diff", "--json", "fixer"}).output);
  EXPECT_EQ(json.at("changes").at(0).at("path_escaped"), "a%1B%5B2J%0Ab%FF");
  const auto committed = agentos({"commit", "fixer"}).output;
  EXPECT_EQ(committed, "A \"a\\033[2J\\012b\\377\"\n");
}

TEST_F(Session, statuses_and_hints) {
  outside("echo 1 > a");
  start();
  EXPECT_EQ(agentos({"diff", "--exit-code", "fixer"}).status, 0);
  inside("echo 2 > a; echo e > .envrc");
  EXPECT_EQ(agentos({"diff", "--exit-code", "fixer"}).status, 1);
  EXPECT_EQ(agentos({"diff", "fixer", "none"}).status, 3);
  EXPECT_EQ(agentos({"diff", "fixer", "../other"}).status, 2);
  EXPECT_EQ(agentos({"commit", "--allow", ".", "fixer"}).status, 2);

  status_ = "running";
  const auto early = agentos({"commit", "fixer"});
  EXPECT_EQ(early.status, 5);
  EXPECT_THAT(early.output, HasSubstr("hint: 'agentos wait fixer' or 'agentos terminate fixer' first"));
  EXPECT_EQ(agentos({"discard", "fixer"}).status, 5);
  EXPECT_EQ(agentos({"diff", "fixer"}).status, 0) << "looking is allowed";
  status_ = "completed";

  owner_ = 0;
  const auto other = agentos({"commit", "fixer"});
  EXPECT_EQ(other.status, 4);
  EXPECT_THAT(other.output, HasSubstr("sudo -u root"));
  owner_ = caller;

  mode_ = "bind";
  EXPECT_EQ(agentos({"diff", "fixer"}).status, 5);
  mode_ = "overlay";

  const auto dry = agentos({"commit", "--dry-run", "fixer"});
  EXPECT_EQ(dry.status, 5);
  EXPECT_THAT(dry.output, HasSubstr("M a\n"));
  EXPECT_EQ(outside("cat a"), "1\n");
  const auto held = agentos({"commit", "fixer"});
  EXPECT_EQ(held.status, 5);
  EXPECT_THAT(held.output, HasSubstr("held back: .envrc: protected, because it sets the environment of who enters the "
                                     "folder; look at it, then commit it with --allow .envrc"));
  EXPECT_EQ(outside("cat a; test ! -e .envrc"), "2\n");
  EXPECT_EQ(agentos({"commit", "--allow", ".envrc", "fixer"}).status, 0);
  EXPECT_EQ(outside("cat .envrc"), "e\n");
}

TEST_F(Session, a_link_where_the_workspace_was_is_refused) {
  start();
  inside("echo 1 > a");
  outside("mv lower moved; ln -s moved lower", folder_);
  const auto refused = agentos({"commit", "fixer"});
  EXPECT_NE(refused.status, 0);
  EXPECT_THAT(refused.output, HasSubstr("moved or replaced"));
  outside("rm lower; mv moved lower", folder_);
  EXPECT_EQ(agentos({"commit", "fixer"}).status, 0);
}

// The folders that are not listed keep the time at which they were last read.
TEST_F(Session, in_a_hundred_thousand_files_only_what_changed_is_looked_at) {
  constexpr int folders = 100, files = 1000;
  outside("mkdir f{0..99}; for d in f*; do (cd $d; seq " + std::to_string(files) + " | xargs touch); done");
  start();
  inside("echo x > f7/5; rm f8/9; mkdir f9/new");
  outside("touch -a -d 2001-01-01 f*");
  const auto timed = [&](const std::vector<std::string>& arguments) {
    const auto begin = std::chrono::steady_clock::now();
    const auto ran = agentos(arguments);
    EXPECT_EQ(ran.status, 0) << ran.output;
    return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - begin).count();
  };
  const auto diff = timed({"diff", "fixer"});
  const auto committed = timed({"commit", "fixer"});
  outside("ls f0");  // the control: this one is read
  int unread = 0;
  for (int i = 0; i < folders; ++i) {
    struct stat status{};
    ASSERT_EQ(::stat((lower() + "/f" + std::to_string(i)).c_str(), &status), 0);
    if (status.st_atim.tv_sec < 1000000000) ++unread;
  }
  EXPECT_EQ(unread, folders - 4);  // all but the control and the three with a change
  RecordProperty("diff_ms", static_cast<int>(diff));
  RecordProperty("commit_ms", static_cast<int>(committed));
}

}  // namespace
}  // namespace agentos::test
