#include "observer/journal/journal.hpp"

#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fixture.hpp"

namespace agentos::journal {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

TEST_F(JournalTest, GoesOnWhereItEnded) {
  run(3);
  EXPECT_THAT(faults(), IsEmpty());
  run(2);
  const auto verdict = verify(folder);
  ASSERT_TRUE(verdict);
  EXPECT_THAT(verdict->faults, IsEmpty());
  EXPECT_EQ(verdict->records, 7U) << "each run ends with daemon.stopped, and nothing was lost that had to be stated";
}

TEST_F(JournalTest, ChainsOverSegments) {
  run(50, 1024);
  EXPECT_GT(files().size(), 5U);
  EXPECT_THAT(faults(), IsEmpty());
  for (const auto& name : files()) EXPECT_LE(std::filesystem::file_size(folder + "/" + name), 1024U);
  run(1, 1024);
  EXPECT_THAT(faults(), IsEmpty());
}

TEST_F(JournalTest, SaysThatItEndedWithoutWarning) {
  run(3, 1 << 20, true);
  run(0);
  const auto bytes = slurp(folder + "/" + files().at(0));
  const auto at = places(bytes);
  const auto fourth = decode_frame(std::string_view(bytes).substr(at.at(3)));
  ASSERT_TRUE(fourth);
  EXPECT_EQ(fourth->record.entry.kind, audit_kind::audit_reopened);
  EXPECT_THAT(faults(), IsEmpty());
}

TEST_F(JournalTest, ATailTornAtAnyByteIsCutAndARecordSaysSo) {
  run(3);
  const auto path = folder + "/" + files().at(0);
  const auto whole = slurp(path);
  const auto at = places(whole);
  const std::size_t last = at[at.size() - 2];
  for (std::size_t size = last + 1; size < whole.size(); ++size) {
    spit(path, std::string_view(whole).substr(0, size));
    auto torn = faults();
    ASSERT_THAT(torn, SizeIs(1)) << size;
    EXPECT_EQ(torn[0].offset, last);
    EXPECT_EQ(torn[0].sequence, 4U);
    run(0);
    ASSERT_THAT(faults(), IsEmpty()) << size;
    const auto bytes = slurp(path);
    const auto stated = decode_frame(std::string_view(bytes).substr(last));
    ASSERT_TRUE(stated);
    EXPECT_EQ(stated->record.entry.kind, audit_kind::audit_reopened);
    EXPECT_THAT(stated->record.entry.body, HasSubstr("\"cut_bytes\":" + std::to_string(size - last)));
  }
}

TEST_F(JournalTest, ASegmentThatWasOnlyBegunIsMadeAnew) {
  for (const std::size_t size : {std::size_t{0}, header_size - 1}) {
    run(3);
    const SegmentHeader next{verify(folder)->head.sequence + 1, 1, {}};
    spit(folder + "/" + next.file_name(), next.encode().substr(0, size));
    ASSERT_FALSE(faults().empty());
    run(1);
    EXPECT_THAT(faults(), IsEmpty()) << size;
    EXPECT_THAT(files(), SizeIs(1));
  }
}

TEST_F(JournalTest, ADamageBeforeTheTailIsKeptAsEvidence) {
  run(5);
  const auto path = folder + "/" + files().at(0);
  auto bytes = slurp(path);
  const auto at = places(bytes);
  bytes[at[2] + 60] = static_cast<char>(bytes[at[2] + 60] ^ 1);
  spit(path, bytes);
  run(1);
  EXPECT_EQ(slurp(path), bytes) << "nothing of it was cut";
  EXPECT_THAT(files(), SizeIs(2));
  const auto found = faults();
  ASSERT_THAT(found, SizeIs(1)) << "the damage, and nothing after it";
  EXPECT_EQ(found[0].offset, at[2]);
  EXPECT_EQ(found[0].sequence, 3U);
}

TEST_F(JournalTest, TheOldestSegmentsGoAndTheirEndIsStated) {
  run(30, 1000, false, 3);
  EXPECT_LE(files().size(), 4U) << "one more until its end is durable";
  const auto kept = verify(folder);
  ASSERT_TRUE(kept);
  EXPECT_THAT(kept->faults, IsEmpty());
  EXPECT_GT(kept->first, 1U);
  run(30, 1000, false, 3);
  EXPECT_LE(files().size(), 4U);
  EXPECT_THAT(faults(), IsEmpty());
  std::filesystem::remove(folder + "/" + files().at(0));
  EXPECT_FALSE(faults().empty()) << "one that somebody else deleted is missed";
}

TEST_F(JournalTest, AFullQueueDropsAndSaysHowMany) {
  boost::asio::io_context context{1};
  auto opened = SegmentJournal::open(context.get_executor(), {.folder = folder, .queue_bytes = 1000},
                                     [this](const std::string& line) { said.push_back(line); });
  ASSERT_TRUE(opened) << opened.error().message();
  auto& journal = **opened;
  for (int i = 0; i < 100; ++i) journal.append({"api.call", "acme", "", "{}"});  // the loop does not run meanwhile
  const auto dropped = journal.dropped();
  EXPECT_GT(dropped, 50U);
  EXPECT_THAT(said, SizeIs(1));
  const auto refused = fakes::await(context, journal.keep({"api.call", "acme", "", "{}"}));
  ASSERT_FALSE(refused) << "it would have to be dropped";
  EXPECT_EQ(refused.error().kind(), ErrorKind::exhausted);
  fakes::run_until(context, [&] { return journal.dropped() == 0; });
  ASSERT_TRUE(fakes::await(context, journal.keep({"api.call", "acme", "", "{}"})));
  const auto page = fakes::await(context, journal.read({.kind = std::string(audit_kind::audit_dropped)}));
  ASSERT_TRUE(page);
  ASSERT_THAT(page->records, SizeIs(1));
  EXPECT_EQ(page->records[0].entry.body, "{\"records\":" + std::to_string(dropped + 1) + "}");
  EXPECT_THAT(faults(), IsEmpty());
}

// On a file system of 256 KiB, in a mount namespace of its own.
TEST_F(JournalTest, AFullDiskIsToldAndTheChainGoesOnAfterIt) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root to mount a small file system";
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    const auto mount = temporary.path();
    if (::unshare(CLONE_NEWNS) != 0 || ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        ::mount("none", mount.c_str(), "tmpfs", 0, "size=256k") != 0) {
      ::_exit(10);
    }
    spit(mount + "/filler", std::string(200 << 10, 'f'));
    boost::asio::io_context context{1};
    auto opened =
        SegmentJournal::open(context.get_executor(), {.folder = folder, .retry = std::chrono::milliseconds(20)},
                             [this](const std::string& line) { said.push_back(line); });
    if (!opened) ::_exit(11);
    Result<> kept;
    const std::string body = "{\"x\":\"" + std::string(8000, 'x') + "\"}";
    for (int i = 0; kept && i < 64; ++i) kept = fakes::await(context, (*opened)->keep({"api.call", "acme", "", body}));
    if (kept || kept.error().kind() != ErrorKind::exhausted || said.size() != 1) ::_exit(12);
    std::filesystem::remove(mount + "/filler");
    fakes::run_until(context, [&] { return said.size() == 2; });
    if (!fakes::await(context, (*opened)->keep({"api.call", "acme", "", body}))) ::_exit(13);
    if (!faults().empty()) ::_exit(14);
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  ASSERT_TRUE(WIFEXITED(status));
  if (WEXITSTATUS(status) == 10) GTEST_SKIP() << "cannot mount here";
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

}  // namespace
}  // namespace agentos::journal
