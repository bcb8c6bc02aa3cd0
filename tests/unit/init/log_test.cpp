#include "init/log.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#include <map>
#include <string>

#include <gmock/gmock.h>

namespace agentos::init {
namespace {

struct Files {
  UniqueFd first{::memfd_create("log 0", MFD_CLOEXEC)}, second{::memfd_create("log 1", MFD_CLOEXEC)};

  Log log(std::uint64_t max) {
    for (const int fd : {first.get(), second.get()}) ::fcntl(fd, F_SETFL, O_APPEND);
    return {UniqueFd(::dup(first.get())), UniqueFd(::dup(second.get())), max};
  }
};

off_t size_of(const UniqueFd& fd) {
  struct stat status{};
  EXPECT_EQ(::fstat(fd.get(), &status), 0);
  return status.st_size;
}

// Both files by sequence. Anything that is not a whole record fails the test.
std::map<std::uint64_t, std::string> records(const Files& files) {
  std::map<std::uint64_t, std::string> result;
  for (const auto* fd : {&files.first, &files.second}) {
    std::string bytes(static_cast<std::size_t>(size_of(*fd)), '\0');
    EXPECT_EQ(::pread(fd->get(), bytes.data(), bytes.size(), 0), static_cast<ssize_t>(bytes.size()));
    for (std::string_view rest = bytes; !rest.empty();) {
      const auto record = LogRecord::decode(rest);
      if (!record) {
        ADD_FAILURE() << record.error().message();
        break;
      }
      EXPECT_TRUE(result.emplace(record->sequence, record->data).second) << "sequence " << record->sequence << " twice";
      rest.remove_prefix(record->total_size());
    }
  }
  return result;
}

constexpr auto output = LogRecord::Stream::output;

TEST(Log, RecordsAreNumberedFromOne) {
  Files files;
  auto log = files.log(1 << 20);
  log.append(output, "one");
  log.append(LogRecord::Stream::error_output, "two");
  EXPECT_THAT(records(files), testing::ElementsAre(testing::Pair(1, "one"), testing::Pair(2, "two")));
}

TEST(Log, FillsTheFilesInTurnAndNeverMore) {
  Files files;
  constexpr std::uint64_t max = 4096;
  auto log = files.log(max);
  for (int i = 1; i <= 1000; ++i) {
    log.append(output, std::string(100, 'x'));
    ASSERT_LE(size_of(files.first), static_cast<off_t>(max));
    ASSERT_LE(size_of(files.second), static_cast<off_t>(max));
  }
  const auto kept = records(files);
  EXPECT_EQ(kept.rbegin()->first, 1000U);
  EXPECT_EQ(kept.size(), 1000 - kept.begin()->first + 1) << "the newest, without a gap";
  EXPECT_GT(kept.size(), max / 124);
}

TEST(Log, ExactlyFullFileIsStillUsed) {
  Files files;
  auto log = files.log(2 * (LogRecord::header_size + 10));
  log.append(output, "0123456789");
  log.append(output, "0123456789");
  EXPECT_EQ(size_of(files.second), 0);
  log.append(output, "0123456789");
  EXPECT_GT(size_of(files.second), 0);
  EXPECT_EQ(records(files).size(), 3U);
}

TEST(Log, ZeroLogsNothing) {
  Files files;
  auto log = files.log(0);
  log.append(output, "one");
  EXPECT_TRUE(records(files).empty());
  EXPECT_EQ(log.dropped(), 0U);
}

// A file size limit stands for a full disk: the write that crosses it is cut short, those after it fail.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    EXPECT_EQ(::getrlimit(RLIMIT_FSIZE, &before_), 0);
    const rlimit limit{bytes, before_.rlim_max};
    EXPECT_EQ(::setrlimit(RLIMIT_FSIZE, &limit), 0);
  }
  ~FileSizeLimit() {
    EXPECT_EQ(::setrlimit(RLIMIT_FSIZE, &before_), 0);
    std::signal(SIGXFSZ, handler_);
  }

 private:
  rlimit before_{};
  void (*handler_)(int);
};

TEST(Log, FullDiskLosesAndSaysSoWhenThereIsSpace) {
  Files files;
  auto log = files.log(1 << 20);
  log.append(output, "kept");
  {
    const FileSizeLimit limit(static_cast<rlim_t>(size_of(files.first)) + 50);
    log.append(output, std::string(1000, 'x'));
    log.append(output, std::string(500, 'y'));
    EXPECT_EQ(log.dropped(), 1500U);
    EXPECT_EQ(records(files).size(), 1U) << "no half record";
  }
  log.append(output, "again");
  EXPECT_EQ(log.dropped(), 0U);
  EXPECT_THAT(records(files),
              testing::ElementsAre(testing::Pair(1, "kept"),
                                   testing::Pair(2, testing::StartsWith("agentos: 1500 bytes of output are missing")),
                                   testing::Pair(3, "again")));
}

}  // namespace
}  // namespace agentos::init
