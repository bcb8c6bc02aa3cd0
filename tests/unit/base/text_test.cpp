#include "agentos/base/text.hpp"

#include <gtest/gtest.h>

namespace agentos {
namespace {

TEST(Utf8, IsToldFromOtherBytes) {
  for (const auto* text : {"", "plain", "caf\xc3\xa9", "\xf0\x9f\x98\x80", "\n"}) EXPECT_TRUE(is_utf8(text)) << text;
  // Cut short, stray, overlong, a surrogate, past the last.
  for (const auto* text : {"\xc3", "a\xa9", "\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80"})
    EXPECT_FALSE(is_utf8(text));
}

TEST(Printable, plain_text_stays) {
  EXPECT_EQ(printable("fix the bug in café.py, 日本語 ✓"), "fix the bug in café.py, 日本語 ✓");
}

TEST(Printable, controls_are_shown_not_sent) {
  EXPECT_EQ(printable("\x1b[2J\x1b]0;title\x07"), "\\x1b[2J\\x1b]0;title\\x07");
  EXPECT_EQ(printable("a\rb\nc\td"), "a\\x0db\\x0ac\\x09d");
  EXPECT_EQ(printable("a\rb\nc\td", true), "a\\x0db\nc\td");
  EXPECT_EQ(printable("\x7f"), "\\x7f");
  EXPECT_EQ(printable(std::string_view("\0", 1)), "\\x00");
}

TEST(Printable, c1_controls_and_reordering_are_shown) {
  EXPECT_EQ(printable("\xc2\x9b"
                      "31m"),
            "\\u{009b}31m");  // CSI as one character
  EXPECT_EQ(printable("\xe2\x80\xae"), "\\u{202e}");
  EXPECT_EQ(printable("\xe2\x81\xa6"), "\\u{2066}");
}

TEST(Printable, what_is_no_utf8_is_shown_as_bytes) {
  EXPECT_EQ(printable("\xff\xfe"), "\\xff\\xfe");
  EXPECT_EQ(printable("\xc0\x9b"), "\\xc0\\x9b");           // overlong escape
  EXPECT_EQ(printable("\xed\xa0\x80"), "\\xed\\xa0\\x80");  // surrogate
  EXPECT_EQ(printable("\xe2\x80"), "\\xe2\\x80");           // cut off
}

TEST(ParseBytes, units) {
  EXPECT_EQ(parse_bytes("4096"), 4096U);
  EXPECT_EQ(parse_bytes("512MiB"), 512U * 1024 * 1024);
  EXPECT_EQ(parse_bytes("1.5G"), 1536U * 1024 * 1024);
  EXPECT_EQ(parse_bytes("2GB"), 2'000'000'000U);
  EXPECT_EQ(parse_bytes("0"), 0U);
}

TEST(ParseBytes, refuses_with_a_hint) {
  for (const char* text : {"", "MiB", "-1", "1e9", "12 MiB", "5XB", "nan", "inf", "99999999999T", "0x10"}) {
    const auto parsed = parse_bytes(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().kind(), ErrorKind::invalid);
    EXPECT_NE(parsed.error().hint(), "");
  }
}

TEST(ParseDuration, units) {
  EXPECT_EQ(parse_duration_ms("90"), 90'000U);
  EXPECT_EQ(parse_duration_ms("90s"), 90'000U);
  EXPECT_EQ(parse_duration_ms("1h30m"), 5'400'000U);
  EXPECT_EQ(parse_duration_ms("250ms"), 250U);
  EXPECT_EQ(parse_duration_ms("1.5h"), 5'400'000U);
  for (const char* text : {"", "h", "1h30", "1x", "-5s", "5 s"}) EXPECT_FALSE(parse_duration_ms(text)) << text;
}

TEST(ParseCpu, cpus_and_percent) {
  EXPECT_EQ(parse_cpu_percent("1.5"), 150U);
  EXPECT_EQ(parse_cpu_percent("150%"), 150U);
  for (const char* text : {"", "0", "-1", "x", "1e9"}) EXPECT_FALSE(parse_cpu_percent(text)) << text;
}

TEST(FormatBytes, three_digits_and_a_unit) {
  EXPECT_EQ(format_bytes(0), "0B");
  EXPECT_EQ(format_bytes(1023), "1023B");
  EXPECT_EQ(format_bytes(512U << 20U), "512.0MiB");
}

TEST(IsName, letters_digits_dash_underscore) {
  for (const char* text : {"a", "builder-2", "7_x"}) EXPECT_TRUE(is_name(text)) << text;
  EXPECT_TRUE(is_name(std::string(63, 'a')));
  EXPECT_FALSE(is_name(std::string(64, 'a')));
  for (const char* text : {"", "-a", "_a", "A", "a.b", "a/b", "..", "a b", "a\n", "ä"})
    EXPECT_FALSE(is_name(text)) << text;
}

TEST(EditDistance, CountsLetters) {
  EXPECT_EQ(edit_distance("memory", "memory"), 0U);
  EXPECT_EQ(edit_distance("memroy", "memory"), 2U);
  EXPECT_EQ(edit_distance("", "abc"), 3U);
  EXPECT_EQ(edit_distance("abc", "ab"), 1U);
}

}  // namespace
}  // namespace agentos
