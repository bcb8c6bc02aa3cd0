#include "agentos/ports/agent_store.hpp"

#include <memory>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fakes/memory_agent_store.hpp"
#include "fakes/temporary_folder.hpp"
#include "store/sqlite/agent_store.hpp"

namespace agentos {
namespace {

using testing::ElementsAre;

struct Memory {
  fakes::MemoryAgentStore store;
  AgentStore& open() { return store; }
};

struct Sqlite {
  fakes::TemporaryFolder folder;
  std::unique_ptr<store::SqliteAgentStore> store;
  AgentStore& open() {
    auto opened = store::SqliteAgentStore::open(folder.path() + "/agentos.db");
    EXPECT_TRUE(opened) << opened.error().message();
    store = std::move(*opened);
    return *store;
  }
};

Agent agent(std::string id, std::string tenant, std::string name, Status status = Status::running) {
  Agent made;
  made.id = std::move(id);
  made.tenant = std::move(tenant);
  made.name = std::move(name);
  made.status = status;
  return made;
}

template <class Adapter>
class AgentStoreContract : public testing::Test {
 protected:
  Adapter adapter;
  AgentStore& store = adapter.open();

  std::vector<std::string> ids(const AgentQuery& query) {
    std::vector<std::string> found;
    const auto agents = store.list(query);
    EXPECT_TRUE(agents) << agents.error().message();
    if (!agents) return found;
    for (const auto& each : *agents) found.push_back(each.id);
    return found;
  }
};
using Adapters = testing::Types<Memory, Sqlite>;
TYPED_TEST_SUITE(AgentStoreContract, Adapters);

TYPED_TEST(AgentStoreContract, GivesBackWhatWasPut) {
  auto& records = this->store;
  Agent full = agent("a01", "acme", "builder");
  full.goal = "with \"quotes\", ünïcode and \n lines";
  full.command = {"sh", "-c", ""};
  full.exit = ExitRecord{ExitRecord::Kind::signaled, 9, 123};
  full.started = TimePoint(std::chrono::milliseconds(1700000000123));
  full.limits.memory_max = 1 << 30;
  ASSERT_TRUE(records.put(full));
  const auto got = records.get("a01");
  ASSERT_TRUE(got);
  EXPECT_EQ(got->encode(), full.encode());
}

TYPED_TEST(AgentStoreContract, PutAgainReplaces) {
  auto& records = this->store;
  ASSERT_TRUE(records.put(agent("a01", "acme", "builder")));
  ASSERT_TRUE(records.put(agent("a01", "acme", "builder", Status::completed)));
  EXPECT_EQ(records.get("a01")->status, Status::completed);
  EXPECT_EQ(this->ids({}).size(), 1U);
}

TYPED_TEST(AgentStoreContract, TellsWhatIsNotThere) {
  const auto none = this->store.get("a09");
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().kind(), ErrorKind::not_found);
}

TYPED_TEST(AgentStoreContract, NamesAreUniqueWithinATenant) {
  auto& records = this->store;
  ASSERT_TRUE(records.put(agent("a01", "acme", "builder")));
  const auto taken = records.put(agent("a02", "acme", "builder"));
  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error().kind(), ErrorKind::exists);
  EXPECT_THAT(taken.error().message(), testing::HasSubstr("builder"));
  EXPECT_FALSE(records.get("a02"));
  EXPECT_TRUE(records.put(agent("a02", "other", "builder")));
  // Without a name there may be many.
  EXPECT_TRUE(records.put(agent("a03", "acme", "")));
  EXPECT_TRUE(records.put(agent("a04", "acme", "")));
  // A name is free again when its agent is gone.
  ASSERT_TRUE(records.remove("a01"));
  EXPECT_TRUE(records.put(agent("a05", "acme", "builder")));
}

TYPED_TEST(AgentStoreContract, ListsByTenantStatusAndName) {
  auto& records = this->store;
  ASSERT_TRUE(records.put(agent("a03", "acme", "three")));
  ASSERT_TRUE(records.put(agent("a01", "acme", "one", Status::completed)));
  ASSERT_TRUE(records.put(agent("a02", "other", "one")));
  AgentQuery query;
  EXPECT_THAT(this->ids(query), ElementsAre("a01", "a02", "a03"));
  query.live_only = true;
  EXPECT_THAT(this->ids(query), ElementsAre("a02", "a03"));
  query.tenant = "acme";
  EXPECT_THAT(this->ids(query), ElementsAre("a03"));
  query.live_only = false;
  query.status = Status::completed;
  EXPECT_THAT(this->ids(query), ElementsAre("a01"));
  query.status.reset();
  query.name = "one";
  EXPECT_THAT(this->ids(query), ElementsAre("a01"));
  query.name = "nobody' OR 1=1 --";
  EXPECT_THAT(this->ids(query), ElementsAre());
}

TYPED_TEST(AgentStoreContract, RemoveForgetsAndMayComeTwice) {
  auto& records = this->store;
  ASSERT_TRUE(records.put(agent("a01", "acme", "one")));
  ASSERT_TRUE(records.remove("a01"));
  EXPECT_FALSE(records.get("a01"));
  EXPECT_TRUE(records.remove("a01"));
}

}  // namespace
}  // namespace agentos
