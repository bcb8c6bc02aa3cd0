#include <cerrno>
#include <csignal>

#include <gmock/gmock.h>

#include "started_init.hpp"

namespace agentos::init_tests {
namespace {

const Program waiting = shell("read line");

TEST(InitExec, ManyAtOnceEachWithItsOwn) {
  StartedInit init({.program = waiting});
  std::vector<Client> clients;
  for (int i = 0; i < 20; ++i)
    clients.push_back(init.exec(shell("read word; echo out $word; echo err $word >&2; exit " + std::to_string(i))));
  for (int i = 0; i < 20; ++i)
    clients[static_cast<std::size_t>(i)].send(FrameType::input, "word" + std::to_string(i) + "\n");
  for (int i = 0; i < 20; ++i) {
    const auto got = clients[static_cast<std::size_t>(i)].collect();
    EXPECT_TRUE(got.started);
    EXPECT_EQ(got.output, "out word" + std::to_string(i) + "\n");
    EXPECT_EQ(got.error, "err word" + std::to_string(i) + "\n");
    EXPECT_EQ(got.exit_code(), i);
  }
  init.client().send(FrameType::input, "\n");
  const auto main = init.client().collect();
  EXPECT_EQ(main.exit_code(), 0);
  EXPECT_EQ(main.output, "") << "what an exec prints is for its client";
  init.wait();
  EXPECT_EQ(init.log(LogRecord::Stream::output), "");
}

TEST(InitExec, BulkBothWays) {
  StartedInit init({.program = waiting});
  auto count = init.exec(command({"wc", "-c"}));
  for (int i = 0; i < 300; ++i) count.send(FrameType::input, std::string(attach_data_max, 'x'));
  count.send(FrameType::input_end);
  EXPECT_EQ(count.collect().output, std::to_string(300 * attach_data_max) + "\n");
  auto zeros = init.exec(command({"head", "-c", "5000000", "/dev/zero"}));
  EXPECT_EQ(zeros.collect(true).output.size(), 5'000'000U);
}

TEST(InitExec, MissingProgramIsRefusedAndTheAgentGoesOn) {
  StartedInit init({.program = waiting});
  EXPECT_EQ(init.exec(command({"no-such-program"})).collect().refused, ENOENT);
  EXPECT_EQ(init.exec(command({"/etc/passwd"})).collect().refused, EACCES);
  EXPECT_EQ(init.exec(shell("exit 3")).collect().exit_code(), 3);
}

TEST(InitExec, TerminalOfItsOwn) {
  StartedInit init({.program = waiting});
  auto exec = init.exec(shell("tty >/dev/null && stty size; read line; echo got $line", true));
  exec.expect_output("24 80\r\n");
  exec.send(FrameType::input, "x\n");
  const auto got = exec.collect();
  EXPECT_EQ(got.output, "24 80\r\nx\r\ngot x\r\n");
  EXPECT_EQ(got.exit_code(), 0);
}

TEST(InitExec, SignalIsForIt) {
  StartedInit init({.program = waiting});
  auto exec = init.exec(shell("echo ready; sleep 1000"));
  exec.expect_output("ready\n");
  exec.send(FrameType::signal, {}, SIGTERM);
  EXPECT_EQ(exec.collect().signal(), SIGTERM);
  init.client().send(FrameType::input, "\n");
  EXPECT_EQ(init.client().collect().exit_code(), 0);
}

TEST(InitExec, SignalSentAtOnceIsNotLost) {
  StartedInit init({.program = waiting});
  for (int i = 0; i < 20; ++i) {
    auto exec = init.exec(command({"sleep", "1000"}));
    exec.send(FrameType::signal, {}, SIGTERM);
    EXPECT_EQ(exec.collect().signal(), SIGTERM);
  }
}

TEST(InitExec, IsHungUpWithItsConnectionAndMayGoOn) {
  // The main process prints what comes out of a fifo, so what the exec does after its client has gone can be seen.
  StartedInit init({.program = shell("read folder; mkfifo $folder/news; echo made; exec cat $folder/news")});
  init.client().send(FrameType::input, init.folder() + "\n");
  init.client().expect_output("made\n");
  auto exec = init.exec(shell("exec 3> " + init.folder() +
                              "/news; trap 'echo hung up >&3' HUP; echo ready;"
                              "while read line; do :; done; echo end of input >&3; seq 1 100000; echo after all >&3"));
  exec.expect_output("ready\n");
  exec.close();
  EXPECT_EQ(init.client().collect().output, "made\nhung up\nend of input\nafter all\n");
}

TEST(InitExec, EndsWithTheAgent) {
  StartedInit init({.program = waiting});
  auto exec = init.exec(shell("trap '' HUP TERM; echo ready; while :; do sleep 1000; done"));
  exec.expect_output("ready\n");
  init.client().send(FrameType::input, "\n");
  EXPECT_EQ(init.client().collect().exit_code(), 0);
  const auto got = exec.collect();
  EXPECT_EQ(got.output, "ready\n");
  EXPECT_EQ(got.signal(), SIGKILL);
}

TEST(InitExec, WhatItLeavesRunningKeepsNobody) {
  StartedInit init({.program = waiting});
  const auto got = init.exec(shell("sleep 20 & echo done")).collect();
  EXPECT_EQ(got.output, "done\n");
  EXPECT_EQ(got.exit_code(), 0);
  auto terminal = init.exec(shell("setsid sleep 20 & echo done", true)).collect();
  EXPECT_EQ(terminal.output, "done\r\n");
}

TEST(InitExec, SixtyFourAreTheMost) {
  StartedInit init({.program = waiting});
  std::vector<Client> clients;
  for (int i = 0; i < 64; ++i) {
    clients.push_back(init.exec(shell("echo ready; read line")));
    clients.back().expect_output("ready\n");
  }
  const auto refused = init.exec(shell("echo ready")).collect();
  EXPECT_EQ(refused.refused, EAGAIN);
  EXPECT_EQ(refused.words, "too many programs run beside this agent");
  clients[10].send(FrameType::input, "\n");
  EXPECT_EQ(clients[10].collect().exit_code(), 0);
  EXPECT_EQ(init.exec(shell("echo ready")).collect().output, "ready\n");
}

}  // namespace
}  // namespace agentos::init_tests
