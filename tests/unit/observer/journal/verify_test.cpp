#include "observer/journal/verify.hpp"

#include "fixture.hpp"

namespace agentos::journal {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

// Each test first shows that the same journal is whole before it is touched.
class EditTest : public JournalTest {
 protected:
  std::string path, bytes;
  std::vector<std::size_t> at;  // of the frames of the first segment

  void SetUp() override {
    run(40, 1200);
    ASSERT_THAT(faults(), IsEmpty());
    ASSERT_GT(files().size(), 3U);
    path = folder + "/" + files().at(0);
    bytes = slurp(path);
    at = places(bytes);
    ASSERT_GT(at.size(), 5U);
  }
  std::string frame(std::size_t number) const { return bytes.substr(at[number], at[number + 1] - at[number]); }
  std::string file(std::size_t number) { return folder + "/" + files().at(number); }
  void expect(std::size_t offset, std::uint64_t sequence, const std::string& what) {
    const auto found = faults();
    ASSERT_FALSE(found.empty());
    EXPECT_EQ(found[0].file, std::filesystem::path(path).filename().string());
    EXPECT_EQ(found[0].offset, offset);
    EXPECT_EQ(found[0].sequence, sequence);
    EXPECT_THAT(found[0].what, HasSubstr(what));
  }
};

TEST_F(EditTest, AByteOfABody) {
  bytes[at[3] - 40] = '7';
  spit(path, bytes);
  expect(at[2], 3, "was changed");
  EXPECT_THAT(faults(), SizeIs(1));
}

TEST_F(EditTest, ARecordWithItsHashMadeAnew) {
  auto record = decode_frame(frame(2))->record;
  record.entry.body = "{\"n\":9}";
  spit(path, bytes.substr(0, at[2]) + encode_frame(record) + bytes.substr(at[3]));
  expect(at[3], 4, "record 3 is not the one that this record was written after");
}

TEST_F(EditTest, ADeletedRecord) {
  spit(path, bytes.substr(0, at[2]) + bytes.substr(at[3]));
  expect(at[2], 3, "records 3 to 3 are missing");
}

TEST_F(EditTest, ARecordTwice) {
  spit(path, bytes.substr(0, at[3]) + frame(2) + bytes.substr(at[3]));
  expect(at[3], 4, "record 3 stands here again");
}

TEST_F(EditTest, TwoRecordsExchanged) {
  spit(path, bytes.substr(0, at[2]) + frame(3) + frame(2) + bytes.substr(at[4]));
  expect(at[2], 3, "records 3 to 3 are missing");
}

TEST_F(EditTest, AnInsertedRecord) {
  auto record = decode_frame(frame(2))->record;
  record.sequence = 4;
  record.previous = record.hash;
  spit(path, bytes.substr(0, at[3]) + encode_frame(record) + bytes.substr(at[3]));
  expect(at[3] + frame(2).size(), 5, "record 4 stands here again");
}

TEST_F(EditTest, ASegmentCutWithinARecord) {
  spit(path, bytes.substr(0, at[4] + 5));
  expect(at[4], 5, "cut here");
}

TEST_F(EditTest, ASegmentCutAfterAWholeRecord) {
  spit(path, bytes.substr(0, at[4]));
  path = file(1);
  expect(0, 5, "records 5 to");
}

TEST_F(EditTest, AMissingSegment) {
  const auto removed = file(1);
  path = file(2);
  const auto next = decode_frame(slurp(removed).substr(header_size))->record.sequence;
  std::filesystem::remove(removed);
  expect(0, next, "are missing");
}

TEST_F(EditTest, TheFirstSegmentMissing) {
  std::filesystem::remove(path);
  const auto found = faults();
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_THAT(found[0].what, HasSubstr("no later record says that those before it were deleted"));
}

TEST_F(EditTest, TwoSegmentsExchanged) {
  const auto other = slurp(file(1));
  spit(file(1), bytes);
  spit(path, other);
  EXPECT_THAT(faults().at(0).what, HasSubstr("the segment is another one"));
}

TEST_F(EditTest, AHeaderOfASegment) {
  bytes[20] = static_cast<char>(bytes[20] ^ 1);
  spit(path, bytes);
  expect(0, 1, "the header was changed");
}

TEST_F(EditTest, ASegmentOfAnotherJournal) {
  const auto name = files().at(0);
  fakes::TemporaryFolder elsewhere;
  const auto mine = std::exchange(folder, elsewhere.path() + "/journal");
  run(40, 1200);
  const auto foreign = slurp(folder + "/" + name);
  folder = mine;
  spit(path, foreign);
  EXPECT_THAT(faults().at(0).what, HasSubstr("does not go on from the record before it"));
}

TEST_F(EditTest, ATailCutAfterAWholeRecordTakesAHeadToBeSeen) {
  const auto head = verify(folder)->head;
  EXPECT_THAT(faults(head), IsEmpty());
  const auto last = file(files().size() - 1);
  const auto content = slurp(last);
  const auto where = places(content);
  ASSERT_GT(where.size(), 2U);
  spit(last, content.substr(0, where[where.size() - 2]));
  EXPECT_THAT(faults(), IsEmpty()) << "nothing in the journal can tell";
  EXPECT_THAT(faults(head).at(0).what, HasSubstr("it was cut"));
}

}  // namespace
}  // namespace agentos::journal
