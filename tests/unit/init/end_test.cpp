// What happens to everything else when a process ends: orphans, stragglers, signals from outside.
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>

#include <gmock/gmock.h>

#include "started_init.hpp"

namespace agentos::init_tests {
namespace {

void need_root() {
  if (::geteuid() == 0) return;
  skip("PID 1 of a namespace takes root");
}

std::size_t children_of(pid_t pid) {
  const std::string name = std::to_string(pid);
  std::ifstream file("/proc/" + name + "/task/" + name + "/children");
  std::size_t count = 0;
  for (std::string child; file >> child;) ++count;
  return count;
}

TEST(InitEnd, OrphansAreReaped) {
  need_root();
  StartedInit init(
      {.program = shell("i=0; while [ $i -lt 300 ]; do (true &); i=$((i+1)); done; echo made; read line")});
  init.client().expect_output("made\n");
  EXPECT_TRUE(eventually([&] { return children_of(init.pid()) == 1; }))
      << children_of(init.pid()) << " children, one is the shell";
  init.client().send(FrameType::input, "\n");
  EXPECT_EQ(init.client().collect().exit_code(), 0);
}

TEST(InitEnd, StragglersEndWithTheMainProcess) {
  need_root();
  // They hold the pipes, ignore what can be ignored, and have left session and group.
  StartedInit init(
      {.program = shell(
           "for i in 1 2 3; do setsid sh -c 'trap \"\" HUP TERM INT; echo up; while :; do sleep 1000; done' & done;"
           "read line; exit 3")});
  init.client().expect_output("up\nup\nup\n");
  init.client().send(FrameType::input, "\n");
  EXPECT_EQ(init.client().collect().exit_code(), 3);
  EXPECT_EQ(init.wait(), 0);
}

TEST(InitEnd, WhatAStragglerPrintedBeforeIsThere) {
  need_root();
  StartedInit init({.program = shell("(echo done >&2; echo early; sleep 1000) & read line")});
  init.client().expect_output("early\n");
  init.client().send(FrameType::input, "\n");
  const auto got = init.client().collect();
  EXPECT_EQ(got.output, "early\n");
  EXPECT_EQ(got.error, "done\n");
}

TEST(InitEnd, ForkBombInTheBackgroundEndsToo) {
  need_root();
  StartedInit init({.program = shell("bomb() { while :; do (true) & done; }; bomb & bomb & echo lit; read line")});
  init.client().expect_output("lit\n");
  init.client().send(FrameType::input, "\n");
  EXPECT_EQ(init.client().collect().exit_code(), 0);
  EXPECT_EQ(init.wait(), 0);
}

TEST(InitEnd, SignalsFromTheHostGoToTheAgent) {
  for (const int number : {SIGTERM, SIGINT, SIGHUP, SIGQUIT}) {
    StartedInit init({.program = shell("trap 'echo got; exit 9' " + std::to_string(number) +
                                       "; echo ready; while :; do sleep 0.01; done")});
    init.client().expect_output("ready\n");
    EXPECT_EQ(::kill(init.pid(), number), 0);
    const auto got = init.client().collect();
    EXPECT_EQ(got.output, "ready\ngot\n") << number;
    EXPECT_EQ(got.exit_code(), 9);
  }
}

TEST(InitEnd, SignalReachesTheWholeGroup) {
  StartedInit init({.program = shell("trap 'wait; echo main; exit 4' USR1; "
                                     "sh -c 'trap \"echo child; exit\" USR1; echo ready; while :; do sleep 0.01; done' "
                                     "& wait; wait")});
  init.client().expect_output("ready\n");
  init.client().send(FrameType::signal, {}, SIGUSR1);
  const auto got = init.client().collect();
  EXPECT_EQ(got.output, "ready\nchild\nmain\n");
  EXPECT_EQ(got.exit_code(), 4);
}

TEST(InitEnd, WithoutAnyClientTheAgentRunsAndIsRecorded) {
  StartedInit init({.program = shell("seq 1 100000; exit 5", false, false), .client = false});
  EXPECT_EQ(init.wait(), 0);
  EXPECT_EQ(init.exit_record().code, 5);
  EXPECT_EQ(init.log(LogRecord::Stream::output).size(), 588'895U);
}

TEST(InitEnd, ClientThatNeverReadsDoesNotHoldUpTheEnd) {
  StartedInit init({.program = shell("head -c 100000 /dev/zero; exit 6")});
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(init.wait(), 0);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(5));
  EXPECT_EQ(init.exit_record().code, 6);
}

// Where the host allows large socket buffers all of it fits; elsewhere the client is given up after two seconds.
TEST(InitEnd, MoreThanTheSocketTakesEndsInTime) {
  StartedInit init(
      {.program = command({"perl", "-e", "fcntl(STDOUT, 1031, 1 << 20) or die; print 'x' x (1 << 20); exit 4"})});
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(init.wait(), 0);
  const auto took = std::chrono::steady_clock::now() - begin;
  EXPECT_LT(took, std::chrono::seconds(10));
  EXPECT_EQ(init.exit_record().code, 4);
  EXPECT_EQ(init.log(LogRecord::Stream::output).size(), 1U << 20U) << "the log has it in any case";
  const auto got = init.client().collect();
  EXPECT_TRUE(got.exit_code() == 4 || took > std::chrono::seconds(2)) << got.output.size();
}

TEST(InitEnd, KilledInitTakesTheAgentWithIt) {
  need_root();
  StartedInit init({.program = shell("echo $$; while :; do sleep 1000; done")});
  init.client().expect_output("\n");
  const UniqueFd watch = [&] {
    std::ifstream file("/proc/" + std::to_string(init.pid()) + "/task/" + std::to_string(init.pid()) + "/children");
    pid_t agent = 0;
    file >> agent;
    return UniqueFd(static_cast<int>(::syscall(434 /* pidfd_open */, agent, 0)));
  }();
  ASSERT_TRUE(watch);
  EXPECT_EQ(::kill(init.pid(), SIGKILL), 0);
  EXPECT_TRUE(WIFSIGNALED(init.wait()));
  EXPECT_EQ(::syscall(424 /* pidfd_send_signal */, watch.get(), 0, nullptr, 0), -1);
}

}  // namespace
}  // namespace agentos::init_tests
