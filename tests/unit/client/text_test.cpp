#include <boost/json/parse.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agentos/client/client.hpp"

namespace agentos::client {
namespace {

TEST(Escape, LeavesNothingThatCouldEndAPathSegmentOrQuery) {
  EXPECT_EQ(escape("builder-1_x"), "builder-1_x");
  EXPECT_EQ(escape("a/b?c#d&e=f g%"), "a%2Fb%3Fc%23d%26e%3Df%20g%25");
  EXPECT_EQ(escape("ä\n"), "%C3%A4%0A");
  EXPECT_EQ(escape(".."), "%2E%2E");
  EXPECT_EQ(escape("."), "%2E");
}

TEST(Base64, Decodes) {
  for (const auto& [text, bytes] :
       {std::pair{"", ""}, {"Zg==", "f"}, {"Zm8=", "fo"}, {"Zm9v", "foo"}, {"Zm9vYmE=", "fooba"}}) {
    const auto decoded = decode_base64(text);
    ASSERT_TRUE(decoded) << text;
    EXPECT_EQ(*decoded, bytes);
  }
  EXPECT_EQ(decode_base64("AP+A/w==").value(), std::string("\x00\xff\x80\xff", 4));
}

TEST(Base64, RefusesWhatIsNone) {
  for (const auto* text : {"Zg", "Zg=", "Z===", "Zg==Zg==", "Zm9\n", "====", "Zm9v="})
    EXPECT_FALSE(decode_base64(text)) << text;
}

TEST(Problem, TakesKindMessageHintAndReasons) {
  const auto error = error_of_problem(
      422, boost::json::parse(R"({"title":"T","status":422,"detail":"refused","hint":"do this","kind":"unsupported",
    "reasons":["no memory controller", {"message":"no cpu controller"}]})"));
  EXPECT_EQ(error.kind(), ErrorKind::unsupported);
  EXPECT_EQ(error.message(), "refused; no memory controller; no cpu controller");
  EXPECT_EQ(error.hint(), "do this");
}

TEST(Problem, FallsBackToTheStatus) {
  EXPECT_EQ(error_of_problem(403, nullptr).kind(), ErrorKind::forbidden);
  EXPECT_EQ(error_of_problem(409, boost::json::parse(R"({"kind":"something new"})")).kind(), ErrorKind::conflict);
  EXPECT_EQ(error_of_problem(507, boost::json::parse("[]")).kind(), ErrorKind::exhausted);
  EXPECT_EQ(error_of_problem(418, nullptr).kind(), ErrorKind::internal);
  EXPECT_EQ(error_of_problem(400, boost::json::parse(R"({"title":"Bad Request","detail":7})")).message(),
            "Bad Request");
}

std::vector<std::string> events(std::string_view stream, std::size_t piece) {
  EventParser parser;
  std::vector<std::string> seen;
  for (std::size_t at = 0; at < stream.size(); at += piece) {
    parser.feed(stream.substr(at, piece));
    while (const auto event = parser.next()) seen.push_back(event->name + "|" + event->data);
  }
  return seen;
}

TEST(EventParser, KnowsEveryFormOfTheStandard) {
  const std::string stream =
      "\xEF\xBB\xBF: comment\n"
      "data: one\n\n"
      "event:named\r\ndata:two\r\ndata: lines\r\n\r\n"
      "data\rid: 7\rretry: 3\r\r"
      "event: nothing to say\n\n"
      "data:  kept space\nunknown: x\n\n"
      "data: never finished\n";
  for (std::size_t piece = 1; piece < 20; ++piece) {
    EXPECT_THAT(events(stream, piece),
                ::testing::ElementsAre("message|one", "named|two\nlines", "message|", "message| kept space"))
        << piece;
  }
}

TEST(EventParser, BoundsAnEvent) {
  EventParser parser;
  parser.feed("data: small\n\n");
  EXPECT_TRUE(parser.next());
  EXPECT_FALSE(parser.overflowed());
  parser.feed(std::string(EventParser::pending_max + 1, 'x'));
  EXPECT_FALSE(parser.next());
  EXPECT_TRUE(parser.overflowed());
}

}  // namespace
}  // namespace agentos::client
