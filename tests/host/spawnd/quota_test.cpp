// Limits of layers on real file systems with project quotas, each made for the test and mounted as spawnd's state.
#include <fcntl.h>
#include <linux/quota.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <ostream>

#include <gmock/gmock.h>

#include "harness.hpp"

namespace agentos::test {
namespace {

using ::testing::AnyOf;
using ::testing::Not;
using ::testing::StartsWith;

namespace fs = std::filesystem;

constexpr std::uint64_t mebi = 1U << 20U;

struct FileSystem {
  const char* name;
  const char* make;     // a file of 400 MiB
  const char* options;  // of mount(8), beside loop
};

void PrintTo(const FileSystem& system, std::ostream* to) {
  *to << system.name;
}

class QuotaTest : public SpawndTest, public ::testing::WithParamInterface<FileSystem> {
 protected:
  void prepare() override {
    // Mounts of this process alone: gone with it, however it ends.
    ASSERT_EQ(::unshare(CLONE_NEWNS), 0);
    ASSERT_EQ(::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr), 0);
    fs::create_directory(state());
    const std::string image = folder_ + "/image";
    const std::string make = std::string("PATH=$PATH:/sbin:/usr/sbin; truncate -s 400M ") + image + " && " +
                             GetParam().make + " " + image + " && mount -o loop," + GetParam().options + " " + image +
                             " " + state() + " 2>" + folder_ + "/why";
    mounted_ = std::system(make.c_str()) == 0;
    if (!mounted_ && std::getenv("AGENTOS_MUST_RUN") == nullptr)
      GTEST_SKIP() << "no " << GetParam().name << " with project quotas here (CONFIG_QFMT_V2, CONFIG_XFS_QUOTA)";
    ASSERT_TRUE(mounted_) << GetParam().name;
    workspace_mode_ = WorkspaceMode::empty;
  }
  void TearDown() override {
    EXPECT_TRUE(!mounted_ || ::umount2(state().c_str(), MNT_DETACH) == 0);
    SpawndTest::TearDown();
  }

  SpawndReply ask(SpawndRequest::Kind kind) {
    SpawndRequest request;
    request.kind = kind;
    request.agent = agent_;
    return send(request);
  }
  LayerState layer() { return ask(SpawndRequest::Kind::check_layer).layer; }
  void remove_layer() {
    EXPECT_EQ(ask(SpawndRequest::Kind::remove_layer).kind, SpawndReply::Kind::removed);
    // find(1) deletes it, on a disk.
    const auto patience = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (!fs::is_empty(state() + "/trash") && std::chrono::steady_clock::now() < patience) {
    }
    EXPECT_TRUE(fs::is_empty(state() + "/trash"));
  }
  std::string outside(const std::string& path) const { return workspace_ + "/" + path; }

  bool mounted_{};
};

TEST_P(QuotaTest, the_host_says_that_it_can) {
  EXPECT_TRUE(facts_.layer_quota);
  EXPECT_TRUE(fs::is_empty(state() + "/layers"));
}

TEST_P(QuotaTest, bytes_end_at_the_limit_and_not_before) {
  const auto free = run({"become 1000", "fill " + outside("file")});
  EXPECT_EQ(free[1].second, "67108864 no error") << "without a limit";
  EXPECT_EQ(layer().limit, LayerSpace{});
  remove_layer();
  layer_limit_ = {8 * mebi, 0};
  const auto limited = run({"become 1000", "fill " + outside("small"), "make-many " + workspace_});
  const auto bytes = std::stoull(limited[1].second);
  EXPECT_LE(bytes, 8 * mebi);
  EXPECT_GE(bytes, 7 * mebi) << limited[1].second;
  EXPECT_THAT(limited[1].second, AnyOf(testing::HasSubstr("quota"), testing::HasSubstr("No space")));
  const auto state = layer();
  EXPECT_EQ(state.limit, layer_limit_);
  EXPECT_GE(state.used.bytes, bytes);
  EXPECT_LE(state.used.bytes, 8 * mebi);
  EXPECT_FALSE(state.empty);
}

TEST_P(QuotaTest, inodes_end_at_the_limit) {
  layer_limit_ = {0, 40};
  const auto answers = run({"become 1000", "make-many " + workspace_, "fill " + outside("0")});
  const auto made = std::stoull(answers[1].second);
  EXPECT_THAT(answers[1].second, Not(testing::HasSubstr("no error")));
  // The layer's own folder, its two directories, and up to five that overlayfs keeps in one of them.
  EXPECT_LE(made, 40U - 3U);
  EXPECT_GE(made, 40U - 8U);
  EXPECT_EQ(answers[2].second, "67108864 no error") << "bytes have no limit";
  const auto state = layer();
  EXPECT_EQ(state.limit, layer_limit_);
  EXPECT_LE(state.used.inodes, 40U);
  EXPECT_GE(state.used.inodes, made);
}

TEST_P(QuotaTest, the_least_limit_holds_something) {
  layer_limit_ = least_layer;
  const auto answers = run({"become 1000", "make-many " + workspace_, "fill " + outside("0")});
  EXPECT_GE(std::stoull(answers[1].second), 8U);
  EXPECT_GE(std::stoull(answers[2].second), 3 * mebi / 4);
}

TEST_P(QuotaTest, what_is_copied_up_counts) {
  workspace_mode_ = WorkspaceMode::overlay;
  ASSERT_EQ(std::system(("head -c 6M /dev/zero >" + outside("large")).c_str()), 0);
  ASSERT_EQ(::chown(workspace_.c_str(), 0, 0), 0);
  layer_limit_ = {4 * mebi, 0};
  const auto refused = run({"become 1000", "write " + outside("large"), "write " + outside("small")});
  EXPECT_THAT(refused[1].second, StartsWith("error"));
  EXPECT_EQ(refused[2].second, "ok");
  remove_layer();
  layer_limit_ = {8 * mebi, 0};
  const auto fits = run({"become 1000", "write " + outside("large")});
  EXPECT_EQ(fits[1].second, "ok");
  EXPECT_GE(layer().used.bytes, 6 * mebi);
}

TEST_P(QuotaTest, the_agent_sees_how_much_room_there_is) {
  layer_limit_ = {8 * mebi, 100};
  EXPECT_EQ(run({"become 1000", "room " + workspace_})[1].second, "8388608 100");
}

TEST_P(QuotaTest, nobody_leaves_the_project) {
  layer_limit_ = {8 * mebi, 0};
  const auto answers = run({"become 1000", "write " + outside("file"), "change-project " + workspace_,
                            "change-project " + outside("file"), "fill " + outside("file")});
  for (const auto at : {2U, 3U}) EXPECT_THAT(answers[at].second, testing::EndsWith(", unchanged")) << answers[at].first;
  EXPECT_LE(std::stoull(answers[4].second), 8 * mebi);
}

TEST_P(QuotaTest, two_layers_have_a_limit_each) {
  layer_limit_ = {8 * mebi, 0};
  const auto first = run({"become 1000", "fill " + outside("file")});
  EXPECT_GE(std::stoull(first[1].second), 7 * mebi);
  agent_ = "second";
  const auto second = run({"become 1000", "fill " + outside("file")});
  EXPECT_GE(std::stoull(second[1].second), 7 * mebi) << "the first one's bytes do not count";
  agent_ = "witness";
  remove_layer();
  EXPECT_EQ(ask(SpawndRequest::Kind::check_layer).error, ErrorKind::not_found);
  const auto again = run({"become 1000", "fill " + outside("file")});
  EXPECT_GE(std::stoull(again[1].second), 7 * mebi) << "what was removed counts no more";
}

TEST_P(QuotaTest, no_limit_stays_behind) {
  const auto limits = [this] {
    constexpr long quotactl_fd_call = 443;
    const UniqueFd root(::open(state().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    int found = 0;
    if_nextdqblk record{};
    for (std::uint32_t next = 1;; next = record.dqb_id + 1) {
      record = {};
      if (::syscall(quotactl_fd_call, root.get(), QCMD(Q_GETNEXTQUOTA, PRJQUOTA), next, &record) != 0) break;
      if (record.dqb_bhardlimit != 0 || record.dqb_ihardlimit != 0) ++found;
    }
    EXPECT_EQ(errno, ENOENT);
    return found;
  };
  layer_limit_ = {8 * mebi, 100};
  ASSERT_EQ(answer("hostname"), agent_);
  ASSERT_EQ(limits(), 1) << "of the layer";
  remove_layer();
  EXPECT_EQ(limits(), 0);
}

INSTANTIATE_TEST_SUITE_P(Real, QuotaTest,
                         ::testing::Values(FileSystem{"ext4", "mkfs.ext4 -q -O quota,project", "prjquota"},
                                           FileSystem{"xfs", "mkfs.xfs -q", "prjquota"}),
                         [](const auto& parameter) { return std::string(parameter.param.name); });

// The file system of /var/tmp, or one that has none.
class NoQuotaTest : public SpawndTest {
 protected:
  void prepare() override {
    ASSERT_EQ(::unshare(CLONE_NEWNS), 0);
    ASSERT_EQ(::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr), 0);
    fs::create_directory(state());
    ASSERT_EQ(::mount("none", state().c_str(), "tmpfs", 0, nullptr), 0);
    mounted_ = true;
    workspace_mode_ = WorkspaceMode::empty;
  }
  void TearDown() override {
    EXPECT_TRUE(!mounted_ || ::umount2(state().c_str(), MNT_DETACH) == 0);
    SpawndTest::TearDown();
  }
  bool mounted_{};
};

TEST_F(NoQuotaTest, a_limit_is_refused_and_nothing_stays) {
  EXPECT_FALSE(facts_.layer_quota);
  facts_.overlay = true;  // whether it is or not: the limit comes first
  layer_limit_ = least_layer;
  const auto refused = send(request({"hostname"}));
  ASSERT_EQ(refused.kind, SpawndReply::Kind::failed);
  EXPECT_EQ(refused.error, ErrorKind::unsupported) << refused.message;
  EXPECT_TRUE(fs::is_empty(state() + "/layers"));
  EXPECT_TRUE(agent_cgroups().empty());
}

}  // namespace
}  // namespace agentos::test
