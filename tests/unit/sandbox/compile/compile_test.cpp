#include "sandbox/compile/compile.hpp"

#include <gmock/gmock.h>

#include "agentos/base/text.hpp"
#include "samples.hpp"
#include "sandbox/compile/filter_invariants.hpp"

namespace agentos::sandbox {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

Result<Plan> plan_for(const SandboxRequest& request, const HostFacts& facts = full_host()) {
  Report report;
  return compile(request, facts, report);
}

TEST(Compile, MakesAPlan) {
  Report report;
  const auto plan = compile(sample_request(), full_host(), report);
  ASSERT_TRUE(plan) << plan.error().message();
  EXPECT_THAT(report, IsEmpty());
  EXPECT_EQ(plan->tenant, "default");
  EXPECT_EQ(plan->agent, "a01hzx3kq9v5m");
  EXPECT_EQ(plan->hostname, "fix-tests");
  EXPECT_EQ(plan->caller_uid, 1000U);
  EXPECT_TRUE(check_filter(plan->seccomp));
  EXPECT_FALSE(plan->landlock.beneath.empty());
}

TEST(Compile, FitsIntoOnePacket) {
  SandboxRequest request = sample_request();
  request.workspace = "/w/" + std::string(200, 'x') + "/" + std::string(200, 'y');
  HostFacts facts = full_host();
  for (int number = 0; number < 20; ++number)
    facts.etc_entries.push_back("java-" + std::to_string(number) + "-openjdk");
  SpawndRequest message;
  message.kind = SpawndRequest::Kind::start;
  message.plan = *plan_for(request, facts);
  const auto packet = message.encode();
  EXPECT_LT(packet.size(), plan_message_max / 2);
  const auto decoded = SpawndRequest::decode(packet);
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->plan.mounts, message.plan.mounts);
}

TEST(Compile, IsPure) {
  EXPECT_EQ(explain(*plan_for(sample_request())), explain(*plan_for(sample_request())));
}

TEST(Compile, NamesTheHostAfterTheAgent) {
  SandboxRequest request = sample_request();
  request.name.clear();
  EXPECT_EQ(plan_for(request)->hostname, request.agent);
  request.name = std::string(63, 'x');
  EXPECT_EQ(plan_for(request)->hostname, request.name);
}

TEST(Compile, RefusesBadNames) {
  const auto with = [](auto member, const char* value) {
    SandboxRequest request = sample_request();
    request.*member = value;
    return plan_for(request);
  };
  for (const auto member : {&SandboxRequest::agent, &SandboxRequest::name, &SandboxRequest::tenant}) {
    EXPECT_TRUE(with(member, "good-1"));
    for (const char* bad : {"Upper", "../x", "a/b", "-x", "a b", "a\x1b[0m", "a\nb"}) {
      const auto plan = with(member, bad);
      ASSERT_FALSE(plan) << bad;
      EXPECT_EQ(plan.error().kind(), ErrorKind::invalid);
      EXPECT_EQ(plan.error().message(), printable(plan.error().message()));
    }
  }
  EXPECT_FALSE(with(&SandboxRequest::agent, ""));
  EXPECT_FALSE(with(&SandboxRequest::tenant, ""));
}

TEST(Compile, BoundsTheNameOfATenant) {
  SandboxRequest request = sample_request();
  request.tenant = std::string(32, 't');
  EXPECT_TRUE(plan_for(request));
  request.tenant += 't';
  const auto plan = plan_for(request);
  ASSERT_FALSE(plan);
  EXPECT_EQ(plan.error().kind(), ErrorKind::invalid);
  EXPECT_THAT(plan.error().message(), HasSubstr("longer than 32"));
}

TEST(Compile, StartsNoAgentForAnAgent) {
  SandboxRequest request = sample_request();
  for (const std::uint32_t id : {UidPool::first, UidPool::first + UidPool::slots * UidPool::range - 1, ~0U}) {
    request.caller_uid = id;
    EXPECT_EQ(plan_for(request).error().kind(), ErrorKind::forbidden) << id;
  }
  for (const std::uint32_t id : {0U, 65534U, UidPool::first - 1, UidPool::first + UidPool::slots * UidPool::range}) {
    request.caller_uid = id;
    EXPECT_TRUE(plan_for(request)) << id;
  }
}

TEST(Compile, ChecksTheWorkspace) {
  SandboxRequest request = sample_request();
  request.workspace = "/usr/src";
  EXPECT_EQ(plan_for(request).error().kind(), ErrorKind::forbidden);
}

TEST(Compile, TheWorkspaceModeIsInThePlan) {
  SandboxRequest request = sample_request();
  for (const auto mode : all_workspace_modes) {
    request.workspace_mode = mode;
    const auto plan = plan_for(request);
    ASSERT_TRUE(plan);
    EXPECT_EQ(plan->workspace_mode, mode);
    const auto step = std::ranges::find(plan->mounts, MountStep::Kind::workspace, &MountStep::kind);
    EXPECT_EQ((step->flags & MountStep::read_only) != 0, mode == WorkspaceMode::read_only);
  }
  EXPECT_EQ(SandboxRequest().workspace_mode, WorkspaceMode::empty) << "the zero value shows nothing";
}

TEST(Compile, WithoutOverlaysOnlyTheModesThatNeedNoneArePlanned) {
  HostFacts facts = full_host();
  facts.overlay = false;
  SandboxRequest request = sample_request();
  for (const auto mode : all_workspace_modes) {
    request.workspace_mode = mode;
    const auto plan = plan_for(request, facts);
    ASSERT_EQ(plan.has_value(), !has_layer(mode)) << name(mode);
    if (plan) continue;
    EXPECT_EQ(plan.error().kind(), ErrorKind::unsupported);
    EXPECT_THAT(plan.error().hint(), HasSubstr("--workspace DIR:bind"));
  }
}

TEST(Compile, RefusesHostsThatCannotConfine) {
  const auto without = [](auto member) {
    HostFacts facts = full_host();
    facts.*member = {};
    return plan_for(sample_request(), facts);
  };
  const auto expect_refusal = [](const Result<Plan>& plan) {
    ASSERT_FALSE(plan);
    EXPECT_EQ(plan.error().kind(), ErrorKind::unsupported);
    EXPECT_THAT(plan.error().message(), HasSubstr("cannot confine agents"));
    EXPECT_FALSE(plan.error().hint().empty());
  };
  expect_refusal(without(&HostFacts::cgroup_root));
  for (const auto member : {&HostFacts::clone_into_cgroup, &HostFacts::cgroup_kill, &HostFacts::cgroup_freeze,
                            &HostFacts::user_namespace, &HostFacts::seccomp_filter}) {
    expect_refusal(without(member));
  }
  EXPECT_FALSE(plan_for(sample_request(), HostFacts{}));  // the zero value denies
}

TEST(Compile, ReportsWhatABareHostCannotEnforce) {
  Report report;
  const auto plan = compile(sample_request(), bare_host(), report);
  ASSERT_TRUE(plan) << plan.error().message();
  std::vector<std::string> features;
  for (const auto& row : report) features.push_back(row.feature);
  EXPECT_THAT(features, testing::ElementsAre("memory limit", "process limit", "CPU share", "I/O share", "Landlock"));
  EXPECT_EQ(plan->landlock.handled_fs, 0U);
}

}  // namespace
}  // namespace agentos::sandbox
