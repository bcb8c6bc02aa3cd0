#include "daemon/log_reader.hpp"

#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "daemon/log_watch.hpp"
#include "fakes/await.hpp"
#include "fakes/temporary_folder.hpp"

namespace agentos::daemon {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class LogReaderTest : public testing::Test {
 protected:
  fakes::TemporaryFolder folder;
  std::array<std::string, 2> paths{folder.path() + "/log.0", folder.path() + "/log.1"};
  std::uint64_t sequence{};

  LogReaderTest() {
    for (const auto& path : paths) std::ofstream(path).flush();
  }

  static std::string bytes_of(std::uint64_t number, std::string_view data,
                              LogRecord::Stream stream = LogRecord::Stream::output) {
    const LogRecord record{
        .stream = stream, .sequence = number, .time_ns = static_cast<std::int64_t>(number), .data = data};
    char header[LogRecord::header_size];
    record.encode_header(header);
    return std::string(header, sizeof header) + std::string(data);
  }
  void append(std::size_t file, std::string_view bytes) { std::ofstream(paths[file], std::ios::app) << bytes; }
  void log(std::size_t file, std::string_view data) { append(file, bytes_of(++sequence, data)); }
  void empty(std::size_t file) { std::filesystem::resize_file(paths[file], 0); }

  LogReader open() {
    auto reader = LogReader::open(paths);
    EXPECT_TRUE(reader);
    return std::move(*reader);
  }
  static std::vector<std::string> rest(LogReader& reader) {
    std::vector<std::string> data;
    while (auto record = reader.next()) data.push_back(record->data);
    return data;
  }
};

TEST_F(LogReaderTest, MergesTheFilesInTheOrderOfTheRecords) {
  sequence = 4;
  log(0, "five");
  sequence = 0;
  for (const auto* data : {"one", "two", "three", "four"}) log(1, data);
  auto reader = open();
  EXPECT_THAT(rest(reader), ElementsAre("one", "two", "three", "four", "five"));
}

TEST_F(LogReaderTest, GoesOnWithWhatIsWrittenLater) {
  auto reader = open();
  EXPECT_THAT(rest(reader), IsEmpty());
  log(0, "one");
  EXPECT_THAT(rest(reader), ElementsAre("one"));
  log(0, "two");
  log(1, "three");
  EXPECT_THAT(rest(reader), ElementsAre("two", "three"));
}

TEST_F(LogReaderTest, HalfARecordWaitsForItsOtherHalf) {
  const std::string record = bytes_of(1, "whole");
  auto reader = open();
  for (const char byte : record.substr(0, record.size() - 1)) {
    append(0, {&byte, 1});
    EXPECT_THAT(rest(reader), IsEmpty());
  }
  append(0, record.substr(record.size() - 1));
  EXPECT_THAT(rest(reader), ElementsAre("whole"));
}

TEST_F(LogReaderTest, FollowsAFileThatIsEmptiedAndFilledAgain) {
  log(0, "one");
  auto reader = open();
  EXPECT_THAT(rest(reader), ElementsAre("one"));
  log(1, "two");
  empty(0);
  log(0, "three");
  EXPECT_THAT(rest(reader), ElementsAre("two", "three"));
}

TEST_F(LogReaderTest, FollowsAFileThatGrewPastTheOldOffsetAtTheStartOfARecord) {
  log(0, "a");
  auto reader = open();
  EXPECT_THAT(rest(reader), ElementsAre("a"));
  log(1, "b");
  empty(0);
  for (const auto* data : {"c", "d", "e"}) log(0, data);
  EXPECT_THAT(rest(reader), ElementsAre("b", "c", "d", "e"));
}

TEST_F(LogReaderTest, FollowsAFileThatGrewPastTheOldOffsetMeanwhile) {
  log(0, "a");
  log(0, "b");
  auto reader = open();
  EXPECT_THAT(rest(reader), ElementsAre("a", "b"));
  log(1, "c");
  empty(0);
  log(0, std::string(100, 'x'));  // the reader's offset is now in the middle of it
  log(0, "e");
  EXPECT_THAT(rest(reader), ElementsAre("c", std::string(100, 'x'), "e"));
}

TEST_F(LogReaderTest, WhatWasOverwrittenIsLeftOut) {
  auto reader = open();
  log(0, "lost");
  log(1, "kept");
  empty(0);
  log(0, "new");
  EXPECT_THAT(rest(reader), ElementsAre("kept", "new"));
}

TEST_F(LogReaderTest, AForeignFileGivesNothingAndEnds) {
  append(0, std::string(1 << 20, 'A'));
  auto reader = open();
  EXPECT_THAT(rest(reader), IsEmpty());
  log(1, "good");
  EXPECT_THAT(rest(reader), ElementsAre("good"));
}

TEST_F(LogReaderTest, ManyRecordsAreReadWhole) {
  std::string all;
  for (std::uint64_t i = 1; i <= 20'000; ++i) all += bytes_of(i, "line " + std::to_string(i) + "\n");
  append(0, all);
  auto reader = open();
  const auto data = rest(reader);
  ASSERT_EQ(data.size(), 20'000U);
  EXPECT_EQ(data.back(), "line 20000\n");
}

TEST(TailFinder, FindsTheLastLinesAlsoInsideARecord) {
  const auto start_of = [](std::size_t lines, std::initializer_list<const char*> records) {
    TailFinder finder(lines);
    std::uint64_t sequence = 0;
    for (const auto* data : records) finder.add({LogRecord::Stream::output, ++sequence, 0, data});
    const auto start = finder.start();
    return std::pair(start.sequence, start.skip);
  };
  EXPECT_EQ(start_of(1, {"a\nb\nc\n"}), std::pair(1UL, 4UL));
  EXPECT_EQ(start_of(1, {"a\nb\nc"}), std::pair(1UL, 4UL));
  EXPECT_EQ(start_of(2, {"a\nb\n", "c\n"}), std::pair(1UL, 2UL));
  EXPECT_EQ(start_of(1, {"one ", "line ", "in three\n"}), std::pair(1UL, 0UL));
  EXPECT_EQ(start_of(9, {"a\n", "b\n"}), std::pair(1UL, 0UL));
  EXPECT_EQ(start_of(0, {"a\n"}), std::pair(2UL, 0UL));
  EXPECT_EQ(start_of(1, {}), std::pair(1UL, 0UL));
}

TEST_F(LogReaderTest, TheWatchRingsOnWritesWhileItIsHeld) {
  boost::asio::io_context context{1};
  auto watch = LogWatch::open(context.get_executor());
  ASSERT_TRUE(watch);
  auto bell = (*watch)->watch(folder.path());
  ASSERT_TRUE(bell);
  EXPECT_EQ((*watch)->watch(folder.path())->get(), bell->get()) << "one for a folder";
  log(0, "one");
  fakes::run_until(context, [&] { return (*bell)->rings() > 0; });
  EXPECT_FALSE((*watch)->watch(folder.path() + "/none"));
}

}  // namespace
}  // namespace agentos::daemon
