#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/agent_view.hpp"
#include "cli/doctor_report.hpp"
#include "cli/top_model.hpp"

namespace agentos::cli {
namespace {

using boost::json::parse;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using namespace std::chrono_literals;

TEST(AgentView, ReadsWhatThereIs) {
  const auto agent = parse(
      R"({"id":"a1","name":"b","status":"failed","command":["sh","-c","echo 'x y'",""],"exit_code":3,"signal":null,
    "owner":{"uid":1000},"sandbox":{"not_enforced":["memory limit"]},"usage":{"cpu_usec":5,"memory_current":null},"tty":true})");
  const AgentView view(agent);
  EXPECT_EQ(view.label(), "b");
  EXPECT_TRUE(view.ended());
  EXPECT_EQ(view.command_line(), "sh -c \"echo 'x y'\" \"\"");
  EXPECT_EQ(view.owner(), 1000);
  EXPECT_EQ(view.usage("cpu_usec"), 5);
  EXPECT_EQ(view.usage("memory_current"), std::nullopt);
  EXPECT_THAT(view.not_enforced(), ElementsAre("memory limit"));
  EXPECT_TRUE(view.flag("tty"));
}

TEST(AgentView, NothingIsNoReasonToFail) {
  for (const auto* text :
       {"{}", "null", "[1]", R"({"id":5,"command":"x","owner":[],"usage":3,"sandbox":{"not_enforced":{}}})"}) {
    const auto agent = parse(text);
    const AgentView view(agent);
    EXPECT_EQ(view.id(), "");
    EXPECT_FALSE(view.ended());
    EXPECT_EQ(view.command_line(), "");
    EXPECT_EQ(view.owner(), std::nullopt);
    EXPECT_TRUE(view.not_enforced().empty());
    EXPECT_TRUE(agents_of(agent).empty());
  }
}

TEST(AgentView, ShellStatus) {
  const auto status = [](const char* text) {
    const auto agent = parse(text);
    return AgentView(agent).shell_status();
  };
  EXPECT_EQ(status(R"({"exit_code":0})"), 0);
  EXPECT_EQ(status(R"({"exit_code":143,"signal":15})"), 143);
  EXPECT_EQ(status(R"({"exit_code":null,"signal":9})"), 137);
  EXPECT_EQ(status(R"({"exit_code":null,"signal":null,"started":"2026-11-23T15:28:03Z"})"),
            137);                                                                // killed with its init
  EXPECT_EQ(status(R"({"exit_code":null,"started":null})"), 125);                // it never ran
  EXPECT_EQ(status(R"({"exit_code":null,"signal":9223372036854775807})"), 255);  // another program's answer
}

TEST(AgentView, ANumberThatDoesNotFitIsNone) {
  const auto agent = parse(R"({"pid":1e300,"exit_code":18446744073709551615,"signal":1.5,"usage":{"cpu_usec":4e3}})");
  const AgentView view(agent);
  for (const auto* key : {"pid", "exit_code", "signal"}) EXPECT_EQ(view.number(key), std::nullopt) << key;
  EXPECT_EQ(view.usage("cpu_usec"), 4000);
}

TEST(Time, ReadsAndWritesRfc3339) {
  const auto time = parse_time("2026-11-23T15:28:03.123Z");
  ASSERT_TRUE(time);
  EXPECT_EQ(format_time(*time), "2026-11-23T15:28:03.123Z");
  EXPECT_EQ(format_time(parse_time("1970-01-01T00:00:00Z").value()), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(parse_time("2026-11-23T15:28:03.1239999Z"), time);
  for (const auto* bad :
       {"", "2026", "2026-11-23 15:28:03Z", "2026-11-23T15:28:03", "2026-13-23T15:28:03Z", "2026-02-30T15:28:03Z",
        "2026-11-23T25:28:03Z", "2026-11-23T15:28:03.Z", "2026-11-23T15:28:03.xZ", "+026-11-23T15:28:03Z"}) {
    EXPECT_FALSE(parse_time(bad)) << bad;
  }
}

TEST(Time, AgeInOneUnit) {
  EXPECT_EQ(age(-5s), "0s");
  EXPECT_EQ(age(59'999ms), "59s");
  EXPECT_EQ(age(60s), "1m");
  EXPECT_EQ(age(3599s), "59m");
  EXPECT_EQ(age(47h), "1d");
}

class Top : public ::testing::Test {
 protected:
  void sample(const char* list, std::chrono::milliseconds at) {
    bodies_.push_back(parse(list));
    model_.sample(agents_of(bodies_.back()), std::chrono::steady_clock::time_point(at),
                  *parse_time("2026-01-01T00:01:00Z"));
  }
  std::vector<std::string> ids() const {
    std::vector<std::string> ids;
    for (const auto& row : model_.rows()) ids.push_back(row.id);
    return ids;
  }
  TopModel model_;
  std::vector<boost::json::value> bodies_;
};

TEST_F(Top, CpuIsTheDifferenceBetweenSamples) {
  sample(R"({"agents":[{"id":"a","usage":{"cpu_usec":1000000}},{"id":"b","usage":{"cpu_usec":0}}]})", 1s);
  EXPECT_EQ(model_.rows()[0].cpu_percent, std::nullopt);
  sample(
      R"({"agents":[{"id":"a","usage":{"cpu_usec":1500000}},{"id":"b","usage":{"cpu_usec":4000000}},{"id":"c","usage":{"cpu_usec":7}}]})",
      3s);
  EXPECT_THAT(ids(), ElementsAre("b", "a", "c"));
  EXPECT_DOUBLE_EQ(model_.rows()[0].cpu_percent.value(), 200.0);
  EXPECT_DOUBLE_EQ(model_.rows()[1].cpu_percent.value(), 25.0);
  EXPECT_EQ(model_.rows()[2].cpu_percent, std::nullopt);  // new since the last look
  EXPECT_THAT(model_.summary(), HasSubstr("3 agents, 225.0% CPU"));
}

TEST_F(Top, NumbersOfAnotherProgramAreOnlyOdd) {
  sample(R"({"agents":[{"id":"a","usage":{"cpu_usec":-9223372036854775808}}]})", 1s);
  sample(R"({"agents":[{"id":"a","usage":{"cpu_usec":9223372036854775807}}]})", 2s);
  EXPECT_GT(model_.rows()[0].cpu_percent.value(), 1e12);
}

TEST_F(Top, OrdersAsAsked) {
  sample(
      R"({"agents":[{"id":"a","usage":{"memory_current":5,"pids_current":9}},{"id":"b","usage":{"memory_current":7,"pids_current":1}},
    {"id":"c","usage":{}}]})",
      1s);
  model_.order_by(TopModel::Order::memory);
  EXPECT_THAT(ids(), ElementsAre("b", "a", "c"));
  model_.order_by(TopModel::Order::pids);
  EXPECT_THAT(ids(), ElementsAre("a", "b", "c"));
}

TEST_F(Top, WhatTheHostDoesNotTellIsADash) {
  sample(
      R"({"agents":[{"id":"a","name":"n","status":"running","created":"2026-01-01T00:00:00Z","command":["sh","\u001b[2J"],"usage":null}]})",
      1s);
  EXPECT_EQ(model_.table().text(),
            "ID  NAME  STATUS   CPU%  MEMORY  PIDS  AGE  COMMAND\n"
            "a   n     running  -     -       -     1m   sh \\x1b[2J\n");
  EXPECT_TRUE(model_.json().as_array()[0].at("memory").is_null());
}

Result<client::Reply> reply(const char* body) {
  return client::Reply{200, parse(body), {}};
}

TEST(Doctor, IsHealthyWhenNothingNeededIsAbsent) {
  DoctorReport doctor;
  doctor.add_daemon("/s", reply(R"({"version":")" AGENTOS_VERSION R"(","api":"v1"})"));
  doctor.add_caller(reply(R"({"uid":0,"tenants":[{"name":"default","roles":["admin"]}]})"));
  doctor.add_features(parse(
      R"({"features":[{"name":"landlock","state":"degraded","detail":"ABI 1","remedy":"a newer kernel"},
    {"name":"bpf lsm","state":"degraded","detail":"","remedy":"lsm=bpf"}]})"));
  EXPECT_TRUE(doctor.healthy());
  EXPECT_THAT(doctor.text(), HasSubstr("default: admin"));
  EXPECT_THAT(doctor.text(), HasSubstr("  landlock: a newer kernel\n"));
}

TEST(Doctor, TellsWhatIsNeededAndAbsent) {
  const auto unhealthy = [](auto&& add) {
    DoctorReport doctor;
    add(doctor);
    return !doctor.healthy();
  };
  EXPECT_TRUE(
      unhealthy([](DoctorReport& d) { d.add_daemon("/s", fail(ErrorKind::unavailable, "not running", "start it")); }));
  EXPECT_TRUE(unhealthy([](DoctorReport& d) { d.add_daemon("/s", reply(R"({"version":"9","api":"v2"})")); }));
  EXPECT_FALSE(unhealthy([](DoctorReport& d) { d.add_daemon("/s", reply(R"({"version":"9","api":"v1"})")); }));
  EXPECT_TRUE(unhealthy([](DoctorReport& d) { d.add_caller(reply(R"({"uid":5,"tenants":[]})")); }));
  EXPECT_TRUE(
      unhealthy([](DoctorReport& d) { d.add_features(parse(R"({"features":[{"name":"x","state":"absent"}]})")); }));
}

}  // namespace
}  // namespace agentos::cli
