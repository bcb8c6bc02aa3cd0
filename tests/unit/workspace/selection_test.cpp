#include "workspace/selection.hpp"

#include <gtest/gtest.h>

namespace agentos::workspace {
namespace {

TEST(Selection, without_paths_is_everything) {
  const auto all = Selection::parse({}, "/w").value();
  EXPECT_TRUE(all.everything());
  EXPECT_TRUE(all.contains("a/b"));
  EXPECT_TRUE(Selection::parse({"."}, "/w").value().everything());
  EXPECT_TRUE(Selection::parse({"a", "/w"}, "/w").value().everything());
}

TEST(Selection, of_files_and_folders) {
  const auto some = Selection::parse({"src", "./doc//a.md", "/w/x/y/"}, "/w").value();
  EXPECT_FALSE(some.everything());
  for (const auto* path : {"src", "src/a", "src/a/b", "doc/a.md", "x/y", "x/y/z"})
    EXPECT_TRUE(some.contains(path)) << path;
  for (const auto* path : {"srcs", "doc", "doc/a.mdx", "x", "x/yy", ""}) EXPECT_FALSE(some.contains(path)) << path;
}

TEST(Selection, stays_in_the_workspace) {
  for (const auto* path : {"/other", "/wide", "..", "a/../../b", ""}) {
    const auto selection = Selection::parse({path}, "/w");
    ASSERT_FALSE(selection) << path;
    EXPECT_EQ(selection.error().kind(), ErrorKind::invalid);
  }
  EXPECT_TRUE(Selection::parse({"/x"}, "/"));
}

TEST(Selection, takes_any_bytes) {
  EXPECT_TRUE(Selection::parse({"a\nb\xff"}, "/w").value().contains("a\nb\xff/c"));
}

TEST(Paths, have_a_parent_and_a_name) {
  EXPECT_EQ(parent_of("a/b/c"), "a/b");
  EXPECT_EQ(parent_of("a"), "");
  EXPECT_EQ(name_of("a/b/c"), "c");
  EXPECT_EQ(name_of("a"), "a");
}

}  // namespace
}  // namespace agentos::workspace
