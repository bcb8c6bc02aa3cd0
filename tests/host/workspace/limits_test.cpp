// A layer as large as one may be, and one path larger.
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <gmock/gmock.h>

#include "harness.hpp"
#include "workspace/walk.hpp"

namespace agentos::test {
namespace {

// What is deleted costs the least to make: names of one whiteout, in memory. Of what is not there: so it is no change.
class Limits : public LayerTest {
 protected:
  void SetUp() override {
    LayerTest::SetUp();
    if (IsSkipped()) return;
    ASSERT_EQ(::unshare(CLONE_NEWNS), 0);
    ASSERT_EQ(::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr), 0);
    ASSERT_EQ(::mount("none", upper().c_str(), "tmpfs", 0, "nr_inodes=0"), 0);
    mounted_ = true;
    ASSERT_EQ(::mkdir((upper() + "/a").c_str(), 0755), 0);
    ASSERT_EQ(::mkdir((lower() + "/a").c_str(), 0755), 0);
    ASSERT_EQ(::mknod((upper() + "/a/first").c_str(), S_IFCHR, makedev(0, 0)), 0);
  }
  void TearDown() override {
    opened_.clear();
    EXPECT_TRUE(!mounted_ || ::umount2(upper().c_str(), MNT_DETACH) == 0);
    LayerTest::TearDown();
  }

  void add(std::size_t count) {
    const UniqueFd folder(::open((upper() + "/a").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    for (std::size_t i = 0; i < count; ++i)
      ASSERT_EQ(::linkat(folder.get(), "first", folder.get(), std::to_string(made_++).c_str(), 0), 0) << made_;
  }
  Result<std::size_t> entries() {
    const auto found = workspace::walk(layer(), {}, workspace::Access::look);
    return found ? Result<std::size_t>(found->size()) : std::unexpected(found.error());
  }

  bool mounted_{};
  std::size_t made_{};
};

TEST_F(Limits, a_million_paths_and_no_more) {
  add(workspace::max_entries - 2);  // beside the folder and the first
  const auto most = entries();
  ASSERT_TRUE(most) << most.error().message();
  EXPECT_EQ(*most, workspace::max_entries);
  for (const char* why : {"the layer has more than 1000000 changed paths", "a folder with more than 1000000 entries"}) {
    add(1);
    const auto more = entries();
    ASSERT_FALSE(more);
    EXPECT_EQ(more.error().kind(), ErrorKind::exhausted);
    EXPECT_THAT(more.error().message(), ::testing::HasSubstr(why));
  }
}

}  // namespace
}  // namespace agentos::test
