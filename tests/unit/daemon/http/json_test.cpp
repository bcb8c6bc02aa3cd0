#include "daemon/http/json.hpp"

#include <string>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace agentos::http {
namespace {

std::string repeated(std::string_view text, std::size_t times) {
  std::string all;
  for (std::size_t i = 0; i < times; ++i) all += text;
  return all;
}

std::string error_of(std::string_view text) {
  const auto parsed = parse_json(text);
  if (parsed) return "parsed as " + boost::json::serialize(*parsed);
  EXPECT_EQ(parsed.error().kind(), ErrorKind::invalid);
  return parsed.error().message();
}

TEST(Json, ReadsEveryKindOfValue) {
  const std::string text = R"({"a":[1,-2,3.5,true,false,null,"text"],"b":{"":18446744073709551615},"ü":"\u00fc\n"})";
  const auto parsed = parse_json(text);
  ASSERT_TRUE(parsed);
  EXPECT_EQ(boost::json::serialize(*parsed), boost::json::serialize(boost::json::parse(text)));
}

TEST(Json, SaysWhereTheMistakeIs) {
  EXPECT_THAT(error_of("{\"a\": 1,\n \"b\": nul}"), testing::HasSubstr("line 2, column "));
  EXPECT_THAT(error_of("{\"a\": 1,\n \"b\": 2} x"), testing::HasSubstr("line 2, column "));
  EXPECT_THAT(error_of("[1, 2"), testing::HasSubstr("line 1, column 6"));
  EXPECT_THAT(error_of(""), testing::HasSubstr("line 1, column 1"));
}

TEST(Json, DepthHasALimit) {
  const auto nested = [](std::size_t depth) { return repeated("[", depth) + repeated("]", depth); };
  EXPECT_TRUE(parse_json(nested(max_json_depth)));
  EXPECT_THAT(error_of(nested(max_json_depth + 1)), testing::HasSubstr("line 1, column"));
}

TEST(Json, NumberOfValuesHasALimit) {
  // The array itself is one of them.
  EXPECT_TRUE(parse_json("[" + repeated("0,", max_json_values - 2) + "0]"));
  EXPECT_THAT(error_of("[" + repeated("0,", max_json_values - 1) + "0]"), testing::HasSubstr("more values"));
}

TEST(Json, DuplicateKeysAreRefused) {
  EXPECT_TRUE(parse_json(R"({"a":{"b":1},"b":{"a":2}})"));
  EXPECT_THAT(error_of(R"({"a":1,"b":{},"a":2})"), testing::HasSubstr("twice"));
  EXPECT_THAT(error_of(R"([{"x":{"k":1,"\u006b":2}}])"), testing::HasSubstr("twice"));
}

TEST(Json, NulInStringsAndKeysIsRefused) {
  EXPECT_TRUE(parse_json(R"(["a\u0001b"])"));
  EXPECT_THAT(error_of(R"(["a\u0000b"])"), testing::HasSubstr("NUL"));
  EXPECT_THAT(error_of(R"({"\u0000":1})"), testing::HasSubstr("NUL"));
}

TEST(Json, NotStrictJsonIsRefused) {
  for (const char* text : {"[1,]", "{a:1}", "// c\n1", "NaN", "'a'", "\"\xff\"", "01", "\"\t\"", "\xef\xbb\xbf[]"}) {
    EXPECT_FALSE(parse_json(text)) << text;
  }
}

}  // namespace
}  // namespace agentos::http
