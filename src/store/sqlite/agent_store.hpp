#pragma once

#include <memory>

#include "agentos/ports/agent_store.hpp"
#include "store/sqlite/database.hpp"

namespace agentos::store {

// Agent records in SQLite. The columns are what is searched for; the record itself is one blob (Agent::encode).
class SqliteAgentStore final : public AgentStore {
 public:
  static Result<std::unique_ptr<SqliteAgentStore>> open(
      const std::string& path, std::chrono::milliseconds busy = std::chrono::milliseconds(250));

  [[nodiscard]] Result<> put(const Agent& agent) override;
  [[nodiscard]] Result<Agent> get(std::string_view id) override;
  [[nodiscard]] Result<std::vector<Agent>> list(const AgentQuery& query) override;
  [[nodiscard]] Result<> remove(std::string_view id) override;

 private:
  explicit SqliteAgentStore(Database database);

  Database database_;
  Statement put_, get_, remove_;
};

}  // namespace agentos::store
