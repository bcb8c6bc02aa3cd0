#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/selftest_report.hpp"

namespace agentos::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::string_view held = "a\tcapabilities\theld\tnone\tnone\tall five sets are empty\t\n";
constexpr std::string_view call = "d\tmount\theld\tEPERM\tEPERM\tseccomp\t165 1 2 3 0 0 0\n";
constexpr std::string_view open = "e\thost-sockets\topen\tnone\t1: /run/\x1b[31mdocker.sock\t\t\n";

TEST(SelftestReport, TellsWhatHeldAndWhatIsOpen) {
  auto report = SelftestReport::parse(std::string(held) + std::string(call) + std::string(open) + "end\t3\n");
  ASSERT_TRUE(report) << report.error().message();
  EXPECT_EQ(report->open(), 1U);
  ASSERT_EQ(report->cases().size(), 3U);
  EXPECT_EQ(report->cases()[1].call, 165);
  report->explain_calls({{165, "the set 'agent' answers EPERM"}});
  const auto text = report->text();
  EXPECT_THAT(text, HasSubstr("seccomp: the set 'agent' answers EPERM"));
  EXPECT_THAT(text, HasSubstr("2 held, 1 open\nOPEN: terminals and IPC: host-sockets\n"));
  EXPECT_THAT(text, Not(HasSubstr("\x1b"))) << "what an agent's program says reaches the terminal neutralised";
  const auto json = report->json();
  EXPECT_EQ(json.at("held").to_number<int>(), 2);
  EXPECT_EQ(json.at("open").to_number<int>(), 1);
  EXPECT_EQ(json.at("cases").as_array()[2].at("state").as_string(), "open");
}

TEST(SelftestReport, RefusesWhatIsNotWhole) {
  const auto error_of = [](const std::string& lines) {
    const auto report = SelftestReport::parse(lines);
    return report ? std::string("none") : report.error().message();
  };
  EXPECT_THAT(error_of(""), HasSubstr("did not come to its end"));
  EXPECT_THAT(error_of("end\t0\n"), HasSubstr("did not come to its end")) << "no case is no test";
  EXPECT_THAT(error_of(std::string(held)), HasSubstr("told of 1 cases"));
  EXPECT_THAT(error_of(std::string(held) + "end\t2\n"), HasSubstr("did not come to its end"));
  EXPECT_THAT(error_of(std::string(held) + "end\t1\n" + std::string(open)), HasSubstr("the probe said"));
  EXPECT_THAT(error_of("a\tcapabilities\tperhaps\tnone\tnone\t\t\nend\t1\n"), HasSubstr("the probe said"));
  EXPECT_THAT(error_of("Segmentation fault\n"), HasSubstr("the probe said 'Segmentation fault'"));
}

}  // namespace
}  // namespace agentos::cli
