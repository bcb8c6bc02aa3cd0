#include "init/process.hpp"

#include <fcntl.h>

#include <memory>

#include <gmock/gmock.h>

namespace agentos::init {
namespace {

struct StreamOverPipe : testing::Test {
  StreamOverPipe() {
    std::array<int, 2> ends{};
    EXPECT_EQ(::pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK), 0);
    stream->open(UniqueFd(ends[0]), FrameType::output);
    writer.reset(ends[1]);
  }
  // As much as the pipe takes.
  std::size_t fill() {
    const std::string block(4096, 'x');
    std::size_t total = 0;
    for (ssize_t count = 0; (count = ::write(writer.get(), block.data(), block.size())) > 0;)
      total += static_cast<std::size_t>(count);
    return total;
  }
  std::size_t read_to_the_end() {
    std::size_t total = 0;
    while (stream->is_open()) total += stream->read(true).size();
    return total;
  }

  std::unique_ptr<Stream> stream = std::make_unique<Stream>();
  UniqueFd writer;
};

TEST_F(StreamOverPipe, ChunkIsAFrameAndWaitsForThoseItIsOwedTo) {
  ASSERT_EQ(::write(writer.get(), "abc", 3), 3);
  EXPECT_EQ(stream->read(false), "abc");
  EXPECT_EQ(stream->frame(), (Frame{.type = FrameType::output, .data = "abc"}.encode()));
  stream->owed.set(7);
  EXPECT_FALSE(stream->wants_read());
  stream->owed.reset(7);
  EXPECT_TRUE(stream->wants_read());
}

TEST_F(StreamOverPipe, NothingNowIsTheEndOnlyWhenTheProgramHasEnded) {
  EXPECT_EQ(stream->read(false), "");
  EXPECT_TRUE(stream->is_open());
  EXPECT_EQ(stream->read(true), "");
  EXPECT_FALSE(stream->is_open());
}

TEST_F(StreamOverPipe, EndOfFileIsTheEnd) {
  writer.reset();
  EXPECT_EQ(stream->read(false), "");
  EXPECT_TRUE(stream->done());
}

TEST_F(StreamOverPipe, WhatIsLeftIsReadWhole) {
  const auto left = fill();
  EXPECT_GT(left, 0U);
  EXPECT_EQ(read_to_the_end(), left);
}

TEST_F(StreamOverPipe, WhatIsLeftHasALimit) {
  ASSERT_EQ(::fcntl(writer.get(), F_SETPIPE_SZ, static_cast<int>(drain_max)), static_cast<int>(drain_max));
  const auto left = fill();
  ASSERT_EQ(left, drain_max);
  std::size_t total = 0;
  while (stream->is_open()) {
    total += stream->read(true).size();
    if (stream->is_open()) fill();  // somebody goes on writing
  }
  EXPECT_EQ(total, drain_max);
}

}  // namespace
}  // namespace agentos::init
