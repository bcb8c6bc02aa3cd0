#include "init/input_buffer.hpp"

#include <memory>
#include <random>
#include <string>

#include <gtest/gtest.h>

namespace agentos::init {
namespace {

TEST(InputBuffer, HasRoomForAFrameUpToHalf) {
  const auto buffer = std::make_unique<InputBuffer>();
  EXPECT_TRUE(buffer->has_room());
  buffer->push(std::string(InputBuffer::capacity - attach_data_max, 'x'));
  EXPECT_TRUE(buffer->has_room());
  buffer->push("y");
  EXPECT_FALSE(buffer->has_room());
  buffer->pop(1);
  EXPECT_TRUE(buffer->has_room());
}

TEST(InputBuffer, KeepsOrderWhateverTheSizes) {
  const auto buffer = std::make_unique<InputBuffer>();
  std::mt19937 random(2);
  std::string in;
  std::string out;
  for (int i = 0; i < 1'000; ++i) {
    if (buffer->has_room()) {
      std::string data(1 + random() % attach_data_max, '\0');
      for (auto& c : data) c = static_cast<char>(random());
      buffer->push(data);
      in += data;
    }
    const auto count = random() % (buffer->pending().size() + 1);
    out += buffer->pending().substr(0, count);
    buffer->pop(count);
    if (in.size() > 1'000'000) {
      ASSERT_TRUE(in.starts_with(out));
      in.erase(0, out.size());
      out.clear();
    }
  }
  out += buffer->pending();
  EXPECT_TRUE(in == out);
}

}  // namespace
}  // namespace agentos::init
