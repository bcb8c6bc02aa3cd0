#include "cli/patch.hpp"

#include <gtest/gtest.h>

#include "cli/layer.hpp"

namespace agentos::cli {
namespace {

TEST(Patches, quote_names_as_git_does) {
  EXPECT_EQ(quoted("src/a b.cpp"), "src/a b.cpp");
  EXPECT_EQ(quoted("caf\xc3\xa9"), "caf\xc3\xa9");
  EXPECT_EQ(quoted("a\nb"), R"("a\012b")");
  EXPECT_EQ(quoted("say \"x\\\""), R"("say \"x\\\"")");
  EXPECT_EQ(quoted("\x1b[2J\xff"), R"("\033[2J\377")");
  EXPECT_EQ(quoted("right\xe2\x80\xaeleft"), R"("right\342\200\256left")") << "reorders what is read";
}

TEST(Patches, on_a_terminal_hold_no_escape_sequences) {
  EXPECT_EQ(for_terminal("+a\x1b[2J\tb\n-\x9b\n", false), "+a\\x1b[2J\tb\n-\\x9b\n");
  EXPECT_EQ(for_terminal("", false), "");
}

TEST(Patches, on_a_terminal_have_colours) {
  EXPECT_EQ(for_terminal("--- a/x\n-old\n+new\n@@ -1 +1 @@\n same\n# note\n", true),
            "\x1b[1m--- a/x\x1b[m\n\x1b[31m-old\x1b[m\n\x1b[32m+new\x1b[m\n\x1b[36m@@ -1 +1 @@\x1b[m\n same\n"
            "\x1b[33m# note\x1b[m\n");
}

TEST(Layers, know_whether_a_path_is_among_the_changes) {
  const auto wanted = [](const char* path) { return workspace::Selection::parse({path}, "/w").value(); };
  const std::vector<std::string_view> changes{"src/a.cpp", "doc"};
  EXPECT_TRUE(check_found(wanted("src"), changes));
  EXPECT_TRUE(check_found(wanted("doc"), changes));
  EXPECT_TRUE(check_found(wanted("."), {}));
  EXPECT_EQ(check_found(wanted("sr"), changes).error().kind(), ErrorKind::not_found);
}

}  // namespace
}  // namespace agentos::cli
