#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agentos/base/result.hpp"
#include "agentos/model/agent.hpp"

namespace agentos {

struct AgentQuery {
  std::optional<std::string> tenant;
  std::optional<Status> status;
  bool live_only{};  // without the final ones
  std::optional<std::string> name;
};

// Where agent records are kept. A call that returned well survives the death of the process.
class AgentStore {
 public:
  AgentStore() = default;
  AgentStore(const AgentStore&) = delete;
  AgentStore& operator=(const AgentStore&) = delete;
  virtual ~AgentStore() = default;

  // Inserts or replaces. ErrorKind::exists when another agent of the tenant has the name.
  [[nodiscard]] virtual Result<> put(const Agent& agent) = 0;
  [[nodiscard]] virtual Result<Agent> get(std::string_view id) = 0;  // not_found
  // By id, so the oldest is first.
  [[nodiscard]] virtual Result<std::vector<Agent>> list(const AgentQuery& query) = 0;
  [[nodiscard]] virtual Result<> remove(std::string_view id) = 0;  // of one that is not there: done
};

}  // namespace agentos
