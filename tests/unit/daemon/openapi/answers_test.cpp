#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "daemon/agent_json.hpp"
#include "daemon/features.hpp"
#include "daemon/openapi/openapi.hpp"
#include "validator.hpp"

// What the daemon makes of its records is what the description says.
namespace agentos {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

Agent fresh() {
  Agent agent;
  agent.id = "a0123456789ab";
  agent.tenant = "default";
  agent.workspace = "/home/alice/work";
  agent.command = {"make"};
  return agent;
}

Agent full() {
  Agent agent = fresh();
  agent.name = "builder";
  agent.owner_uid = 4294967294;
  agent.goal = "build\x1b[2J";
  agent.reason = "asked to";
  agent.budget = {1000, 5};
  agent.capabilities = {"git"};
  agent.sandbox.uid_base = 1'000'000;
  agent.sandbox.cgroup = "/agentos.slice/x";
  agent.sandbox.not_enforced = {"memory"};
  agent.limits = {1, 1, 100, 10'000, 1, 1};
  agent.process.pid = 4711;
  agent.started = agent.created + std::chrono::milliseconds(1);
  agent.ended = agent.created + std::chrono::hours(1);
  return agent;
}

std::vector<std::string> check(const Agent& agent, const Usage& usage = {},
                               const std::optional<LayerState>& layer = {}) {
  static openapi::Validator validator(openapi::document());
  return validator.check({"GET", "/v1/agents/{ref}", 200, daemon::to_json(agent, usage, layer), false, {}});
}

TEST(AgentAnswer, TellsOfItsLayer) {
  const auto shown = [](const LayerState& layer) {
    return boost::json::serialize(daemon::to_json(full(), {}, layer)["workspace"]);
  };
  for (const auto& layer : {LayerState{true, {}, {}}, LayerState{false, {1U << 20U, 16}, {4096, 2}},
                            LayerState{false, {0, 16}, {1ULL << 60U, 1ULL << 40U}}})
    EXPECT_THAT(check(full(), {}, layer), IsEmpty());
  EXPECT_THAT(shown({true, {}, {}}), HasSubstr(R"("changed":false,"quota":null)"));
  EXPECT_THAT(shown({false, {0, 16}, {4096, 2}}),
              HasSubstr(R"("changed":true,"quota":{"bytes":null,"inodes":16,"used_bytes":4096,"used_inodes":2})"));
}

TEST(AgentAnswer, IsAsDescribedInEveryState) {
  const Usage used{1, 2, 3, 4, 5, Activity{.forks = 1, .received_bytes = 1ULL << 60U}};
  for (unsigned number = 0; number <= static_cast<unsigned>(Status::rejected); ++number) {
    for (Agent agent : {fresh(), full()}) {
      agent.status = static_cast<Status>(number);
      EXPECT_THAT(check(agent), IsEmpty()) << name(agent.status);
      EXPECT_THAT(check(agent, used), IsEmpty()) << name(agent.status);
    }
  }
}

TEST(AgentAnswer, IsAsDescribedHoweverItEnded) {
  for (const ExitRecord record :
       {ExitRecord{ExitRecord::Kind::exited, 0, 1}, ExitRecord{ExitRecord::Kind::exited, 255, 1},
        ExitRecord{ExitRecord::Kind::signaled, 9, 1}, ExitRecord{ExitRecord::Kind::not_executed, 2, 1}}) {
    Agent agent = full();
    agent.status = Status::failed;
    agent.exit = record;
    EXPECT_THAT(check(agent), IsEmpty()) << static_cast<int>(record.kind) << " " << record.code;
  }
}

TEST(HostAnswer, IsAsDescribedOnTheBestHostAndTheWorst) {
  HostFacts best;
  best.kernel = "6.18";
  best.cgroup_root = "/sys/fs/cgroup";
  best.slice = "/sys/fs/cgroup/agentos.slice";
  best.controllers = {"cpu", "memory", "pids", "io"};
  best.systemd = best.cgroup_kill = best.cgroup_freeze = best.clone_into_cgroup = best.user_namespace = true;
  best.id_mapped_mounts = best.seccomp_filter = best.bpf_lsm = best.bpf_cgroup = best.swap_limits = best.overlay =
      best.meter = best.meter_scripts = true;
  best.landlock_abi = 7;
  best.memory_total = 1ULL << 40U;
  best.cpus = 64;
  openapi::Validator validator(openapi::document());
  for (const auto& facts : {best, HostFacts{}}) {
    EXPECT_THAT(validator.check({"GET", "/v1/host", 200, daemon::host_json(facts), false, {}}), IsEmpty());
  }
}

}  // namespace
}  // namespace agentos
