// Several clients, and clients that mean harm.
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <filesystem>
#include <random>

#include <gmock/gmock.h>

#include "os/socket.hpp"
#include "started_init.hpp"

namespace agentos::init_tests {
namespace {

const Program echo = command({"cat"});

// The agent still answers.
void expect_alive(StartedInit& init) {
  init.client().send(FrameType::input, "alive\n");
  init.client().expect_output("alive\n");
}

TEST(InitClients, AllGetTheOutputAndAnyMaySpeak) {
  StartedInit init({.program = echo});
  auto second = init.attach();
  EXPECT_EQ(second.receive(), Frame({.type = FrameType::started, .data = {}}).encode());
  second.send(FrameType::input, "from the second\n");
  second.expect_output("from the second\n");
  init.client().expect_output("from the second\n");
  expect_alive(init);
  second.expect_output("alive\n");
  second.close();
  expect_alive(init);
  init.client().send(FrameType::input_end);
  EXPECT_EQ(init.client().collect().exit_code(), 0);
}

TEST(InitClients, AgentOutlivesItsFirstClient) {
  StartedInit init({.program = echo});
  init.client().close();
  auto later = init.attach();
  later.send(FrameType::input, "still here\n");
  later.expect_output("still here\n");
  later.send(FrameType::input_end);
  EXPECT_EQ(later.collect().exit_code(), 0);
}

TEST(InitClients, ClosedClientDoesNotHoldUpOthers) {
  StartedInit init({.program = command({"seq", "1", "1000000"})});
  auto second = init.attach();
  init.client().receive();
  init.client().close();  // with much unread
  const auto got = second.collect();
  EXPECT_EQ(got.exit_code(), 0);
  EXPECT_THAT(got.output, testing::EndsWith("999999\n1000000\n"));
}

TEST(InitClients, ClientGoneWithUnreadInputFreesItsPlace) {
  StartedInit init({.program = shell("trap 'exit 0' USR1; echo ready; while :; do sleep 0.01; done")});
  init.client().expect_output("ready\n");
  for (int i = 0; i < 40; ++i) {
    auto client = init.attach();
    ASSERT_EQ(client.receive(), Frame({.type = FrameType::started, .data = {}}).encode()) << i;
    client.send(FrameType::input, std::string(attach_data_max, 'x'));
    if (i < 39) continue;
    EXPECT_FALSE(client.is_taken()) << "the program reads nothing";
  }
  init.control().send(FrameType::signal, {}, SIGUSR1);
  EXPECT_EQ(init.client().collect().exit_code(), 0);
}

// Each of many clients holds input that has no room, on a tty also its end; each is still heard, and one frame is all
// it may hold.
TEST(InitClients, HeldInputStopsNobodyElse) {
  for (const bool tty : {false, true}) {
    const std::string terminal = tty ? "stty -icanon -echo; " : "";  // else it drops what has no room
    StartedInit init(
        {.program = shell(terminal + "trap 'echo caught' INT; echo ready; while :; do sleep 0.01; done", tty)});
    const std::string line_end = tty ? "\r\n" : "\n";
    init.client().expect_output("ready" + line_end);
    init.client().send(FrameType::input, std::string(attach_data_max, 'x'));
    std::vector<Client> clients;
    for (int i = 0; i < 8; ++i) {
      clients.push_back(init.attach());
      clients.back().send(FrameType::input, std::string(attach_data_max, 'x'));
    }
    EXPECT_FALSE(clients.back().is_taken());
    auto& last = clients.back();
    last.send_packet(Frame{.type = FrameType::input_end, .data = {}}.encode());
    last.send(FrameType::signal, {}, SIGINT);
    last.expect_output("caught" + line_end);
    last.send_packet(Frame{.type = FrameType::input, .data = "more"}.encode());
    EXPECT_EQ(last.collect().refused, EPROTO);
    init.client().send(FrameType::signal, {}, SIGKILL);
    EXPECT_EQ(init.client().collect().signal(), SIGKILL);
  }
}

TEST(InitClients, ControlSignalsAndGetsNoOutput) {
  StartedInit init({.program = shell("trap 'echo bye; exit 2' TERM; echo ready; while :; do sleep 0.01; done")});
  init.client().expect_output("ready\n");
  auto control = init.control();
  control.send(FrameType::signal, {}, SIGTERM);
  const auto got = control.collect();
  EXPECT_EQ(got.output, "");
  EXPECT_EQ(got.exit_code(), 2);
  EXPECT_EQ(init.client().collect().exit_code(), 2);
}

TEST(InitClients, SixteenAreTheMost) {
  StartedInit init({.program = echo});
  std::vector<Client> clients;
  for (int i = 1; i < 16; ++i) {
    clients.push_back(init.attach());
    EXPECT_FALSE(clients.back().receive().empty());
  }
  EXPECT_EQ(init.attach().collect().refused, EAGAIN);
  EXPECT_EQ(init.control().collect().refused, EAGAIN);
  clients.pop_back();
  EXPECT_TRUE(eventually([&] {
    auto client = init.attach();
    return client.receive() == Frame({.type = FrameType::started, .data = {}}).encode();
  }));
  expect_alive(init);
}

TEST(InitClients, ConnectionsWithoutHelloAreFew) {
  StartedInit init({.program = echo});
  std::vector<Client> silent;
  for (int i = 0; i < 8; ++i) silent.push_back(init.connect());
  EXPECT_EQ(init.connect().collect().refused, EAGAIN);
  silent.clear();
  EXPECT_TRUE(eventually([&] { return init.exec(command({"true"})).collect().exit_code() == 0; }));
  expect_alive(init);
}

TEST(InitClients, HelloMustComeInTenSeconds) {
  StartedInit init({.program = echo});
  auto silent = init.connect();
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(silent.collect().refused, ETIMEDOUT);
  EXPECT_GT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(9));
  expect_alive(init);
}

TEST(InitClients, ThoseThatMisbehaveAreDroppedWithAReason) {
  StartedInit init({.program = echo});
  const auto refusal = [&](Client client, const std::string& packet) {
    client.send_packet(packet);
    return client.collect().refused;
  };
  const auto input = Frame{.type = FrameType::input, .data = "x"}.encode();
  EXPECT_EQ(refusal(init.connect(), input), EPROTO) << "before hello";
  EXPECT_EQ(refusal(init.attach(), Hello{.program = {}}.encode()), EPROTO) << "a second hello";
  EXPECT_EQ(refusal(init.attach(), "\xff"), EPROTO);
  EXPECT_EQ(refusal(init.attach(), Frame{.type = FrameType::exited, .data = {}}.encode()), EPROTO);
  EXPECT_EQ(refusal(init.attach(), Frame{.type = FrameType::signal, .data = {}, .number = -1}.encode()), EPROTO);
  EXPECT_EQ(refusal(init.control(), input), EPROTO);
  EXPECT_EQ(
      refusal(init.attach(), Frame{.type = FrameType::input, .data = std::string(attach_data_max + 1, 'x')}.encode()),
      EPROTO);
  EXPECT_EQ(refusal(init.attach(), std::string(attach_frame_max + 1, 'x')), EMSGSIZE);
  Hello old{.purpose = Hello::Purpose::attach, .program = {}};
  old.version = 0;
  EXPECT_EQ(refusal(init.connect(), old.encode()), EPROTO) << "another version";
  expect_alive(init);
}

TEST(InitClients, ExecOfAClientThatMisbehavesIsHungUp) {
  StartedInit init({.program = echo});
  const std::string mark = init.folder() + "/hung-up";
  auto exec = init.exec(shell("trap 'echo > " + mark + "; exit' HUP; echo ready; while :; do sleep 0.01; done"));
  exec.expect_output("ready\n");
  EXPECT_FALSE(std::filesystem::exists(mark));
  exec.send_packet("\xff");
  EXPECT_EQ(exec.collect().refused, EPROTO);
  EXPECT_TRUE(eventually([&] { return std::filesystem::exists(mark); }));
}

TEST(InitClients, RandomPackets) {
  StartedInit init({.program = echo});
  std::mt19937 random(3);
  for (int i = 0; i < 500; ++i) {
    auto client = i % 3 == 0 ? init.connect() : i % 3 == 1 ? init.attach() : init.control();
    for (int packet = 0; packet < 5; ++packet) {
      std::string bytes(1 + random() % 40, '\0');
      for (auto& c : bytes) c = static_cast<char>(random() % (packet % 2 == 0 ? 256 : 5));
      if (bytes[0] == static_cast<char>(FrameType::signal) || bytes[0] == static_cast<char>(FrameType::input_end))
        bytes[0] = '\x7f';
      if (::send(client.fd(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT) < 0) break;
    }
  }
  EXPECT_TRUE(eventually([&] { return init.exec(command({"true"})).collect().exit_code() == 0; }));
  init.client().send(FrameType::input, "\nalive\n");
  init.client().expect_output("\nalive\n");
}

// SECURITY.md B: a client's descriptors never become init's, where they would be kept, or reach the agent.
TEST(InitClients, DescriptorsSentAlongAreNotTaken) {
  StartedInit init({.program = echo});
  expect_alive(init);
  const auto open_fds = [&] {
    const std::filesystem::directory_iterator folder("/proc/" + std::to_string(init.pid()) + "/fd");
    return std::distance(begin(folder), end(folder));
  };
  if (::geteuid() != 0) {
    skip("the descriptors of an undumpable process are for root to see");
  }
  const auto before = open_fds();
  const std::array<int, 3> extra{0, 1, 2};
  const auto frame = Frame{.type = FrameType::input, .data = "with descriptors\n"}.encode();
  const auto sent = os::send_packet(init.client().fd(), frame, extra);
  if (sent) {
    init.client().expect_output("with descriptors\n");
  } else {
    EXPECT_EQ(sent.error().number(), EPERM) << "refused by the kernel (SO_PASSRIGHTS)";
  }
  expect_alive(init);
  EXPECT_EQ(open_fds(), before);
}

}  // namespace
}  // namespace agentos::init_tests
