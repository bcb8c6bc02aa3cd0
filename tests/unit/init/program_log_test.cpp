#include <gmock/gmock.h>

#include "started_init.hpp"

namespace agentos::init_tests {
namespace {

std::string numbers_to(int last) {
  std::string text;
  for (int i = 1; i <= last; ++i) text += std::to_string(i) + '\n';
  return text;
}

TEST(InitLog, RotatesAndKeepsTheNewest) {
  constexpr std::uint64_t max = 100'000;
  StartedInit init({.program = command({"seq", "1", "300000"}), .log_max = max});
  const auto expected = numbers_to(300'000);
  EXPECT_TRUE(init.client().collect().output == expected);
  init.wait();
  EXPECT_LE(init.log_size(0), static_cast<off_t>(max));
  EXPECT_LE(init.log_size(1), static_cast<off_t>(max));
  const auto kept = init.log(LogRecord::Stream::output);
  EXPECT_GT(kept.size(), max / 2);
  EXPECT_TRUE(expected.ends_with(kept));
}

TEST(InitLog, FullDiskNeitherStopsNorHarmsTheAgent) {
  StartedInit init({.program = command({"seq", "1", "300000"}), .log_path = "/dev/full"});
  const auto got = init.client().collect();
  EXPECT_TRUE(got.output == numbers_to(300'000));
  EXPECT_EQ(got.exit_code(), 0);
  EXPECT_EQ(init.wait(), 0);
  EXPECT_EQ(init.exit_record().code, 0);
}

}  // namespace
}  // namespace agentos::init_tests
