#include "observer/journal/frame.hpp"

#include <gtest/gtest.h>

namespace agentos::journal {
namespace {

AuditRecord sample() {
  return {7,
          1'700'000'000'000'000'000,
          sha256("before"),
          {"agent.status", "acme", "a0123456789ab", R"({"to":"running"})"},
          {}};
}

TEST(Frame, HashIsSha256) {
  EXPECT_EQ(hex(sha256("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(audit_hash(hex(sha256("abc"))), sha256("abc"));
  EXPECT_FALSE(audit_hash("ba78"));
  EXPECT_FALSE(audit_hash(std::string(64, 'G')));
}

TEST(Frame, RoundTrip) {
  auto record = sample();
  const auto bytes = encode_frame(record);
  const auto frame = decode_frame(bytes + "next");
  ASSERT_TRUE(frame);
  EXPECT_EQ(frame->record, record);
  EXPECT_EQ(frame->size, bytes.size());
}

TEST(Frame, IsIncompleteAtEveryShorterLength) {
  auto record = sample();
  const auto bytes = encode_frame(record);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const auto frame = decode_frame(std::string_view(bytes).substr(0, size));
    ASSERT_FALSE(frame);
    EXPECT_EQ(frame.error().kind(), ErrorKind::not_found) << size;
  }
}

TEST(Frame, AChangeOfAnyBitIsSeen) {
  auto record = sample();
  const auto bytes = encode_frame(record);
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      auto changed = bytes;
      changed[at] = static_cast<char>(changed[at] ^ (1 << bit));
      EXPECT_FALSE(decode_frame(changed)) << at;
    }
  }
}

TEST(Header, RoundTripAndChanges) {
  const SegmentHeader header{42, 5, sha256("before")};
  const auto bytes = header.encode();
  ASSERT_EQ(bytes.size(), header_size);
  const auto read = SegmentHeader::decode(bytes);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->first, 42U);
  EXPECT_EQ(read->previous, header.previous);
  EXPECT_EQ(read->file_name(), "00000000000000000042.seg");
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    auto changed = bytes;
    changed[at] = static_cast<char>(changed[at] ^ 1);
    EXPECT_FALSE(SegmentHeader::decode(changed)) << at;
  }
}

}  // namespace
}  // namespace agentos::journal
