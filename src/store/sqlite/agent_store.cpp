#include "store/sqlite/agent_store.hpp"

#include <array>

namespace agentos::store {
namespace {

// Append only: a released migration never changes.
constexpr std::array migrations{
    Migration{1, R"sql(
      CREATE TABLE agent (
        id     TEXT PRIMARY KEY,
        tenant TEXT NOT NULL,
        name   TEXT,               -- NULL: none was given
        status TEXT NOT NULL,
        live   INTEGER NOT NULL,   -- not in a final status
        record BLOB NOT NULL
      );
      CREATE UNIQUE INDEX agent_name ON agent (tenant, name) WHERE name IS NOT NULL;
      CREATE INDEX agent_tenant_status ON agent (tenant, status);
      CREATE INDEX agent_live ON agent (live) WHERE live = 1;
    )sql"},
};

}  // namespace

Result<std::unique_ptr<SqliteAgentStore>> SqliteAgentStore::open(const std::string& path,
                                                                 std::chrono::milliseconds busy) {
  auto database = AGENTOS_TRY(Database::open(path, migrations, busy));
  return std::unique_ptr<SqliteAgentStore>(new SqliteAgentStore(std::move(database)));
}

SqliteAgentStore::SqliteAgentStore(Database database)
    : database_(std::move(database)),
      put_(database_.prepare("INSERT INTO agent (id, tenant, name, status, live, record) VALUES (?, ?, ?, ?, ?, ?)"
                             " ON CONFLICT (id) DO UPDATE SET tenant = excluded.tenant, name = excluded.name,"
                             " status = excluded.status, live = excluded.live, record = excluded.record")),
      get_(database_.prepare("SELECT record FROM agent WHERE id = ?")),
      remove_(database_.prepare("DELETE FROM agent WHERE id = ?")) {}

Result<> SqliteAgentStore::put(const Agent& agent) {
  put_.bind(agent.id).bind(agent.tenant);
  if (agent.name.empty()) {
    put_.bind_null();
  } else {
    put_.bind(agent.name);
  }
  put_.bind(name(agent.status)).bind(is_final(agent.status) ? 0 : 1).bind_bytes(agent.encode());
  auto done = put_.run();
  if (!done && done.error().kind() == ErrorKind::exists) {
    return fail(ErrorKind::exists, "an agent named '" + agent.name + "' exists in tenant '" + agent.tenant + "'",
                "choose another name, or remove that agent: agentos rm " + agent.name);
  }
  return done;
}

Result<Agent> SqliteAgentStore::get(std::string_view id) {
  if (!AGENTOS_TRY(get_.bind(id).step())) return fail(ErrorKind::not_found, "no agent '" + std::string(id) + "'");
  auto agent = Agent::decode(get_.bytes(0));
  get_.reset();
  return agent;
}

Result<std::vector<Agent>> SqliteAgentStore::list(const AgentQuery& query) {
  std::string sql = "SELECT record FROM agent WHERE 1";
  if (query.tenant) sql += " AND tenant = ?";
  if (query.name) sql += " AND name = ?";
  if (query.status) sql += " AND status = ?";
  if (query.live_only) sql += " AND live = 1";
  Statement statement = database_.prepare(sql + " ORDER BY id");
  if (query.tenant) statement.bind(*query.tenant);
  if (query.name) statement.bind(*query.name);
  if (query.status) statement.bind(agentos::name(*query.status));
  std::vector<Agent> agents;
  while (AGENTOS_TRY(statement.step())) agents.push_back(AGENTOS_TRY(Agent::decode(statement.bytes(0))));
  return agents;
}

Result<> SqliteAgentStore::remove(std::string_view id) {
  return remove_.bind(id).run();
}

}  // namespace agentos::store
