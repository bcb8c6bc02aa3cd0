#include "daemon/fields.hpp"

#include <boost/json/parse.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "daemon/agent_json.hpp"
#include "daemon/features.hpp"

namespace agentos::daemon {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(Fields, ReadsWhatIsThere) {
  const auto body = boost::json::parse(
      R"({"name":"x","tty":true,"command":["a","b"],"env":{"A":"1"},"rows":24,"limits":{"cpu":5},"none":null})");
  Fields fields(body);
  EXPECT_EQ(fields.text("name"), "x");
  EXPECT_TRUE(fields.flag("tty"));
  EXPECT_THAT(fields.texts("command"), ElementsAre("a", "b"));
  EXPECT_THAT(fields.variables("env"), ElementsAre("A=1"));
  EXPECT_EQ(fields.number<std::uint16_t>("rows"), 24);
  EXPECT_EQ(fields.inside("limits").number<std::uint32_t>("cpu"), 5U);
  EXPECT_EQ(fields.number<std::uint16_t>("none"), std::nullopt);
  EXPECT_THAT(fields.reasons(), IsEmpty());
}

TEST(Fields, TellsEverythingThatIsWrong) {
  const auto body = boost::json::parse(
      R"({"name":1,"tty":"yes","command":["a",2],"env":{"A=B":"1"},"rows":70000,"low":-1,"tyop":0})");
  Fields fields(body);
  EXPECT_EQ(fields.text("name"), "");
  EXPECT_FALSE(fields.flag("tty"));
  EXPECT_THAT(fields.texts("command"), IsEmpty());
  EXPECT_THAT(fields.variables("env"), IsEmpty());
  EXPECT_EQ(fields.number<std::uint16_t>("rows"), std::nullopt);
  EXPECT_EQ(fields.number<std::uint16_t>("low"), std::nullopt);
  EXPECT_THAT(fields.reasons(),
              ElementsAre(HasSubstr("name must be a string"), HasSubstr("tty"), HasSubstr("command"), HasSubstr("env"),
                          HasSubstr("0 to 65535"), HasSubstr("low"), HasSubstr("unknown member 'tyop'")));
}

TEST(Fields, AnythingButAnObjectIsRefused) {
  const boost::json::value list = boost::json::array{};
  EXPECT_THAT(Fields(list).reasons(), ElementsAre(HasSubstr("must be a JSON object")));
  const boost::json::value nothing;
  EXPECT_THAT(Fields(nothing).reasons(), IsEmpty());
}

TEST(Time, IsWrittenAndReadInOneForm) {
  const TimePoint time(std::chrono::milliseconds(1'763'911'683'123));
  EXPECT_EQ(format_time(time), "2025-11-23T15:28:03.123Z");
  EXPECT_EQ(parse_time("2025-11-23T15:28:03.123Z"), time);
  EXPECT_EQ(parse_time("2025-11-23T15:28:03.123999999Z"), time);
  EXPECT_EQ(parse_time("2025-11-23T15:28:03.1Z"), time - std::chrono::milliseconds(23));
  EXPECT_EQ(parse_time("2025-11-23T15:28:03Z"), time - std::chrono::milliseconds(123));
  for (const auto* wrong :
       {"", "2025-11-23", "2025-13-23T15:28:03Z", "2025-02-30T15:28:03Z", "2025-11-23T25:28:03Z",
        "2025-11-23T15:28:03+01:00", "2025-11-23T15:28:03.Z", "2025-11-23 15:28:03Z", "-025-11-23T15:28:03Z"}) {
    EXPECT_EQ(parse_time(wrong), std::nullopt) << wrong;
  }
}

TEST(Time, OfYearsThatNanosecondsDoNotReachIsTheNearestThatTheyDo) {
  const auto time = parse_time("2025-11-23T15:28:03.123Z");
  EXPECT_EQ(nanoseconds_of(*time), 1'763'911'683'123'000'000);
  EXPECT_GT(nanoseconds_of(*parse_time("9999-12-31T23:59:59Z")), nanoseconds_of(*parse_time("2261-12-31T23:59:59Z")));
  EXPECT_LT(nanoseconds_of(*parse_time("0000-01-01T00:00:00Z")), nanoseconds_of(*parse_time("1678-01-01T00:00:00Z")));
}

TEST(Features, AHostThatLacksEverythingSaysHowToMendIt) {
  for (const auto& feature : features_of(HostFacts())) {
    EXPECT_NE(feature.state, Feature::State::enforced) << feature.name;
    EXPECT_FALSE(feature.detail.empty()) << feature.name;
    EXPECT_TRUE(feature.name == "systemd" || !feature.remedy.empty()) << feature.name;
  }
}

TEST(Features, AHostThatHasEverythingEnforcesEverything) {
  HostFacts facts;
  facts.cgroup_root = "/sys/fs/cgroup";
  facts.controllers = {"cpu", "memory", "pids", "io"};
  facts.systemd = facts.cgroup_kill = facts.cgroup_freeze = facts.clone_into_cgroup = facts.user_namespace = true;
  facts.id_mapped_mounts = facts.seccomp_filter = facts.bpf_lsm = facts.bpf_cgroup = facts.overlay = true;
  facts.layer_quota = facts.meter = facts.meter_scripts = true;
  facts.landlock_abi = 2;
  for (const auto& feature : features_of(facts)) {
    EXPECT_EQ(feature.state, Feature::State::enforced) << feature.name;
    EXPECT_EQ(feature.remedy, "") << feature.name;
  }
}

}  // namespace
}  // namespace agentos::daemon
