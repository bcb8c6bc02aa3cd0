// The agent's program: how it is started, what it is given, and its bytes.
#include <poll.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <fstream>

#include <gmock/gmock.h>

#include "started_init.hpp"

namespace agentos::init_tests {
namespace {

std::string numbers_to(int last) {
  std::string text;
  for (int i = 1; i <= last; ++i) text += std::to_string(i) + '\n';
  return text;
}

TEST(InitRun, SlowReaderGetsEveryByteAndSoDoesTheLog) {
  constexpr int last = 1'200'000;  // 8.5 MB
  StartedInit init({.program = command({"seq", "1", std::to_string(last)})});
  const auto got = init.client().collect(true);
  EXPECT_TRUE(got.started);
  EXPECT_EQ(got.exit_code(), 0);
  const auto expected = numbers_to(last);
  EXPECT_GT(expected.size(), 8U << 20U);
  EXPECT_TRUE(got.output == expected) << got.output.size() << " of " << expected.size();
  EXPECT_EQ(init.wait(), 0);
  EXPECT_TRUE(init.log(LogRecord::Stream::output) == expected);
}

TEST(InitRun, OneByteAtATime) {
  StartedInit init({.program = shell("i=0; while [ $i -lt 3000 ]; do printf x; i=$((i+1)); done")});
  EXPECT_EQ(init.client().collect().output, std::string(3000, 'x'));
}

TEST(InitRun, ClientThatReadsOnlyAfterTheEndLosesNothing) {
  // 133 KB: more than a pipe and the chunk beside it hold, and less than these and a socket full of small frames.
  constexpr int last = 24'000;
  StartedInit init({.program = command({"seq", "1", std::to_string(last)})});
  EXPECT_EQ(init.wait(), 0);
  const auto got = init.client().collect();
  EXPECT_TRUE(got.output == numbers_to(last)) << got.output.size();
  EXPECT_EQ(got.exit_code(), 0);
}

TEST(InitRun, BytesOfEveryValueBothWays) {
  std::string all;
  for (int i = 0; i < 256; ++i) all += static_cast<char>(i);
  StartedInit init({.program = command({"cat"})});
  init.client().send(FrameType::input, all);
  init.client().send(FrameType::input_end);
  const auto got = init.client().collect();
  EXPECT_EQ(got.output, all);
  EXPECT_EQ(got.exit_code(), 0);
}

TEST(InitRun, StderrIsApart) {
  StartedInit init({.program = shell("echo out; echo err >&2")});
  const auto got = init.client().collect();
  EXPECT_EQ(got.output, "out\n");
  EXPECT_EQ(got.error, "err\n");
  init.wait();
  EXPECT_EQ(init.log(LogRecord::Stream::output), "out\n");
  EXPECT_EQ(init.log(LogRecord::Stream::error_output), "err\n");
}

TEST(InitRun, WithoutStdinItIsAtItsEnd) {
  StartedInit init({.program = shell("cat; readlink /proc/self/fd/0", false, false)});
  init.client().send(FrameType::input, "ignored");
  const auto got = init.client().collect();
  EXPECT_EQ(got.output, "/dev/null\n");
}

TEST(InitRun, ProgramThatDoesNotReadStopsItsClientButNotItsSignalsAndLosesNothing) {
  // It reads when it is told to, by a signal behind all that input.
  StartedInit init({.program = shell("trap 'wc -c; exit 0' USR1; echo ready; while :; do sleep 0.01; done")});
  init.client().expect_output("ready\n");
  std::size_t sent = 0;
  while (init.client().is_taken() && sent < 64U << 20U) {
    init.client().send(FrameType::input, std::string(1000, 'x'));
    sent += 1000;
  }
  EXPECT_GT(sent, 64U << 10U);
  EXPECT_LT(sent, 1U << 20U) << "bounded by pipe, buffer and one frame";
  init.client().send(FrameType::signal, {}, SIGUSR1);
  init.client().send(FrameType::input_end);
  EXPECT_EQ(init.client().collect().output, "ready\n" + std::to_string(sent) + "\n");
}

TEST(InitRun, ExitStatus) {
  StartedInit init({.program = shell("exit 7")});
  EXPECT_EQ(init.client().collect().exit_code(), 7);
  EXPECT_EQ(init.wait(), 0);
  const auto record = init.exit_record();
  EXPECT_EQ(record.kind, ExitRecord::Kind::exited);
  EXPECT_EQ(record.code, 7);
  EXPECT_GT(record.time_ns, 0);
}

TEST(InitRun, DeathByASignal) {
  StartedInit init({.program = shell("kill -KILL $$")});
  EXPECT_EQ(init.client().collect().signal(), SIGKILL);
  init.wait();
  EXPECT_EQ(init.exit_record().kind, ExitRecord::Kind::signaled);
  EXPECT_EQ(init.exit_record().shell_status(), 128 + SIGKILL);
}

TEST(InitRun, MissingProgramIs127) {
  for (const char* name : {"no-such-program", "/no/such/program", ""}) {
    StartedInit init({.program = command({name})});
    const auto got = init.client().collect();
    EXPECT_FALSE(got.started);
    EXPECT_EQ(got.refused, ENOENT);
    EXPECT_EQ(got.words, std::string("cannot run '") + name + "': No such file or directory");
    EXPECT_EQ(init.wait(), 0);
    EXPECT_EQ(init.exit_record().shell_status(), 127);
  }
}

TEST(InitRun, ProgramThatIsNotExecutableIs126) {
  for (const char* name : {"/etc/passwd", "/"}) {
    StartedInit init({.program = command({name})});
    EXPECT_EQ(init.client().collect().refused, EACCES);
    init.wait();
    EXPECT_EQ(init.exit_record().shell_status(), 126);
  }
}

TEST(InitRun, MissingDirectory) {
  auto program = command({"true"});
  program.cwd = "/no/such/directory";
  StartedInit init({.program = program});
  const auto got = init.client().collect();
  EXPECT_EQ(got.refused, ENOENT);
  EXPECT_EQ(got.words, "cannot enter the directory '/no/such/directory': No such file or directory");
}

TEST(InitRun, PathIsThatOfTheProgram) {
  StartedInit first({.program = command({"true"}), .client = false});
  const std::string script = first.folder() + "/hello";
  std::ofstream(script) << "echo from a script without an interpreter line\n";
  ::chmod(script.c_str(), 0755);
  auto program = command({"hello"});
  program.env = {"PATH=/nowhere:" + first.folder() + ":/bin"};
  StartedInit found({.program = program});
  EXPECT_EQ(found.client().collect().output, "from a script without an interpreter line\n");
  program.env = {"PATH=/nowhere:/bin"};
  StartedInit lost({.program = program});
  EXPECT_EQ(lost.client().collect().refused, ENOENT);
}

TEST(InitRun, EnvironmentAndDirectoryAreExactlyTheGiven) {
  auto program = command({"/usr/bin/env"});
  program.env = {"ONE=1", "TWO=2 2"};
  program.cwd = "/usr";
  StartedInit init({.program = program});
  EXPECT_EQ(init.client().collect().output, "ONE=1\nTWO=2 2\n");
  program.argv = {"/bin/pwd"};
  StartedInit directory({.program = program});
  EXPECT_EQ(directory.client().collect().output, "/usr\n");
}

TEST(InitRun, SignalsAndMaskAreAsAtBirth) {
  StartedInit init({.program = command({"cat", "/proc/self/status"})});
  const auto status = init.client().collect().output;
  for (const char* set : {"ShdPnd", "SigBlk", "SigIgn", "SigCgt"}) {
    EXPECT_THAT(status, testing::HasSubstr(std::string(set) + ":\t0000000000000000\n"));
  }
}

// SECURITY.md B: 0-2 and nothing else (3 is the directory that ls reads).
TEST(InitRun, OnlyThreeDescriptors) {
  for (const bool tty : {false, true}) {
    StartedInit init({.program = shell("ls /proc/self/fd | tr '\\n' ' '", tty)});
    EXPECT_THAT(init.client().collect().output, testing::StartsWith("0 1 2 3 ")) << tty;
    StartedInit again({.program = shell("ls /proc/self/fd | wc -l", tty)});
    EXPECT_THAT(again.client().collect().output, testing::StartsWith("4")) << tty;
  }
}

// SECURITY.md A. The control: this test's own process, as root, has what the agent must not have.
TEST(InitRun, AgentHasNoPrivileges) {
  if (::geteuid() != 0) {
    skip("without root there is nothing to give up");
  }
  std::ifstream own("/proc/self/status");
  const std::string mine((std::istreambuf_iterator<char>(own)), {});
  EXPECT_THAT(mine, testing::Not(testing::HasSubstr("CapEff:\t0000000000000000")));

  StartedInit init({.program = command({"cat", "/proc/self/status"})});
  const auto status = init.client().collect().output;
  for (const char* line :
       {"Uid:\t1000\t1000\t1000\t1000\n", "Gid:\t1000\t1000\t1000\t1000\n", "Groups:\t \n", "NoNewPrivs:\t1\n"}) {
    EXPECT_THAT(status, testing::HasSubstr(line));
  }
  for (const char* set : {"CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"}) {
    EXPECT_THAT(status, testing::HasSubstr(std::string(set) + ":\t0000000000000000\n"));
  }
}

TEST(InitRun, AgentCannotSignalInit) {
  if (::geteuid() != 0) {
    skip("without root init has the agent's own uid");
  }
  StartedInit init(
      {.program = shell("kill -0 $$ && echo self; for s in 0 TERM KILL; do kill -$s 1 && echo init; done; echo end")});
  const auto got = init.client().collect();
  EXPECT_EQ(got.output, "self\nend\n");
  EXPECT_EQ(got.exit_code(), 0);
}

TEST(InitRun, StdioCanBeOpenedByName) {
  StartedInit init({.program = shell("echo out > /dev/stdout; echo err > /dev/stderr; cat /dev/stdin")});
  init.client().send(FrameType::input, "in\n");
  init.client().send(FrameType::input_end);
  const auto got = init.client().collect();
  EXPECT_EQ(got.output, "out\nin\n");
  EXPECT_EQ(got.error, "err\n");
}

TEST(InitRun, RefusesToRunAnAgentAsRoot) {
  StartedInit init({.program = command({"true"}), .uid = 0});
  EXPECT_TRUE(WIFEXITED(init.wait()));
  EXPECT_EQ(init.exit_record().kind, ExitRecord::Kind::not_executed);
  EXPECT_FALSE(init.client().collect().started);
}

TEST(InitRun, RefusesAMalformedStartRecord) {
  StartedInit init({.program = command({"true"}), .spec = "nonsense"});
  init.wait();
  EXPECT_EQ(init.exit_record().kind, ExitRecord::Kind::not_executed);
}

}  // namespace
}  // namespace agentos::init_tests
