#include "agentos/ports/journal.hpp"

#include <memory>

#include <boost/asio/io_context.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fakes/await.hpp"
#include "fakes/memory_journal.hpp"
#include "fakes/temporary_folder.hpp"
#include "observer/journal/journal.hpp"

namespace agentos {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

struct Memory {
  fakes::MemoryJournal journal;
  explicit Memory(boost::asio::io_context& context) : journal(context.get_executor()) {}
  Journal& open() { return journal; }
};

struct Segments {
  fakes::TemporaryFolder folder;
  boost::asio::io_context& context;
  std::unique_ptr<journal::SegmentJournal> journal;
  explicit Segments(boost::asio::io_context& io) : context(io) {}
  Journal& open() {
    auto opened =
        journal::SegmentJournal::open(context.get_executor(), {folder.path() + "/journal"}, [](const std::string&) {});
    if (!opened) throw std::runtime_error(opened.error().message());
    journal = std::move(*opened);
    return *journal;
  }
};

template <class Adapter>
class JournalContract : public testing::Test {
 protected:
  boost::asio::io_context context{1};
  Adapter adapter{context};
  Journal& journal = adapter.open();

  void keep(AuditEntry entry) {
    const auto kept = fakes::await(context, journal.keep(std::move(entry)));
    ASSERT_TRUE(kept) << kept.error().message();
  }
  std::vector<std::uint64_t> found(AuditQuery query) {
    const auto page = fakes::await(context, journal.read(std::move(query)));
    EXPECT_TRUE(page) << page.error().message();
    std::vector<std::uint64_t> sequences;
    if (page) {
      for (const auto& record : page->records) sequences.push_back(record.sequence);
    }
    return sequences;
  }
};
using Adapters = testing::Types<Memory, Segments>;
TYPED_TEST_SUITE(JournalContract, Adapters);

TYPED_TEST(JournalContract, GivesBackWhatWasKept) {
  const AuditEntry entry{"agent.status", "acme", "a0123456789ab", R"({"reason":"\u001b[31m"})"};
  this->keep(entry);
  const auto page = fakes::await(this->context, this->journal.read({}));
  ASSERT_TRUE(page);
  ASSERT_EQ(page->records.size(), 1U);
  EXPECT_EQ(page->records[0].entry, entry);
  EXPECT_EQ(page->records[0].sequence, 1U);
  EXPECT_GT(page->records[0].time_ns, 0);
  EXPECT_EQ(page->last, 1U);
  EXPECT_FALSE(page->more);
}

TYPED_TEST(JournalContract, WhatWasAppendedIsThereWhenALaterOneIsKept) {
  this->journal.append({"api.call", "acme", "", "{}"});
  this->keep({"api.call", "acme", "", "{}"});
  EXPECT_THAT(this->found({}), ElementsAre(1, 2));
}

TYPED_TEST(JournalContract, FindsByTenantAgentKindAndSequence) {
  this->journal.append({"agent.status", "acme", "a1", "{}"});
  this->journal.append({"agent.warning", "acme", "a2", "{}"});
  this->journal.append({"agents.other", "other", "a1", "{}"});
  this->keep({"daemon.started", "", "", "{}"});
  EXPECT_THAT(this->found({.tenant = "acme"}), ElementsAre(1, 2));
  EXPECT_THAT(this->found({.tenant = ""}), ElementsAre(4));
  EXPECT_THAT(this->found({.agent = "a1"}), ElementsAre(1, 3));
  EXPECT_THAT(this->found({.kind = "agent"}), ElementsAre(1, 2));
  EXPECT_THAT(this->found({.kind = "agent.warning"}), ElementsAre(2));
  EXPECT_THAT(this->found({.after = 2}), ElementsAre(3, 4));
}

TYPED_TEST(JournalContract, GivesPages) {
  for (int i = 0; i < 4; ++i) this->journal.append({"api.call", "acme", "", "{}"});
  this->keep({"api.call", "acme", "", "{}"});
  const auto page = fakes::await(this->context, this->journal.read({.limit = 2}));
  ASSERT_TRUE(page);
  EXPECT_EQ(page->last, 2U);
  EXPECT_TRUE(page->more);
  EXPECT_THAT(this->found({.after = page->last, .limit = 3}), ElementsAre(3, 4, 5));
}

TYPED_TEST(JournalContract, ABodyThatIsTooLongIsLeftOutAndItsRecordSaysSo) {
  this->journal.append({"api.call", "acme", "", std::string(AuditEntry::body_max, '1')});
  this->keep({"api.call", "acme", "", std::string(AuditEntry::body_max + 1, '1')});
  const auto page = fakes::await(this->context, this->journal.read({}));
  ASSERT_TRUE(page);
  EXPECT_EQ(page->records.at(0).entry.body.size(), AuditEntry::body_max);
  EXPECT_THAT(page->records.at(1).entry.body, HasSubstr("body_too_long"));
}

TYPED_TEST(JournalContract, WakesWhoWaitsForMore) {
  this->keep({"api.call", "acme", "", "{}"});
  bool woken = false;
  boost::asio::co_spawn(this->context, this->journal.wait(1), [&](std::exception_ptr) { woken = true; });
  this->context.restart();
  this->context.poll();
  EXPECT_FALSE(woken);
  this->journal.append({"api.call", "acme", "", "{}"});
  fakes::run_until(this->context, [&] { return woken; });
}

}  // namespace
}  // namespace agentos
