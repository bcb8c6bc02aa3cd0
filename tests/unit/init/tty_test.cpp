#include <csignal>

#include <gmock/gmock.h>

#include "started_init.hpp"

namespace agentos::init_tests {
namespace {

TEST(InitTty, IsATerminalOfTheGivenSize) {
  auto program = shell("for fd in 0 1 2; do test -t $fd && echo tty; done; stty size; echo err >&2", true);
  program.rows = 33;
  program.columns = 111;
  StartedInit init({.program = program});
  const auto got = init.client().collect();
  EXPECT_TRUE(got.started);
  EXPECT_EQ(got.output, "tty\r\ntty\r\ntty\r\n33 111\r\nerr\r\n");
  EXPECT_EQ(got.error, "");
  EXPECT_EQ(got.exit_code(), 0);
  StartedInit pipes({.program = shell("test -t 0 || test -t 1 || echo no")});
  EXPECT_EQ(pipes.client().collect().output, "no\n");
}

TEST(InitTty, ResizeIsSeenAndSignalled) {
  StartedInit init({.program = shell("trap 'stty size; exit' WINCH; echo ready; while :; do sleep 0.01; done", true)});
  init.client().expect_output("ready\r\n");
  init.client().resize(50, 200);
  EXPECT_EQ(init.client().collect().output, "ready\r\n50 200\r\n");
}

// cat and not a shell: dash catches SIGINT and loses one that comes while it starts a program.
TEST(InitTty, InterruptCharacterKillsTheForegroundProgram) {
  for (const bool by_character : {true, false}) {
    StartedInit init({.program = command({"cat"}, true)});
    init.client().send(FrameType::input, "ready\n");
    init.client().expect_output("ready\r\nready\r\n");  // the echo, and cat
    if (by_character) {
      init.client().send(FrameType::input, "\x03");
    } else {
      init.client().send(FrameType::signal, {}, SIGINT);
    }
    EXPECT_EQ(init.client().collect().signal(), SIGINT) << by_character;
  }
}

TEST(InitTty, SignalGoesToTheForegroundGroup) {
  for (const int number : {SIGTERM, SIGUSR1, SIGKILL}) {
    StartedInit init({.program = command({"bash", "--norc", "-ic", "cat; echo status $?"}, true)});
    init.client().send(FrameType::input, "ready\n");
    init.client().expect_output("ready\r\nready\r\n");
    init.client().send(FrameType::signal, {}, number);
    EXPECT_THAT(init.client().collect().output, testing::HasSubstr("status " + std::to_string(128 + number)))
        << "the shell lives";
  }
}

TEST(InitTty, EndOfInputEndsALineBegunAndTheInput) {
  for (const char* text : {"line\n", "begun", ""}) {
    StartedInit init({.program = shell("stty -echo; echo ready; cat; echo end", true)});
    init.client().expect_output("ready\r\n");
    if (*text != '\0') init.client().send(FrameType::input, text);
    init.client().send(FrameType::input_end);
    const auto output = init.client().collect().output;
    EXPECT_EQ(output, std::string("ready\r\n") + (*text == 'l' ? "line\r\n" : text) + "end\r\n");
  }
}

TEST(InitTty, BelongsToTheAgentAndControlsIt) {
  StartedInit init(
      {.program =
           shell("echo by name > /dev/tty; test \"$(stat -c %u \"$(tty)\")\" = \"$(id -u)\" && echo own", true)});
  EXPECT_EQ(init.client().collect().output, "by name\r\nown\r\n");
}

TEST(InitTty, MuchOutputIsWhole) {
  StartedInit init({.program = shell("stty -onlcr; seq 1 200000", true)});
  std::string expected;
  for (int i = 1; i <= 200'000; ++i) expected += std::to_string(i) + '\n';
  EXPECT_TRUE(init.client().collect(true).output == expected);
}

TEST(InitTty, ProgramThatClosesItsTerminalGoesOn) {
  StartedInit init(
      {.program = shell("exec </dev/null >/dev/null 2>&1; sleep 0.05; echo back > /dev/tty; exit 3", true)});
  const auto got = init.client().collect();
  EXPECT_EQ(got.output, "back\r\n");
  EXPECT_EQ(got.exit_code(), 3);
}

TEST(InitTty, NewViewerCausesARedraw) {
  StartedInit init({.program = shell("trap 'echo drawn; exit' WINCH; echo ready; while :; do sleep 0.01; done", true)});
  init.client().expect_output("ready\r\n");
  auto second = init.attach(24, 80);
  const auto got = second.collect();
  EXPECT_TRUE(got.started);
  EXPECT_EQ(got.output, "drawn\r\n");
}

}  // namespace
}  // namespace agentos::init_tests
