#include "init/conversation.hpp"

#include <cerrno>
#include <random>

#include <gmock/gmock.h>

namespace agentos::init {
namespace {

using Kind = Conversation::Kind;

std::string hello(Hello::Purpose purpose) {
  Hello hello{.purpose = purpose, .program = {}};
  hello.program.argv = {"sh"};
  hello.program.rows = 40;
  hello.program.columns = 100;
  return hello.encode();
}

std::string frame(FrameType type, std::string_view data = "x", int number = 15) {
  return Frame{.type = type, .data = data, .rows = 1, .columns = 2, .number = number}.encode();
}

template <class T>
bool gives(Conversation& conversation, const std::string& packet) {
  return std::holds_alternative<T>(conversation.receive(packet));
}

TEST(Conversation, HelloSaysWhatItIs) {
  Conversation attach(Kind::waiting);
  const auto ask = attach.receive(hello(Hello::Purpose::attach));
  ASSERT_TRUE(std::holds_alternative<ask::Attach>(ask));
  EXPECT_EQ(std::get<ask::Attach>(ask).rows, 40);
  EXPECT_EQ(std::get<ask::Attach>(ask).columns, 100);
  EXPECT_EQ(attach.kind(), Kind::attach);

  Conversation exec(Kind::waiting);
  const auto program = exec.receive(hello(Hello::Purpose::exec));
  ASSERT_TRUE(std::holds_alternative<ask::Exec>(program));
  EXPECT_THAT(std::get<ask::Exec>(program).program.argv, testing::ElementsAre("sh"));

  Conversation control(Kind::waiting);
  EXPECT_TRUE(gives<ask::Control>(control, hello(Hello::Purpose::control)));
}

TEST(Conversation, NothingComesBeforeHello) {
  for (const auto type : {FrameType::input, FrameType::input_end, FrameType::resize, FrameType::signal}) {
    Conversation conversation(Kind::waiting);
    EXPECT_TRUE(gives<ask::Drop>(conversation, frame(type))) << static_cast<int>(type);
    EXPECT_EQ(conversation.kind(), Kind::over);
    Conversation after(Kind::attach);
    EXPECT_FALSE(gives<ask::Drop>(after, frame(type))) << static_cast<int>(type);
  }
}

TEST(Conversation, SecondHelloDrops) {
  for (const auto kind : {Kind::attach, Kind::exec, Kind::control}) {
    Conversation conversation(kind);
    EXPECT_TRUE(gives<ask::Drop>(conversation, hello(Hello::Purpose::attach)));
    EXPECT_TRUE(gives<ask::Drop>(conversation, frame(FrameType::signal))) << "after a drop nothing is taken";
  }
}

TEST(Conversation, FramesOfInitAreNotForClients) {
  for (const auto type : {FrameType::started, FrameType::output, FrameType::error_output, FrameType::exited,
                          FrameType::refused, FrameType::taken}) {
    Conversation conversation(Kind::attach);
    EXPECT_TRUE(gives<ask::Drop>(conversation, frame(type))) << static_cast<int>(type);
  }
}

TEST(Conversation, ControlOnlySignals) {
  Conversation conversation(Kind::control);
  EXPECT_TRUE(gives<ask::Signal>(conversation, frame(FrameType::signal)));
  EXPECT_TRUE(gives<ask::Drop>(conversation, frame(FrameType::input)));
}

TEST(Conversation, SignalNumbersHaveBounds) {
  for (const int good : {1, 9, 64}) {
    Conversation conversation(Kind::attach);
    EXPECT_TRUE(gives<ask::Signal>(conversation, frame(FrameType::signal, "", good))) << good;
  }
  for (const int bad : {0, -1, -9, 65, 1 << 30}) {
    Conversation conversation(Kind::attach);
    EXPECT_TRUE(gives<ask::Drop>(conversation, frame(FrameType::signal, "", bad))) << bad;
  }
}

TEST(Conversation, InputHasALimit) {
  const std::string most(attach_data_max, 'x');
  Conversation conversation(Kind::attach);
  const auto ask = conversation.receive(frame(FrameType::input, most));
  ASSERT_TRUE(std::holds_alternative<ask::Input>(ask));
  EXPECT_TRUE(gives<ask::Drop>(conversation, frame(FrameType::input, most + "x")));
}

TEST(Conversation, RandomBytesNeverDoMoreThanTheirKindMay) {
  std::mt19937 random(1);
  for (int i = 0; i < 20'000; ++i) {
    std::string packet(random() % 64, '\0');
    for (auto& c : packet) c = static_cast<char>(random() % (i % 2 == 0 ? 256 : 12));
    Conversation waiting(Kind::waiting);
    const auto first = waiting.receive(packet);
    EXPECT_TRUE(std::holds_alternative<ask::Drop>(first) == (waiting.kind() == Kind::over));
    Conversation control(Kind::control);
    const auto ask = control.receive(packet);
    EXPECT_TRUE(std::holds_alternative<ask::Signal>(ask) || std::holds_alternative<ask::Drop>(ask));
  }
}

// Init sends a chunk from the buffer it was read into, with the type in front; that must be what a frame is.
TEST(Conversation, OutputFrameIsTypeAndBytes) {
  EXPECT_EQ(frame(FrameType::output, "abc"), std::string(1, static_cast<char>(FrameType::output)) + "abc");
  EXPECT_EQ(frame(FrameType::error_output, "abc"), std::string(1, static_cast<char>(FrameType::error_output)) + "abc");
}

}  // namespace
}  // namespace agentos::init
