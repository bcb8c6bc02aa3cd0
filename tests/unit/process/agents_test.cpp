#include <csignal>

#include "unit/process/fixture.hpp"

namespace agentos::process {
namespace {

using namespace std::chrono_literals;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;

class AgentsTest : public AgentsFixture {};

TEST_F(AgentsTest, ASubmissionBecomesARunningAgent) {
  const std::string id = started("builder");
  const auto agent = agents->get(id);
  ASSERT_TRUE(agent);
  EXPECT_EQ(agent->status, Status::running);
  EXPECT_TRUE(agent->started);
  EXPECT_GT(agent->process.pid, 0);
  EXPECT_EQ(agent->sandbox.cgroup, spawner.cgroup("acme", id));
  EXPECT_THAT(agent->sandbox.not_enforced, ElementsAre("memory limit"));
  EXPECT_THAT(seen, ElementsAre("submitted", "submitted>admitted", "admitted>starting", "starting>running"));
  EXPECT_EQ(store.get(id)->encode(), agent->encode());
  EXPECT_EQ(agents->find("acme", "builder")->id, id);
  EXPECT_FALSE(agents->find("other", "builder"));

  const InitSpec& spec = spawner.spec(id);
  EXPECT_EQ(spec.uid, agent_uid);
  EXPECT_THAT(spec.program.argv, ElementsAre("work", "hard"));
  EXPECT_THAT(spec.program.env, Contains("KEY=value"));
  EXPECT_THAT(spec.program.env, Contains("AGENTOS_AGENT_ID=" + id));
  EXPECT_EQ(spec.program.cwd, folder.path());
}

struct Ending {
  ExitRecord record;
  Status status;
  std::string reason;
  int shell_status;
};
class AgentsEnd : public AgentsFixture, public testing::WithParamInterface<Ending> {};

TEST_P(AgentsEnd, IsTakenFromTheExitRecord) {
  const std::string id = started();
  spawner.end(id, GetParam().record);
  const Agent agent = final_record(id);
  EXPECT_EQ(agent.status, GetParam().status);
  EXPECT_THAT(agent.reason, HasSubstr(GetParam().reason));
  ASSERT_TRUE(agent.exit);
  EXPECT_EQ(agent.exit->shell_status(), GetParam().shell_status);
  EXPECT_EQ(agent.usage.cpu_usec, 1500U);
  EXPECT_EQ(store.get(id)->status, GetParam().status);
  run_until([&] { return !spawner.removed().empty(); });
  EXPECT_THAT(spawner.removed(), ElementsAre(id));
  EXPECT_FALSE(std::filesystem::exists(folder.path() + "/agents/" + id + ".sock"));
}

INSTANTIATE_TEST_SUITE_P(
    All, AgentsEnd,
    testing::Values(Ending{{ExitRecord::Kind::exited, 0, 1}, Status::completed, "", 0},
                    Ending{{ExitRecord::Kind::exited, 3, 1}, Status::failed, "exit status 3", 3},
                    Ending{{ExitRecord::Kind::signaled, SIGSEGV, 1}, Status::failed, "SIGSEGV", 139},
                    Ending{{ExitRecord::Kind::not_executed, ENOENT, 1}, Status::failed, "No such file", 127}));

TEST_F(AgentsTest, AnInitThatWasKilledFailsTheAgent) {
  const std::string id = started();
  spawner.kill(id);
  const Agent agent = final_record(id);
  EXPECT_EQ(agent.status, Status::failed);
  EXPECT_EQ(agent.reason, "killed");
  EXPECT_EQ(agent.exit->shell_status(), 137);
}

TEST_F(AgentsTest, OutOfMemoryIsNamed) {
  const std::string id = started();
  spawner.write(id, "memory.events", "low 0\noom 1\noom_kill 1\n");
  spawner.kill(id);
  EXPECT_EQ(final_record(id).reason, "out of memory");
}

TEST_F(AgentsTest, ATakenNameIsRefusedAndLeavesNothing) {
  started("builder");
  const auto taken = submit(submission("builder"));
  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error().kind(), ErrorKind::exists);
  EXPECT_EQ(agents->list({})->size(), 1U);
}

TEST_F(AgentsTest, ARefusedStartTellsWhyAndLeavesNothing) {
  // The probe answers, the start does not.
  compile_failure = Error(ErrorKind::unsupported, "no memory controller", "boot with ...");
  const auto refused = submit(submission("builder"));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind(), ErrorKind::unsupported);
  EXPECT_TRUE(seen.empty());
  EXPECT_TRUE(store.list({})->empty());
  compile_failure.reset();
  EXPECT_TRUE(submit(submission("builder"))) << "the name is free";
}

TEST_F(AgentsTest, AFullDiskRefusesTheSubmission) {
  store.failure = Error(ErrorKind::exhausted, "no space left", "free some");
  const auto refused = submit(submission());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind(), ErrorKind::exhausted);
  EXPECT_TRUE(AgentFiles::open(folder.path(), folder.path())->ids().empty());
}

TEST_F(AgentsTest, TooManyAreRefusedAtTheNumber) {
  live_max = 2;
  restart();
  started();
  started();
  const auto refused = submit(submission());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind(), ErrorKind::exhausted);
  EXPECT_THAT(refused.error().message(), HasSubstr("2 agents are live"));
}

TEST_F(AgentsTest, TooManyRecordsAreRefusedUntilSomeAreRemoved) {
  kept_max = 1;
  restart();
  const std::string id = started();
  spawner.end(id, exited(0));
  final_record(id);
  EXPECT_EQ(submit(submission()).error().kind(), ErrorKind::exhausted);
  ASSERT_TRUE(await(agents->remove(id, false)));
  EXPECT_FALSE(has_files(id));
  EXPECT_TRUE(submit(submission()));
}

TEST_F(AgentsTest, PauseFreezesAndResumeThaws) {
  const std::string id = started();
  spawner.write(id, "cgroup.events", "populated 1\nfrozen 1\n");
  ASSERT_TRUE(await(agents->pause(id)));
  EXPECT_EQ(spawner.read(id, "cgroup.freeze"), "1");
  EXPECT_EQ(store.get(id)->status, Status::paused);
  EXPECT_EQ(await(agents->pause(id)).error().kind(), ErrorKind::conflict);
  EXPECT_EQ(agents->exec(id, Program{}, "").error().kind(), ErrorKind::conflict);
  spawner.write(id, "cgroup.events", "populated 1\nfrozen 0\n");
  ASSERT_TRUE(await(agents->resume(id)));
  EXPECT_EQ(spawner.read(id, "cgroup.freeze"), "0");
  EXPECT_EQ(status(id), Status::running);
  EXPECT_EQ(await(agents->resume(id)).error().kind(), ErrorKind::conflict);
}

TEST_F(AgentsTest, AFreezeThatDoesNotComeIsUndone) {
  const std::string id = started();
  const auto paused = await(agents->pause(id));
  ASSERT_FALSE(paused);
  EXPECT_EQ(paused.error().kind(), ErrorKind::unavailable);
  EXPECT_EQ(spawner.read(id, "cgroup.freeze"), "0");
  EXPECT_EQ(status(id), Status::running);
}

TEST_F(AgentsTest, TerminateAsksThenKills) {
  const std::string id = started();
  const auto stopping = agents->terminate(id, "enough", 50ms);
  ASSERT_TRUE(stopping);
  EXPECT_EQ(stopping->status, Status::stopping);
  EXPECT_THAT(spawner.signals(id), ElementsAre(SIGTERM));
  EXPECT_EQ(spawner.read(id, "cgroup.kill"), "");
  run_until([&] { return spawner.read(id, "cgroup.kill") == "1"; });
  spawner.kill(id);
  const Agent agent = final_record(id);
  EXPECT_EQ(agent.status, Status::terminated);
  EXPECT_EQ(agent.reason, "enough");
}

TEST_F(AgentsTest, TerminateLeavesTheGraceToAnAgentThatObeys) {
  const std::string id = started();
  ASSERT_TRUE(agents->terminate(id, "enough", 1h));
  spawner.end(id, exited(0));
  const Agent agent = final_record(id);
  EXPECT_EQ(agent.status, Status::terminated);
  EXPECT_EQ(agent.reason, "enough");
  EXPECT_EQ(agent.exit->shell_status(), 0);
  EXPECT_FALSE(agent.kill_at);
}

TEST_F(AgentsTest, ASecondTerminateShortensTheGrace) {
  const std::string id = started();
  ASSERT_TRUE(agents->terminate(id, "enough", 1h));
  ASSERT_TRUE(agents->terminate(id, "now", 0ms));
  run_until([&] { return spawner.read(id, "cgroup.kill") == "1"; });
  spawner.kill(id);
  EXPECT_EQ(final_record(id).reason, "enough");
}

TEST_F(AgentsTest, APausedAgentIsThawedToSeeItsEnd) {
  const std::string id = started();
  spawner.write(id, "cgroup.events", "populated 1\nfrozen 1\n");
  ASSERT_TRUE(await(agents->pause(id)));
  ASSERT_TRUE(agents->terminate(id, "enough", 1h));
  EXPECT_THAT(spawner.signals(id), ElementsAre(SIGTERM));
  EXPECT_EQ(spawner.read(id, "cgroup.freeze"), "0");
}

TEST_F(AgentsTest, SignalsReachTheInit) {
  const std::string id = started();
  ASSERT_TRUE(agents->signal(id, SIGUSR1));
  ASSERT_TRUE(agents->signal(id, SIGINT));
  EXPECT_THAT(spawner.signals(id), ElementsAre(SIGUSR1, SIGINT));
  EXPECT_EQ(agents->signal(id, 0).error().kind(), ErrorKind::invalid);
  EXPECT_EQ(agents->signal(id, 1000).error().kind(), ErrorKind::invalid);
}

TEST_F(AgentsTest, AnEndedAgentTakesNothingMore) {
  const std::string id = started();
  spawner.end(id, exited(0));
  final_record(id);
  EXPECT_EQ(agents->terminate(id, "", 1s).error().kind(), ErrorKind::conflict);
  EXPECT_EQ(agents->signal(id, SIGTERM).error().kind(), ErrorKind::conflict);
  EXPECT_EQ(agents->attach(id, 0, 0).error().kind(), ErrorKind::conflict);
  EXPECT_EQ(await(agents->pause(id)).error().kind(), ErrorKind::conflict);
  EXPECT_EQ(agents->terminate("a00000000none", "", 1s).error().kind(), ErrorKind::not_found);
}

TEST_F(AgentsTest, OnlyAnEndedAgentIsRemoved) {
  const std::string id = started();
  EXPECT_EQ(await(agents->remove(id, true)).error().kind(), ErrorKind::conflict);
  EXPECT_TRUE(has_files(id));
  spawner.end(id, exited(0));
  final_record(id);
  EXPECT_TRUE(await(agents->remove(id, false)));
  EXPECT_FALSE(has_files(id));
  EXPECT_EQ(agents->get(id).error().kind(), ErrorKind::not_found);
}

TEST_F(AgentsTest, RemoveOnExitTellsItsWaitersFirst) {
  auto wanted = submission();
  wanted.remove_on_exit = true;
  const auto submitted = submit(std::move(wanted));
  ASSERT_TRUE(submitted);
  const std::string id = submitted->agent.id;
  spawner.end(id, exited(4));
  EXPECT_EQ(final_record(id).exit->shell_status(), 4);
  EXPECT_FALSE(agents->get(id));
  EXPECT_FALSE(has_files(id));
}

// Of an agent that keeps what it writes apart.
class LayersTest : public AgentsTest {
 protected:
  std::string ended(bool remove_on_exit, bool wrote) {
    auto wanted = submission();
    wanted.workspace_mode = WorkspaceMode::overlay;
    wanted.remove_on_exit = remove_on_exit;
    const auto submitted = submit(std::move(wanted));
    EXPECT_TRUE(submitted) << submitted.error().message();
    const std::string id = submitted->agent.id;
    if (wrote) std::filesystem::create_directory(spawner.layer(id) + "/made");
    spawner.end(id, exited(0));
    final_record(id);
    return id;
  }
  bool has_layer_on_disk(const std::string& id) { return std::filesystem::exists(spawner.layer(id)); }
};

TEST_F(LayersTest, WhatNobodyHasCommittedIsRemovedOnlyWhenThatIsSaid) {
  const std::string id = ended(false, true);
  EXPECT_FALSE((*await(agents->layer_state(*agents->get(id))))->empty);
  const auto refused = await(agents->remove(id, false));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind(), ErrorKind::conflict);
  EXPECT_TRUE(has_layer_on_disk(id));
  EXPECT_TRUE(has_files(id));
  EXPECT_TRUE(await(agents->remove(id, true)));
  EXPECT_FALSE(has_layer_on_disk(id));
  EXPECT_FALSE(has_files(id));
}

TEST_F(LayersTest, AnEmptyLayerIsNoReasonToStay) {
  const std::string id = ended(false, false);
  EXPECT_TRUE((*await(agents->layer_state(*agents->get(id))))->empty);
  EXPECT_TRUE(await(agents->remove(id, false)));
  EXPECT_FALSE(has_layer_on_disk(id));
}

TEST_F(LayersTest, RemoveOnExitKeepsWhatWasWritten) {
  const std::string clean = ended(true, false), wrote = ended(true, true);
  EXPECT_FALSE(agents->get(clean));
  EXPECT_FALSE(has_layer_on_disk(clean));
  ASSERT_TRUE(agents->get(wrote));
  EXPECT_TRUE(has_layer_on_disk(wrote));
  EXPECT_TRUE(has_files(wrote));
}

TEST_F(LayersTest, NothingIsRemovedWhileNobodyKnowsWhatWasWritten) {
  const std::string id = ended(false, false);
  spawner.failure = Error(ErrorKind::unavailable, "spawnd is away");
  EXPECT_EQ(await(agents->remove(id, false)).error().kind(), ErrorKind::unavailable);
  EXPECT_TRUE(agents->get(id));
  spawner.failure.reset();
  EXPECT_TRUE(await(agents->remove(id, false)));
}

TEST_F(LayersTest, ALayerWithoutARecordIsRemovedAndNoOther) {
  const std::string first = ended(false, true), kept = ended(false, true), lost = ended(false, true);
  ASSERT_TRUE(store.remove(first));
  ASSERT_TRUE(store.remove(lost));
  restart();
  run_until([&] { return !has_layer_on_disk(first) && !has_layer_on_disk(lost); });
  EXPECT_TRUE(has_layer_on_disk(kept));
}

TEST_F(LayersTest, OneThatWritesToItsWorkspaceHasNone) {
  const std::string id = started();
  EXPECT_EQ(*await(agents->layer_state(*agents->get(id))), std::nullopt);
  const auto refused = await(agents->open_layer(id, UniqueFd(::fcntl(0, F_DUPFD_CLOEXEC, 3))));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind(), ErrorKind::conflict);
}

TEST_F(AgentsTest, AnEndThatCannotBeStoredIsKeptAndStoredLater) {
  const std::string id = started();
  store.failure = Error(ErrorKind::exhausted, "no space left");
  spawner.end(id, exited(3));
  EXPECT_EQ(final_record(id).status, Status::failed);
  EXPECT_EQ(store.get(id)->status, Status::running);
  EXPECT_EQ(status(id), Status::failed) << "memory knows";
  EXPECT_THAT(logged, Contains(HasSubstr("no space left")));
  store.failure.reset();
  run_until([&] { return store.get(id)->status == Status::failed; });
}

TEST_F(AgentsTest, WaitingEndsAtItsTime) {
  const std::string id = started();
  const auto waited = await(agents->wait(id, Bell::Clock::now() + 10ms));
  ASSERT_FALSE(waited);
  EXPECT_EQ(waited.error().kind(), ErrorKind::unavailable);
}

TEST_F(AgentsTest, AttachGivesAConnectionToTheInit) {
  auto wanted = submission();
  wanted.attach = true;
  const auto submitted = submit(std::move(wanted));
  ASSERT_TRUE(submitted);
  EXPECT_TRUE(submitted->stream);
  const auto attached = agents->attach(submitted->agent.id, 24, 80);
  ASSERT_TRUE(attached) << attached.error().message();
  EXPECT_EQ(::fcntl(attached->get(), F_GETFL) & O_NONBLOCK, 0);
}

}  // namespace
}  // namespace agentos::process
