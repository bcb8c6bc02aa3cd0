#include "workspace/tree.hpp"

#include <fcntl.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace agentos::workspace {
namespace {

using ::testing::ElementsAre;

class Trees : public ::testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/var/tmp/agentos-tree-test-XXXXXX";
    ASSERT_NE(::mkdtemp(name), nullptr);
    folder_ = name;
    fd_.reset(::open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string folder_;
  UniqueFd fd_;
};

TEST_F(Trees, are_listed_in_order) {
  for (const char* name : {"b", "a\n", "\xff", "c"}) std::ofstream(folder_ + "/" + name) << "x";
  EXPECT_THAT(names_in(fd_.get()).value(), ElementsAre("a\n", "b", "c", "\xff"));
  EXPECT_THAT(names_in(fd_.get()).value(), ElementsAre("a\n", "b", "c", "\xff")) << "again, from the start";
}

TEST_F(Trees, are_opened_without_following_links) {
  std::filesystem::create_directory(folder_ + "/d");
  std::filesystem::create_symlink("d", folder_ + "/link");
  std::ofstream(folder_ + "/d/file") << "x";
  std::filesystem::create_symlink("d/file", folder_ + "/filelink");
  EXPECT_TRUE(open_folder(fd_.get(), "d"));
  EXPECT_FALSE(open_folder(fd_.get(), "link"));
  EXPECT_TRUE(open_folder_at(fd_.get(), "d"));
  EXPECT_FALSE(open_folder_at(fd_.get(), "link"));
  EXPECT_FALSE(open_folder_at(fd_.get(), "../"));
  EXPECT_FALSE(open_file(fd_.get(), "filelink"));
  ASSERT_EQ(::mkfifo((folder_ + "/fifo").c_str(), 0600), 0);
  EXPECT_EQ(open_file(fd_.get(), "fifo").error().kind(), ErrorKind::conflict) << "and it does not wait for a writer";
}

TEST_F(Trees, rights_are_added_to_what_is_named_not_to_where_a_link_leads) {
  std::ofstream(folder_ + "/file") << "x";
  ASSERT_EQ(::chmod((folder_ + "/file").c_str(), 0), 0);
  std::filesystem::create_symlink("file", folder_ + "/link");
  EXPECT_FALSE(add_owner_rights(fd_.get(), "link", 0400));
  EXPECT_EQ(look(fd_.get(), "file").value()->st_mode & 0777U, 0U);
  EXPECT_TRUE(add_owner_rights(fd_.get(), "file", 0400));
  EXPECT_EQ(look(fd_.get(), "file").value()->st_mode & 0777U, 0400U);
}

TEST_F(Trees, of_any_depth_are_removed) {
  // Deeper than descriptors, stack and PATH_MAX reach.
  UniqueFd at(::dup(fd_.get()));
  for (int depth = 0; depth < 3000; ++depth) {
    ASSERT_EQ(::mkdirat(at.get(), "deeper", 0700), 0);
    ASSERT_EQ(::mknodat(at.get(), "file", S_IFREG | 0600, 0), 0);
    at = open_folder(at.get(), "deeper").value();
  }
  ASSERT_TRUE(remove_tree(fd_.get(), "deeper"));
  EXPECT_THAT(names_in(fd_.get()).value(), ElementsAre("file"));
  EXPECT_TRUE(remove_tree(fd_.get(), "deeper")) << "nothing there is well";
}

TEST_F(Trees, attributes_are_the_users_own) {
  const UniqueFd file(::open((folder_ + "/file").c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600));
  ASSERT_EQ(::fsetxattr(file.get(), "user.mine", "1", 1, 0), 0);
  ASSERT_EQ(::fsetxattr(file.get(), "user.overlay.origin", "", 0, 0), 0);
  EXPECT_EQ(attributes_of(file.get()).value(), (Attributes{{"user.mine", "1"}}));
  EXPECT_EQ(overlay_mark(file.get(), "origin"), "");
  EXPECT_EQ(overlay_mark(file.get(), "opaque"), std::nullopt);
  ASSERT_TRUE(set_attributes(file.get(), {{"user.other", "2"}}));
  EXPECT_EQ(attributes_of(file.get()).value(), (Attributes{{"user.other", "2"}}));
  EXPECT_EQ(overlay_mark(file.get(), "origin"), "") << "the overlay's own are left alone";
}

TEST(Times, are_compared_by_the_millisecond) {
  const TimePoint start(std::chrono::milliseconds(1500));
  EXPECT_FALSE(since({1, 499999999}, start));
  EXPECT_TRUE(since({1, 500000000}, start));
  EXPECT_TRUE(since({2, 0}, start));
  EXPECT_FALSE(since({0, 999999999}, start));
}

}  // namespace
}  // namespace agentos::workspace
