#include "agentos/base/codec.hpp"

#include <gtest/gtest.h>

namespace agentos {
namespace {

TEST(Codec, round_trip) {
  Writer to;
  to.put(std::uint32_t{7});
  to.put("text");
  to.put(std::vector<std::string>{"a", ""});
  to.put(true);
  Reader from(to.bytes());
  EXPECT_EQ(from.get<std::uint32_t>(), 7U);
  EXPECT_EQ(from.get_text(), "text");
  EXPECT_EQ(from.get_strings(), (std::vector<std::string>{"a", ""}));
  EXPECT_TRUE(from.get_bool());
  EXPECT_TRUE(from.finished());
}

TEST(Codec, every_cut_is_noticed) {
  Writer to;
  to.put(std::uint64_t{1});
  to.put("some text");
  to.put(std::vector<std::string>{"x", "y"});
  for (std::size_t size = 0; size < to.bytes().size(); ++size) {
    Reader from(std::string_view(to.bytes()).substr(0, size));
    [[maybe_unused]] const auto number = from.get<std::uint64_t>();
    [[maybe_unused]] const auto text = from.get_string();
    [[maybe_unused]] const auto list = from.get_strings();
    EXPECT_FALSE(from.ok()) << size;
  }
}

TEST(Codec, a_count_larger_than_the_input_allocates_nothing) {
  Writer to;
  to.put(std::uint32_t{0xFFFFFFFF});
  Reader list(to.bytes());
  EXPECT_TRUE(list.get_strings().empty());
  EXPECT_FALSE(list.ok());
  Reader text(to.bytes());
  EXPECT_EQ(text.get_text(), "");
  EXPECT_FALSE(text.ok());
}

TEST(Codec, a_truth_value_is_zero_or_one) {
  Reader from(std::string_view("\2", 1));
  EXPECT_FALSE(from.get_bool());
  EXPECT_FALSE(from.ok());
}

TEST(Codec, bytes_left_over_are_noticed) {
  Reader from(std::string_view("\1\0\0", 3));
  EXPECT_TRUE(from.get_bool());
  EXPECT_TRUE(from.ok());
  EXPECT_FALSE(from.finished());
}

}  // namespace
}  // namespace agentos
