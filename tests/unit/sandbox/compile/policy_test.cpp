#include <sys/resource.h>

#include <algorithm>

#include <gmock/gmock.h>

#include "policy/compose.hpp"
#include "policy/parse.hpp"
#include "samples.hpp"
#include "sandbox/compile/bpf_outcomes.hpp"
#include "sandbox/compile/filter_invariants.hpp"
#include "sandbox/compile/limits.hpp"
#include "sandbox/compile/seccomp.hpp"
#include "sandbox/compile/why.hpp"
#include "sandbox/container/check.hpp"

// What a policy does to the plan, and that `why` reads it off the plan.
namespace agentos::sandbox {
namespace {

using testing::HasSubstr;
using Kind = MountStep::Kind;

policy::Policy read(std::string_view rest) {
  const auto parsed = policy::parse("version: 1\n" + std::string(rest), "p.yaml");
  EXPECT_TRUE(parsed) << policy::text(parsed.error(), "p.yaml");
  policy::Policy bind;
  bind.workspace = {WorkspaceMode::bind, {"--workspace", 0, 0}};
  std::vector<policy::Policy> wishes;
  if (!parsed->workspace) wishes.push_back(bind);
  const auto all = policy::compose(std::vector<policy::Policy>{*parsed}, wishes);
  EXPECT_TRUE(all);
  return *all;
}

SandboxRequest request_with(std::string_view rest) {
  auto request = sample_request();
  request.policy = read(rest);
  request.limits = policy::limits_of(request.policy);
  request.workspace_mode = request.policy.workspace->value;
  return request;
}

Plan plan_with(std::string_view rest, const HostFacts& facts = full_host()) {
  Report report;
  auto plan = compile(request_with(rest), facts, report);
  EXPECT_TRUE(plan) << plan.error().message();
  return plan.value_or(Plan());
}

TEST(PolicyPlan, HidesAndProtectsBehindEverythingElse) {
  const auto plan = plan_with("filesystem: {hidden: [./.env, /usr/bin/gdb], read_only: [./.git/hooks]}\n");
  const auto end = plan.mounts.size();
  ASSERT_GT(end, 5U);
  EXPECT_EQ(plan.mounts[end - 5].kind, Kind::workspace);
  EXPECT_EQ(plan.mounts[end - 4], (MountStep{Kind::protect, 0, 0755, ".git/hooks", "/home/alice/project", {}}));
  EXPECT_EQ(plan.mounts[end - 3], (MountStep{Kind::hide, 0, 0755, ".env", "/home/alice/project", {}}));
  EXPECT_EQ(plan.mounts[end - 2], (MountStep{Kind::hide, 0, 0755, {}, "/usr/bin/gdb", {}}));
  EXPECT_EQ(plan.mounts[end - 1].kind, Kind::seal);
  EXPECT_TRUE(container::check(plan)) << container::check(plan).error().message();
}

TEST(PolicyPlan, BoundsItsSize) {
  std::string paths = "filesystem:\n  hidden:\n";
  for (int at = 0; at < 128; ++at) paths += "    - ./" + std::string(250, 'x') + std::to_string(at) + "\n";
  Report report;
  EXPECT_TRUE(compile(request_with(paths), full_host(), report));
  auto request = request_with(paths);
  request.policy.read_only = request.policy.hidden;
  EXPECT_EQ(compile(request, full_host(), report).error().kind(), ErrorKind::exhausted);
}

TEST(PolicyPlan, WarnsOrRefusesWhereTheHostLacksAController) {
  Report report;
  const auto refused = compile(request_with("resources: {memory: 1GiB}\n"), bare_host(), report);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind(), ErrorKind::unsupported);
  report.clear();
  const auto warned = compile(request_with("resources: {memory: 1GiB, on_missing: warn}\n"), bare_host(), report);
  ASSERT_TRUE(warned) << warned.error().message();
  EXPECT_EQ(report[0].feature, "memory.max");
  EXPECT_THAT(report[0].remedy, HasSubstr("cgroup_no_v1=memory"));
  report.clear();
  const auto enforced = compile(request_with("resources: {memory: 1GiB, on_missing: warn}\n"), full_host(), report);
  ASSERT_TRUE(enforced);
  EXPECT_TRUE(report.empty());
  EXPECT_NE(std::ranges::find(enforced->cgroup, CgroupSetting{"memory.max", "1073741824"}), enforced->cgroup.end());
}

TEST(PolicyPlan, LimitsTheLayerOrSaysWhyNot) {
  const std::string quota = "filesystem: {workspace: {mode: overlay, quota: {bytes: 5MiB, inodes: 20}}}\n";
  const std::string warn = "resources: {on_missing: warn}\n";
  EXPECT_EQ(plan_with(quota).layer_limit, (LayerSpace{5U << 20U, 20}));
  EXPECT_EQ(plan_with("filesystem: {workspace: {mode: empty, quota: {inodes: 20}}}\n").layer_limit,
            (LayerSpace{0, 20}));
  EXPECT_EQ(plan_with("filesystem: {workspace: overlay}\n").layer_limit, LayerSpace{});
  auto facts = full_host();
  facts.layer_quota = false;
  Report report;
  const auto refused = compile(request_with(quota), facts, report);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind(), ErrorKind::unsupported);
  EXPECT_THAT(refused.error().hint(), HasSubstr("tune2fs -O project,quota"));
  const auto warned = compile(request_with(quota + warn), facts, report);
  ASSERT_TRUE(warned) << warned.error().message();
  EXPECT_EQ(warned->layer_limit, LayerSpace{});
  ASSERT_EQ(report.size(), 1U);
  EXPECT_EQ(report[0].feature, "workspace quota");
  EXPECT_EQ(report[0].remedy, layer_quota_remedy);
}

TEST(PolicyPlan, AQuotaIsOfALayer) {
  const std::string quota = "filesystem: {workspace: {mode: bind, quota: {bytes: 5MiB}}}\n";
  Report report;
  auto request = request_with(quota);
  request.workspace_mode = WorkspaceMode::bind;
  const auto refused = compile(request, full_host(), report);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind(), ErrorKind::forbidden);
  EXPECT_THAT(refused.error().hint(), HasSubstr("DIR:overlay"));
  request.workspace_mode = WorkspaceMode::read_only;
  EXPECT_TRUE(compile(request, full_host(), report));
  EXPECT_TRUE(report.empty());
  request.workspace_mode = WorkspaceMode::bind;
  request.policy.on_missing = {policy::OnMissing::warn, {}};
  EXPECT_TRUE(compile(request, full_host(), report));
  ASSERT_EQ(report.size(), 1U);
  EXPECT_EQ(report[0].feature, "workspace quota");
  auto plan = plan_with("filesystem: {workspace: ro}\n");
  plan.layer_limit.bytes = 1U << 20U;
  EXPECT_EQ(container::check(plan).error().kind(), ErrorKind::invalid) << "spawnd sees to it too";
}

TEST(PolicyPlan, LimitsProcesses) {
  const auto limits = program_limits(read("process: {limits: {nofile: 99, as: 1GiB, core: 0}}\n"));
  EXPECT_THAT(limits, testing::ElementsAre(ProgramLimit{RLIMIT_NOFILE, 99}, ProgramLimit{RLIMIT_AS, 1ULL << 30U}));
  EXPECT_TRUE(program_limits({}).empty());
}

TEST(StrictFilter, AllowsNothingThatTheAgentsFilterDoesNot) {
  const auto agent = make_filter();
  const auto strict = make_filter(policy::Seccomp::strict);
  ASSERT_TRUE(agent && strict);
  EXPECT_TRUE(check_filter(*strict));
  int fewer = 0;
  for (int number = 0; number < 512; ++number) {
    const bool before = explain_call(*agent, number).starts_with("allowed");
    const bool after = explain_call(*strict, number).starts_with("allowed");
    EXPECT_TRUE(before || !after) << call_name(number);
    if (before && !after) ++fewer;
  }
  EXPECT_GT(fewer, 30);
  const auto socket = static_cast<std::uint32_t>(*call_named("socket"));
  const auto program = SeccompProgram::parse(*strict);
  for (const std::uint32_t family : {1U, 2U, 10U, 16U}) {
    seccomp_data call{};
    call.nr = static_cast<int>(socket);
    call.arch = AUDIT_ARCH_X86_64;
    call.args[0] = family;
    call.args[1] = 1;
    EXPECT_EQ(program->evaluate(call) == SECCOMP_RET_ALLOW, family == 1) << family;
    EXPECT_EQ(SeccompProgram::parse(*agent)->evaluate(call), SECCOMP_RET_ALLOW) << family;
  }
}

struct Question {
  const char* path;
  Operation operation;
  bool allowed;
  const char* reason;
};

TEST(Why, ReadsPathsOffThePlan) {
  const auto rules = "filesystem: {hidden: [./.env, /usr/bin/gdb, ./p/q], read_only: [./p]}\n";
  const auto plan = plan_with(rules);
  const auto policy = read(rules);
  using enum Operation;
  for (const auto& [path, operation, allowed, reason] : {
           Question{"/usr/bin/python3", read, true, "of the host"},
           Question{"/usr/bin/python3", execute, true, "of the host"},
           Question{"/usr/bin/python3", write, false, "read-only mount of the host's /usr"},
           Question{"/bin/sh", write, false, "read-only mount of the host's /usr"},  // the link of the root
           Question{"/usr/bin/gdb", read, false, "hidden by the policy"},
           Question{"/home/alice/project/.env", read, false, "hidden by the policy"},
           Question{"/home/alice/project/.env.old", read, true, "in the workspace"},
           Question{"/home/alice/project/p/x", read, true, "in the workspace"},
           Question{"/home/alice/project/p/x", write, false, "read-only by the policy"},
           Question{"/home/alice/project/p/q/y", read, false, "hidden by the policy"},
           Question{"/home/alice/project/new", write, true, "in the workspace"},
           Question{"/home/alice/.ssh/id", read, false, "nothing of the host"},
           Question{"/home/alice", read, true, "made for the agent"},
           Question{"/home/alice", write, false, "root file system is read-only"},
           Question{"/etc/shadow", read, false, "nothing of the host"},
           Question{"/etc/passwd", read, true, "made for the agent"},
           Question{"/etc/localtime", execute, false, "noexec"},
           Question{"/tmp/x", write, true, "the agent's own"},
           Question{"/tmp/x", execute, true, "the agent's own"},
           Question{"/dev/shm/x", execute, false, "noexec"},
           Question{"/dev/null", write, true, "of the host"},
           Question{"/dev/sda", read, false, "nothing of the host"},
           Question{"/proc/kcore", read, false, "masked"},
           Question{"/proc/sys/kernel/core_pattern", write, false, "sealed"},
           Question{"/sys/fs/cgroup/memory.max", write, false, "read-only"},
           Question{"/", read, true, "made for the agent"},
       }) {
    const auto answer = why_path(plan, policy, path, operation);
    EXPECT_EQ(answer.allowed, allowed) << path << ": " << answer.reason;
    EXPECT_THAT(answer.reason, HasSubstr(reason)) << path;
  }
  EXPECT_EQ(why_path(plan, policy, "/usr/bin/gdb", read).origin.text(), "p.yaml:2:31");
  EXPECT_EQ(why_path(plan, policy, "/home/alice/project/p/x", write).origin.text(), "p.yaml:2:65");
}

TEST(Why, KnowsTheWorkspacesMode) {
  const auto policy = read("filesystem: {workspace: ro}\n");
  const auto answer =
      why_path(plan_with("filesystem: {workspace: ro}\n"), policy, "/home/alice/project/x", Operation::write);
  EXPECT_FALSE(answer.allowed);
  EXPECT_EQ(answer.origin.text(), "p.yaml:2:25");
}

TEST(Why, ReadsCallsOffTheFilter) {
  const auto plan = plan_with("");
  const auto strict = plan_with("process: {seccomp: strict}\n");
  const auto call = [](const Plan& of, const char* name) { return why_call(of, {}, *call_named(name)); };
  EXPECT_TRUE(call(plan, "openat").allowed);
  EXPECT_FALSE(call(plan, "mount").allowed);
  EXPECT_THAT(call(plan, "mount").reason, HasSubstr("EPERM; it is one of 'mounts'"));
  EXPECT_THAT(call(plan, "io_uring_setup").reason, HasSubstr("ENOSYS"));
  EXPECT_TRUE(call(plan, "shmget").allowed);
  EXPECT_FALSE(call(strict, "shmget").allowed);
  EXPECT_THAT(call(plan, "socket").reason, HasSubstr("by its arguments"));
  EXPECT_EQ(call_named("no_such_call"), std::nullopt);
  EXPECT_EQ(call_name(100'000), "");
}

TEST(PathInside, IsLexical) {
  EXPECT_EQ(path_inside("./a/../b", "/w"), "/w/b");
  EXPECT_EQ(path_inside("/usr//bin/.", "/w"), "/usr/bin");
  EXPECT_EQ(path_inside("/", "/w"), "/");
  EXPECT_EQ(path_inside("/../x", "/w"), std::nullopt);
  EXPECT_EQ(path_inside(std::string(5000, 'x'), "/w"), std::nullopt);
}

}  // namespace
}  // namespace agentos::sandbox
