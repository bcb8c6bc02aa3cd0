#include "workspace/text_diff.hpp"

#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>

#include <gtest/gtest.h>

namespace agentos::workspace {
namespace {

std::string hunks(std::string_view before, std::string_view after) {
  return diff_text(before, after).value().hunks;
}

TEST(TextDiff, of_equal_texts_is_empty) {
  EXPECT_EQ(hunks("", ""), "");
  EXPECT_EQ(hunks("a\nb\n", "a\nb\n"), "");
}

TEST(TextDiff, of_new_and_of_removed_text) {
  EXPECT_EQ(hunks("", "a\n"), "@@ -0,0 +1 @@\n+a\n");
  EXPECT_EQ(hunks("a\nb\n", ""), "@@ -1,2 +0,0 @@\n-a\n-b\n");
}

TEST(TextDiff, tells_of_a_missing_line_end) {
  EXPECT_EQ(hunks("a", "a\n"), "@@ -1 +1 @@\n-a\n\\ No newline at end of file\n+a\n");
  EXPECT_EQ(hunks("x\na\n", "x\na"), "@@ -1,2 +1,2 @@\n x\n-a\n+a\n\\ No newline at end of file\n");
}

TEST(TextDiff, has_three_lines_of_context) {
  EXPECT_EQ(hunks("1\n2\n3\n4\n5\n6\n7\n8\n9\n", "1\n2\n3\n4\nX\n6\n7\n8\n9\n"),
            "@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+X\n 6\n 7\n 8\n");
}

TEST(TextDiff, counts_lines) {
  const auto diff = diff_text("a\nb\nc\n", "a\nx\ny\nc\n").value();
  EXPECT_EQ(diff.insertions, 2U);
  EXPECT_EQ(diff.deletions, 1U);
}

std::string lines(std::size_t count, const std::string& text) {
  std::string all;
  for (std::size_t i = 0; i < count; ++i) all += text + std::to_string(i) + "\n";
  return all;
}

TEST(TextDiff, has_limits) {
  EXPECT_TRUE(diff_text("", std::string(diff_bytes_max, 'x')));
  EXPECT_EQ(diff_text("", std::string(diff_bytes_max + 1, 'x')).error().kind(), ErrorKind::exhausted);
  const auto same = lines(5000, "same ");
  EXPECT_TRUE(diff_text(same + lines(diff_lines_max, "a") + same, same + lines(diff_lines_max, "b") + same));
  EXPECT_EQ(diff_text("z\n", lines(diff_lines_max + 1, "b")).error().kind(), ErrorKind::exhausted);
}

// The judge is patch(1)'s counterpart in git.
TEST(TextDiff, is_what_git_applies) {
  const auto folder = std::filesystem::temp_directory_path() / "agentos-text-diff-test";
  std::filesystem::create_directories(folder);
  const auto write = [&](const char* name, const std::string& text) { std::ofstream(folder / name) << text; };
  const auto read = [&](const char* name) {
    std::stringstream text;
    text << std::ifstream(folder / name).rdbuf();
    return text.str();
  };
  std::mt19937 random(7);
  for (int round = 0; round < 60; ++round) {
    std::string before, after;
    for (unsigned i = 0; i < 60; ++i) {
      const auto line = std::to_string(random() % 8) + "\n";
      const auto what = random() % 10;
      if (what != 0) before += line;
      if (what != 1) after += what == 2 ? "new " + line : line;
    }
    if (round % 3 == 0) before += "end";
    if (round % 4 == 0) after += "end";
    write("file", before);
    write("patch", "--- a/file\n+++ b/file\n" + hunks(before, after));
    ASSERT_EQ(
        std::system(
            ("cd " + folder.string() + " && GIT_CEILING_DIRECTORIES=/ git apply --whitespace=nowarn patch").c_str()),
        0)
        << read("patch");
    ASSERT_EQ(read("file"), after) << read("patch");
  }
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace agentos::workspace
