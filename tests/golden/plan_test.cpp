#include <gtest/gtest.h>

#include "../unit/sandbox/compile/samples.hpp"
#include "golden.hpp"
#include "sandbox/compile/seccomp.hpp"

// What a sandbox is, as text: a change of the plan shows as a difference of these files.
namespace agentos::sandbox {
namespace {

using golden::expect_golden;

std::string explained(const SandboxRequest& request, const HostFacts& facts) {
  Report report;
  const auto plan = compile(request, facts, report);
  if (!plan) return plan.error().message();
  std::string text = explain(*plan) + "not enforced:\n";
  for (const auto& [feature, detail, remedy] : report)
    text += "  " + feature + ": " + detail + "\n    " + remedy + "\n";
  return text;
}

TEST(GoldenPlan, FullHost) {
  expect_golden("plan-full-host.txt", explained(sample_request(), full_host()));
}

TEST(GoldenPlan, BareHost) {
  expect_golden("plan-bare-host.txt", explained(sample_request(), bare_host()));
}

TEST(GoldenPlan, Limits) {
  SandboxRequest request = sample_request();
  request.limits = {.memory_max = 1ULL << 30U,
                    .memory_high = 900U << 20U,
                    .cpu_max = 250,
                    .cpu_weight = 50,
                    .pids_max = 100,
                    .io_weight = 20};
  request.policy.layer_bytes = {{1ULL << 30U}, {"p.yaml", 3, 30}};
  request.policy.layer_inodes = {{100'000}, {"p.yaml", 3, 42}};
  expect_golden("plan-limits.txt", explained(request, full_host()));
}

TEST(GoldenPlan, Grants) {
  SandboxRequest request = sample_request();
  using policy::Access;
  request.policy.grants = policy::Grants{{{"/home/alice/.cache/pip", Access::write, true, "~/.cache/pip"}, {}},
                                         {{"/srv/data", Access::read, false, {}}, {}},
                                         {{"/srv/data/new", Access::write, false, {}}, {}}};
  request.policy.hidden = {{"/srv/data/secret", {}}};
  expect_golden("plan-grants.txt", explained(request, full_host()));
}

TEST(GoldenFilter, EverySystemCall) {
  expect_golden("system-calls.txt", explain_filter(*make_filter()));
}

}  // namespace
}  // namespace agentos::sandbox
