#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <gtest/gtest.h>

#include "cli/detach_keys.hpp"
#include "cli/json_text.hpp"
#include "cli/log_printer.hpp"
#include "cli/neutral.hpp"
#include "cli/table.hpp"

namespace agentos::cli {
namespace {

TEST(DetachKeys, FindsTheSequenceAcrossPieces) {
  auto keys = DetachKeys::parse("ctrl-p,ctrl-q").value();
  EXPECT_EQ(keys.filter("ls\r\x10"), "ls\r");  // ctrl-p is held back
  EXPECT_FALSE(keys.complete());
  EXPECT_EQ(keys.filter("\x11rest"), "");
  EXPECT_TRUE(keys.complete());
}

TEST(DetachKeys, PassesOnWhatOnlyBeganLikeIt) {
  auto keys = DetachKeys::parse("ctrl-p,ctrl-q").value();
  EXPECT_EQ(keys.filter("\x10"), "");
  EXPECT_EQ(keys.filter("x"), "\x10x");
  EXPECT_EQ(keys.filter("\x10\x10"), "\x10");  // the second may begin it anew
  EXPECT_EQ(keys.filter("\x11"), "");
  EXPECT_TRUE(keys.complete());
}

TEST(DetachKeys, OverlappingSequences) {
  auto keys = DetachKeys::parse("a,a,b").value();
  EXPECT_EQ(keys.filter("aaab"), "a");
  EXPECT_TRUE(keys.complete());
}

TEST(DetachKeys, NoneHoldsNothingBack) {
  auto keys = DetachKeys::parse("").value();
  EXPECT_EQ(keys.filter("\x10\x11"), "\x10\x11");
  EXPECT_FALSE(keys.complete());
}

TEST(DetachKeys, RefusesWhatIsNoKey) {
  for (const auto* text : {"ctrl-", "ctrl-1", "ctrl-pp", "ab", "ctrl-p,", ",", " ", "\x1b", "Ctrl-p"}) {
    EXPECT_FALSE(DetachKeys::parse(text)) << text;
  }
  EXPECT_TRUE(DetachKeys::parse("ctrl-],x,ctrl-A"));
}

std::string neutral(std::string_view text, std::size_t piece) {
  Neutralizer neutralizer;
  std::string result;
  for (std::size_t at = 0; at < text.size(); at += piece) result += neutralizer.feed(text.substr(at, piece));
  return result + neutralizer.finish();
}

TEST(Neutralizer, GivesTheSameForEveryCut) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"plain\ttext\nwith lines\n", "plain\ttext\nwith lines\n"},
      {"größer 語 🦊\n", "größer 語 🦊\n"},
      {"\x1b[31mred\x1b[0m \x1b[1;38;5;208mx\x1b[m\n", "red x\n"},
      {"a\r\nb\r\n", "a\nb\n"},
      {"10%\r50%\r100%\n", "10%\n50%\n100%\n"},
      {"end\r", "end\n"},
      {"\x1b]0;title\x07", "\\x1b]0;title\\x07"},                  // a window title
      {"\x1b[2J\x1b[H", "\\x1b[2J\\x1b[H"},                        // clear, home
      {"\x1b]52;c;cHduZWQ=\x1b\\", "\\x1b]52;c;cHduZWQ=\\x1b\\"},  // the clipboard
      {"\x1b[31", "\\x1b[31"},
      {"\x1b\x1b[0mm", "\\x1bm"},
      {"\xc2\x9b"
       "31m",
       "\\u{009b}31m"},  // CSI as one C1 character
      {"bad \xff\xc3( utf\xe2\x82", "bad \\xff\\xc3( utf\\xe2\\x82"},
      {"\xe2\x80\xae"
       "evil",
       "\\u{202e}evil"},  // right-to-left override
      {"\b\b\x7f", "\\x08\\x08\\x7f"},
  };
  for (const auto& [text, wanted] : cases) {
    for (std::size_t piece = 1; piece <= text.size() + 1; ++piece) EXPECT_EQ(neutral(text, piece), wanted) << piece;
  }
}

TEST(Neutralizer, BoundsWhatItHoldsBack) {
  const std::string endless = "\x1b[" + std::string(100, '1');
  EXPECT_EQ(neutral(endless, 1), "\\x1b[" + std::string(100, '1'));
}

class Log : public ::testing::Test {
 protected:
  LogPrinter printer(LogPrinter::Style style) {
    return {style, [this](bool is_error, std::string_view text) -> Result<> {
              (is_error ? err_ : out_) += text;
              return {};
            }};
  }
  std::string out_, err_;
};

TEST_F(Log, PartsTheStreams) {
  auto log = printer({});
  ASSERT_TRUE(log.record(false, "T", "out \x1b[1mbold"));
  ASSERT_TRUE(log.record(true, "T", "err\x07\n"));
  ASSERT_TRUE(log.finish());
  EXPECT_EQ(out_, "out bold");
  EXPECT_EQ(err_, "err\\x07\n");
}

TEST_F(Log, PutsOneTimeInFrontOfEachLine) {
  auto log = printer({.timestamps = true});
  ASSERT_TRUE(log.record(false, "10:00", "one\ntw"));
  ASSERT_TRUE(log.record(true, "10:01", "other\n"));
  ASSERT_TRUE(log.record(false, "10:02", "o\n\nthree"));
  ASSERT_TRUE(log.finish());
  EXPECT_EQ(out_, "10:00 one\n10:00 two\n10:02 \n10:02 three");
  EXPECT_EQ(err_, "10:01 other\n");
}

TEST_F(Log, RawChangesNothing) {
  const std::string bytes("\x1b]0;x\x07\r\n\xff\0", 9);
  auto log = printer({.raw = true});
  ASSERT_TRUE(log.record(false, "T", bytes));
  ASSERT_TRUE(log.finish());
  EXPECT_EQ(out_, bytes);
}

TEST(Table, AlignsAndCuts) {
  Table table({"ID", "NAME", "COMMAND"});
  table.add({"a1", "語", "run \x1b[2J"});
  table.add({"a22", "builder", "make"});
  EXPECT_EQ(table.text(),
            "ID   NAME     COMMAND\n"
            "a1   語       run \\x1b[2J\n"
            "a22  builder  make\n");
  EXPECT_EQ(table.text(16),
            "ID   NAME     C…\n"
            "a1   語       r…\n"
            "a22  builder  m…\n");
}

TEST(Table, FitKeepsWideCharactersWhole) {
  EXPECT_EQ(fit("abc", 3), "abc");
  EXPECT_EQ(fit("abcd", 3), "ab…");
  EXPECT_EQ(fit("語語", 3), "語…");
  EXPECT_EQ(fit("語語", 2), "…");
  EXPECT_EQ(fit("x", 0), "");
  EXPECT_EQ(columns_of("e\xcc\x81"), 1U);  // e and a combining accent
}

TEST(Json, EscapesWhatATerminalWouldObey) {
  const boost::json::object hostile{{"goal", "a\x1b[2J\x7f\xc2\x9b\xe2\x80\xae\xf3\xa0\x80\xa1 ok 語"}};
  const auto line = json_line(hostile);
  EXPECT_EQ(line, "{\"goal\":\"a\\u001b[2J\\u007f\\u009b\\u202e\\udb40\\udc21 ok 語\"}\n");
  EXPECT_EQ(boost::json::parse(line), boost::json::value(hostile));  // and nothing is lost
}

TEST(Json, IndentsForPeople) {
  const auto value = boost::json::parse(R"({"a":[1,{"b":"x"}],"c":{},"d":[]})");
  EXPECT_EQ(json_pretty(value),
            "{\n  \"a\": [\n    1,\n    {\n      \"b\": \"x\"\n    }\n  ],\n  \"c\": {},\n  \"d\": []\n}\n");
  EXPECT_EQ(boost::json::parse(json_pretty(value)), value);
}

}  // namespace
}  // namespace agentos::cli
