#include "sandbox/compile/limits.hpp"

#include <sys/resource.h>

#include <map>
#include <string>

#include <gmock/gmock.h>

#include "samples.hpp"

namespace agentos::sandbox {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;
using testing::UnorderedElementsAre;

std::map<std::string, std::string> settings(const Limits& limits, const HostFacts& facts) {
  Report report;
  const auto result = cgroup_settings(limits, facts, report);
  EXPECT_TRUE(result) << result.error().message();
  std::map<std::string, std::string> by_file;
  if (result) {
    for (const auto& [file, value] : *result) EXPECT_TRUE(by_file.emplace(file, value).second) << file;
  }
  return by_file;
}

Error refusal(const Limits& limits, const HostFacts& facts) {
  Report report;
  auto result = cgroup_settings(limits, facts, report);
  return result ? Error(ErrorKind::internal, "taken") : result.error();
}

TEST(CgroupSettings, HaveDefaults) {
  Report report;
  ASSERT_TRUE(cgroup_settings({}, full_host(), report));
  EXPECT_THAT(report, IsEmpty());
  EXPECT_THAT(settings({}, full_host()), UnorderedElementsAre(Pair("memory.oom.group", "1"), Pair("pids.max", "4096")));
}

TEST(CgroupSettings, SetWhatWasAskedFor) {
  Limits limits;
  limits.memory_max = 512U << 20U;
  limits.memory_high = 400U << 20U;
  limits.cpu_max = 150;
  limits.cpu_weight = 10'000;
  limits.pids_max = 20;
  limits.io_weight = 1;
  EXPECT_THAT(settings(limits, full_host()),
              UnorderedElementsAre(Pair("memory.oom.group", "1"), Pair("memory.max", "536870912"),
                                   Pair("memory.high", "419430400"), Pair("memory.swap.max", "0"),
                                   Pair("cpu.max", "150000 100000"), Pair("cpu.weight", "10000"),
                                   Pair("pids.max", "20"), Pair("io.weight", "1")));
}

TEST(CgroupSettings, AreBoundedWhereTheySenselesslyEnd) {
  const auto with = [](auto member, auto value) {
    Limits limits;
    limits.*member = value;
    return limits;
  };
  EXPECT_EQ(settings(with(&Limits::cpu_max, 1U), full_host()).at("cpu.max"), "1000 100000");
  EXPECT_EQ(settings(with(&Limits::cpu_max, 1'000'000U), full_host()).at("cpu.max"), "1000000000 100000");
  EXPECT_EQ(settings(with(&Limits::memory_max, 8ULL << 20U), full_host()).at("memory.max"), "8388608");
  EXPECT_EQ(settings(with(&Limits::pids_max, 2ULL), full_host()).at("pids.max"), "2");
  for (const auto& limits :
       {with(&Limits::cpu_max, 0U), with(&Limits::memory_max, (8ULL << 20U) - 1), with(&Limits::memory_high, 0ULL),
        with(&Limits::pids_max, 1ULL), with(&Limits::cpu_weight, 0U), with(&Limits::cpu_weight, 10'001U),
        with(&Limits::io_weight, 0U), with(&Limits::io_weight, 10'001U)}) {
    EXPECT_EQ(refusal(limits, full_host()).kind(), ErrorKind::invalid);
  }
  Limits crossed = with(&Limits::memory_max, 100ULL << 20U);
  crossed.memory_high = 101ULL << 20U;
  EXPECT_THAT(refusal(crossed, full_host()).message(), HasSubstr("memory_high is above memory_max"));
}

TEST(CgroupSettings, RefuseALimitWhoseControllerIsMissing) {
  const auto check = [](const char* controller, auto member, auto value) {
    Limits limits;
    limits.*member = value;
    const auto error = refusal(limits, bare_host());
    EXPECT_EQ(error.kind(), ErrorKind::unsupported) << controller;
    EXPECT_THAT(error.message(), HasSubstr("'" + std::string(controller) + "'"));
    EXPECT_THAT(error.hint(), HasSubstr("cgroup_no_v1=" + std::string(controller)));
    EXPECT_FALSE(settings(limits, full_host()).empty());  // and the same is taken where it is
  };
  check("memory", &Limits::memory_max, 1ULL << 30U);
  check("memory", &Limits::memory_high, 1ULL << 30U);
  check("cpu", &Limits::cpu_max, 100U);
  check("cpu", &Limits::cpu_weight, 100U);
  check("pids", &Limits::pids_max, 100ULL);
  check("io", &Limits::io_weight, 100U);
}

TEST(CgroupSettings, ReportDefaultsThatTheHostCannotEnforce) {
  Report report;
  const auto result = cgroup_settings({}, bare_host(), report);
  ASSERT_TRUE(result);
  EXPECT_THAT(*result, IsEmpty());
  ASSERT_EQ(report.size(), 4U);
  for (const auto& row : report) {
    EXPECT_FALSE(row.feature.empty());
    EXPECT_FALSE(row.detail.empty());
    EXPECT_THAT(row.remedy, HasSubstr("cgroup_no_v1="));
  }
  HostFacts without_io = full_host();
  without_io.controllers = {"cpu", "memory", "pids"};
  report.clear();
  ASSERT_TRUE(cgroup_settings({}, without_io, report));
  ASSERT_EQ(report.size(), 1U);
  EXPECT_EQ(report[0].feature, "I/O share");
}

TEST(RlimitSettings, MakeNoCoreDumpsOnTheHost) {
  std::map<std::uint32_t, std::uint64_t> by_resource;
  for (const auto& [resource, limit] : rlimit_settings()) by_resource[resource] = limit;
  EXPECT_EQ(by_resource.at(RLIMIT_CORE), 1U);
  EXPECT_EQ(by_resource.at(RLIMIT_NOFILE), 65'536U);
  EXPECT_EQ(by_resource.at(RLIMIT_RTPRIO), 0U);
  EXPECT_FALSE(by_resource.contains(RLIMIT_NPROC));
}

}  // namespace
}  // namespace agentos::sandbox
