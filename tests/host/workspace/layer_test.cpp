// What changes, commit and discard make of the layers that a real overlay mount leaves.
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/xattr.h>

#include <cstring>

#include <gmock/gmock.h>

#include "harness.hpp"

namespace agentos::test {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using workspace::Conflict;
using workspace::Obstacle;
using workspace::Verdict;

std::vector<std::string> verdicts(const std::vector<workspace::Outcome>& outcomes) {
  constexpr std::array words{"keep", "nothing", "commit", "left out", "unwanted", "guarded", "conflict", "depends"};
  std::vector<std::string> lines;
  for (const auto& outcome : outcomes) {
    lines.push_back(outcome.change.path + ": " + words[static_cast<std::size_t>(outcome.verdict)] +
                    (outcome.failure ? " failed" : ""));
  }
  return lines;
}

TEST_F(LayerTest, nothing_changed_is_no_change) {
  outside("mkdir d; echo a > d/a; echo b > b");
  start();
  inside("cat d/a b; ls -R; true");
  EXPECT_THAT(changed(), IsEmpty());
  inside("touch -r b copy; chmod 600 b; chmod 644 b; touch -r copy b; rm copy");  // copied up, and as it was
  EXPECT_THAT(changed(), IsEmpty());
  EXPECT_THAT(commit(), IsEmpty());
  EXPECT_TRUE(std::filesystem::is_empty(upper()));
}

TEST_F(LayerTest, every_kind_of_change) {
  outside("mkdir -p d/e f; echo 1 > d/a; echo 1 > d/e/b; echo 1 > f/c; echo 1 > m; echo 1 > t; ln -s m l; echo 1 > x");
  start();
  inside(
      "rm -r d; echo 2 > d; rm f/c; echo 2 >> m; chmod 755 t; ln -sfn t l; mkdir -p n/o; mkfifo n/p; "
      "setfattr -n user.k -v v x");
  EXPECT_THAT(changed(), ElementsAre("M d", "D d/a", "D d/e", "D d/e/b", "D f/c", "M l", "M m", "A n", "A n/o", "A n/p",
                                     "M t", "M x"));
  const auto outcomes = commit();
  for (const auto& outcome : outcomes) EXPECT_EQ(outcome.verdict, Verdict::commit) << outcome.change.path;
  EXPECT_EQ(outside("cat d m; ls f; readlink l; stat -c %a t; stat -c %F n/p"), "2\n1\n2\nt\n755\nfifo\n");
  EXPECT_THAT(changed(), IsEmpty());
  EXPECT_TRUE(std::filesystem::is_empty(upper()));
}

TEST_F(LayerTest, what_is_committed_belongs_to_the_caller) {
  start();
  inside("mkdir d; echo x > d/f");
  commit();
  EXPECT_EQ(outside("stat -c %u:%g d d/f"), "61234:61234\n61234:61234\n");
}

TEST_F(LayerTest, only_the_paths_that_are_asked_for) {
  outside("mkdir a b; echo 1 > a/x; echo 1 > a/y; echo 1 > b/z");
  start();
  inside("echo 2 > a/x; echo 2 > a/y; echo 2 > b/z; mkdir -p new/deep; echo 2 > new/deep/w; echo 2 > new/v");
  EXPECT_THAT(verdicts(commit({.selection = select({"a/x", "new/deep/w"})})),
              ElementsAre("a/x: commit", "new: commit", "new/deep: commit", "new/deep/w: commit"));
  EXPECT_EQ(outside("cat a/x a/y b/z new/deep/w; ls new"), "2\n1\n1\n2\ndeep\n");
  EXPECT_THAT(changed(), ElementsAre("M a/y", "M b/z", "A new/v"));
}

TEST_F(LayerTest, part_of_a_folder_that_was_made_anew) {
  outside("mkdir d; echo 1 > d/old; echo 1 > d/both");
  start();
  inside("rm -r d; mkdir d; echo 2 > d/both; echo 2 > d/new");
  EXPECT_THAT(changed(), ElementsAre("M d/both", "A d/new", "D d/old"));
  commit({.selection = select({"d/new"})});
  EXPECT_EQ(outside("ls d; cat d/both"), "both\nnew\nold\n1\n");
  EXPECT_THAT(changed(), ElementsAre("M d/both", "D d/old")) << "what was committed is not called deleted";
  commit();
  EXPECT_EQ(outside("ls d; cat d/both"), "both\nnew\n2\n");
  EXPECT_TRUE(std::filesystem::is_empty(upper()));
}

TEST_F(LayerTest, hard_links_stay_links_of_one_another) {
  outside("echo 1 > a");
  start();
  inside("ln a b; echo 2 > b; mkdir d; ln a d/c");
  commit();
  EXPECT_EQ(outside("stat -c %h a; [ a -ef b ] && [ a -ef d/c ] && cat d/c"), "3\n2\n");
  EXPECT_THAT(changed(), IsEmpty());
}

TEST_F(LayerTest, hard_links_that_are_committed_one_by_one) {
  start();
  inside("echo 2 > a; ln a b");
  commit({.selection = select({"a"})});
  EXPECT_THAT(changed(), ElementsAre("A b"));
  commit();
  EXPECT_EQ(outside("stat -c %h a; [ a -ef b ] && echo one"), "2\none\n");
  EXPECT_TRUE(std::filesystem::is_empty(upper()));
}

TEST_F(LayerTest, privileges_and_devices_are_left_out) {
  start();
  inside("echo x > tool; chmod 6755 tool; mkdir shared; chmod 3777 shared; echo x > plain");
  // What no agent can make: the file system itself was written to.
  ASSERT_EQ(::mknod((upper() + "/device").c_str(), S_IFCHR | 0666, makedev(1, 3)), 0);
  ASSERT_EQ(::setxattr((upper() + "/plain").c_str(), "security.agentos-test", "x", 1, 0), 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, (upper() + "/socket").c_str(), sizeof address.sun_path - 1);
  const UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  ASSERT_EQ(::bind(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  ASSERT_EQ(::chown(address.sun_path, caller, caller), 0);
  const auto outcomes = commit();
  EXPECT_THAT(verdicts(outcomes),
              ElementsAre("device: left out", "plain: commit", "shared: commit", "socket: left out", "tool: commit"));
  EXPECT_TRUE(outcomes[4].change.privileged);
  EXPECT_EQ(outside("ls; stat -c %a tool shared"), "plain\nshared\ntool\n755\n3777\n");
  EXPECT_EQ(::getxattr((lower() + "/plain").c_str(), "security.agentos-test", nullptr, 0), -1);
  EXPECT_TRUE(std::filesystem::is_empty(upper()));
}

TEST_F(LayerTest, protected_files_are_held_back_until_they_are_named) {
  outside("git init -q .; mkdir .vscode; echo '{}' > .vscode/tasks.json");
  start();
  inside(
      "echo evil > .git/hooks/post-checkout; chmod +x .git/hooks/post-checkout; echo evil > .vscode/tasks.json; "
      "echo '[alias]' >> .git/config; echo good > good; mkdir .claude; echo '{}' > .claude/settings.json");
  EXPECT_THAT(verdicts(commit()),
              ElementsAre(".claude: guarded", ".claude/settings.json: guarded", ".git/config: guarded",
                          ".git/hooks/post-checkout: guarded", ".vscode/tasks.json: guarded", "good: commit"));
  EXPECT_EQ(outside("cat good .vscode/tasks.json; test ! -e .git/hooks/post-checkout"), "good\n{}\n");
  commit({.selection = {}, .allowed = select({".vscode"})});
  EXPECT_EQ(outside("cat .vscode/tasks.json; test ! -e .git/hooks/post-checkout"), "evil\n");
}

TEST_F(LayerTest, what_changed_meanwhile_is_a_conflict) {
  outside("mkdir d gone; echo 1 > both; echo 1 > mine; echo 1 > del; echo 1 > d/in; echo 1 > gone/x; echo 1 > lost");
  start();
  inside("echo 2 > both; echo 2 > mine; rm del; rm -r d; echo 2 > gone/x; echo 2 > lost; echo 2 > new");
  outside(
      "echo 3 > both; echo 3 > del; echo 3 > d/in; echo 3 > d/more; rm -r gone; rm lost; echo 3 > new; echo 3 > other");
  const auto outcomes = commit();
  EXPECT_THAT(verdicts(outcomes),
              ElementsAre("both: conflict", "d: depends", "d/in: conflict", "d/more: conflict", "del: conflict",
                          "gone: conflict", "gone/x: conflict", "lost: conflict", "mine: commit", "new: conflict"));
  EXPECT_EQ(outside("cat both mine del d/in d/more new other; test ! -e gone"), "3\n2\n3\n3\n3\n3\n3\n");
  commit({.selection = {}, .force = true});
  EXPECT_EQ(outside("cat both gone/x new other; test ! -e d; test ! -e del"), "2\n2\n2\n3\n");
  EXPECT_THAT(changed(), IsEmpty());
}

TEST_F(LayerTest, a_file_removed_meanwhile_is_told_where_the_agent_renamed_none) {
  outside("echo 1 > lost; echo 1 > kept");
  start();
  inside("echo 2 > lost");
  outside("rm lost");
  const auto outcomes = commit();
  EXPECT_THAT(verdicts(outcomes), ElementsAre("lost: conflict"));
  EXPECT_EQ(outcomes[0].change.conflict, Conflict::gone);
}

TEST_F(LayerTest, a_renamed_file_is_no_conflict_also_where_its_folder_changed) {
  outside("mkdir d; echo 1 > d/old; echo 1 > d/other");
  start();
  inside("mv d/old d/new");
  outside("echo 3 > d/more");
  EXPECT_THAT(verdicts(commit()), ElementsAre("d/new: commit", "d/old: commit"));
  EXPECT_EQ(outside("ls d"), "more\nnew\nother\n");
}

TEST_F(LayerTest, a_folder_moved_into_a_deleted_one_is_kept) {
  outside("mkdir d aside; echo 1 > d/a; echo precious > aside/p");
  start();
  inside("rm -r d");
  outside("mv aside d/aside");
  EXPECT_THAT(verdicts(commit()), ElementsAre("d: depends", "d/a: commit", "d/aside: conflict", "d/aside/p: conflict"));
  EXPECT_EQ(outside("cat d/aside/p"), "precious\n");
}

TEST_F(LayerTest, two_agents_in_one_workspace) {
  make_layer("second");
  outside("echo 1 > a; echo 1 > b");
  start();
  inside("echo first > a; echo only > x");
  inside("echo second > a; echo second > b; ls", "second");
  EXPECT_THAT(changed(), ElementsAre("M a", "A x"));
  EXPECT_THAT(changed("second"), ElementsAre("M a", "M b"));
  commit();
  const AsCaller as_caller;
  const auto outcomes = workspace::commit(layer("second"), {}).value();
  EXPECT_THAT(verdicts(outcomes), ElementsAre("a: conflict", "b: commit")) << "the first came first";
}

TEST_F(LayerTest, only_one_commit_at_a_time) {
  start();
  inside("echo 1 > a");
  const AsCaller as_caller;
  const auto lock = workspace::lock_layer(layer()).value();
  EXPECT_EQ(workspace::commit(layer(), {}).error().kind(), ErrorKind::conflict);
  EXPECT_EQ(workspace::discard(layer(), {}).error().kind(), ErrorKind::conflict);
  EXPECT_TRUE(workspace::commit(layer(), {.selection = {}, .dry_run = true})) << "looking needs no lock";
}

TEST_F(LayerTest, a_dry_run_does_nothing) {
  outside("echo 1 > a; echo 1 > b");
  start();
  inside("echo 2 > a; rm b");
  EXPECT_THAT(verdicts(commit({.selection = {}, .dry_run = true})), ElementsAre("a: commit", "b: commit"));
  EXPECT_EQ(outside("cat a b"), "1\n1\n");
  EXPECT_THAT(changed(), ElementsAre("M a", "D b"));
}

TEST_F(LayerTest, modes_that_hide_from_their_owner) {
  outside("mkdir -p locked; echo 1 > locked/a; chmod 555 locked");
  start();
  inside(
      "echo s > secret; chmod 0 secret; mkdir closed; echo c > closed/c; chmod 0 closed; "
      "chmod 755 locked; echo 2 > locked/a; chmod 555 locked");
  {
    const AsCaller as_caller;
    const auto changes = workspace::changes(layer(), {}).value();
    ASSERT_EQ(changes.size(), 3U);
    EXPECT_EQ(changes[0].obstacle, Obstacle::unreadable);
    EXPECT_EQ(changes[2].obstacle, Obstacle::unreadable);
  }
  commit();
  EXPECT_EQ(outside("stat -c %a secret closed locked; chmod 755 closed; cat closed/c locked/a"), "0\n0\n555\nc\n2\n");
  EXPECT_TRUE(std::filesystem::is_empty(upper()));
}

// They wait for the disk together: half as many as there may be descriptors, 512 at most.
TEST_F(LayerTest, more_files_than_there_may_be_descriptors) {
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  outside("mkdir d; for i in $(seq 1 2 60); do echo 1 > d/$i; done");
  start();
  inside("for i in $(seq 60); do echo $i > d/$i; echo $i > $i; done; ln -s 1 d/link; ln d/2 d/two; mkfifo d/fifo");
  const rlimit few{40, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &few), 0);
  const auto outcomes = commit();
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_EQ(outcomes.size(), 123U);
  for (const auto& outcome : outcomes) EXPECT_FALSE(outcome.failure) << outcome.change.path;
  EXPECT_EQ(
      outside("for i in $(seq 60); do echo $i | cmp - d/$i; echo $i | cmp - $i; done; ls d | wc -l; ls -A | wc -l"),
      "63\n61\n");
  EXPECT_TRUE(std::filesystem::is_empty(upper()));
}

TEST_F(LayerTest, more_files_than_wait_for_the_disk_together) {
  start();
  inside("for i in $(seq 1100); do echo $i > $i; done");
  EXPECT_EQ(commit().size(), 1100U);
  EXPECT_EQ(outside("ls -A | wc -l; for i in $(seq 1100); do read -r x <$i; [ $x = $i ]; done"), "1100\n");
  EXPECT_TRUE(std::filesystem::is_empty(upper()));
}

TEST_F(LayerTest, names_of_any_bytes) {
  start();
  inside("mkdir $'new\\nline'; echo 1 > $'new\\nline/\\e[31m\\xff'; echo 2 > ' -rf *'");
  EXPECT_THAT(changed(), ElementsAre("A  -rf *", "A new\nline", "A new\nline/\x1b[31m\xff"));
  commit();
  EXPECT_EQ(outside("cat ./' -rf *' $'new\\nline/\\e[31m\\xff'"), "2\n1\n");
}

TEST_F(LayerTest, folders_deeper_than_the_limit_are_told_and_can_be_discarded) {
  start();
  const auto deep = std::to_string(workspace::max_depth + 1);
  inside("set +e; for i in $(seq " + deep + "); do mkdir d; cd d; done; echo x > f; true");
  const AsCaller as_caller;
  const auto outcomes = workspace::commit(layer(), {}).value();
  ASSERT_EQ(outcomes.size(), workspace::max_depth + 1);
  EXPECT_EQ(outcomes.back().change.obstacle, Obstacle::too_deep);
  EXPECT_EQ(outcomes[workspace::max_depth - 1].verdict, Verdict::commit);
  EXPECT_TRUE(workspace::discard(layer(), {}));
  EXPECT_TRUE(std::filesystem::is_empty(upper()));
}

TEST_F(LayerTest, discard_of_everything) {
  outside("mkdir d; echo 1 > d/a");
  start();
  inside("rm -r d; mkdir d; echo 2 > d/b; chmod 500 d; echo 3 > c");
  EXPECT_TRUE(discard());
  EXPECT_THAT(changed(), IsEmpty());
  EXPECT_EQ(inside("ls; cat d/a"), "d\n1\n") << "an agent sees the workspace again";
}

TEST_F(LayerTest, discard_of_some_paths) {
  outside("mkdir -p d/e; echo 1 > d/a; echo 1 > d/e/b; echo 1 > d/e/c; echo 1 > f");
  start();
  inside("rm -r d; echo 2 > f; echo 2 > g");
  ASSERT_TRUE(discard({"f", "d/e/b"}));
  EXPECT_THAT(changed(), ElementsAre("D d/a", "D d/e/c", "A g"));
  EXPECT_EQ(inside("cat f; find d | sort"), "1\nd\nd/e\nd/e/b\n");
  EXPECT_EQ(discard({"none"}).error().kind(), ErrorKind::not_found);
  ASSERT_TRUE(discard({"d"}));
  EXPECT_THAT(changed(), ElementsAre("A g"));
}

TEST_F(LayerTest, discard_in_a_folder_that_was_made_anew) {
  outside("mkdir -p d/s; echo 1 > d/a; echo 1 > d/b; echo 1 > d/s/x; echo 1 > d/s/y");
  start();
  inside("rm -r d; mkdir -p d/s; echo 2 > d/a; echo 2 > d/s/x; echo 2 > d/n");
  ASSERT_TRUE(discard({"d/a", "d/s/y"}));
  EXPECT_THAT(changed(), ElementsAre("D d/b", "A d/n", "M d/s/x"));
  EXPECT_EQ(inside("cat d/a d/s/x d/s/y; ls d"), "1\n2\n1\na\nn\ns\n");
  commit();
  EXPECT_EQ(outside("cat d/a d/s/x d/s/y; ls d"), "1\n2\n1\na\nn\ns\n");
}

}  // namespace
}  // namespace agentos::test
