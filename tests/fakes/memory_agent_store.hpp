#pragma once

#include <map>
#include <optional>
#include <string>

#include "agentos/ports/agent_store.hpp"

namespace agentos::fakes {

// An AgentStore that forgets everything with its process. Writing fails while `failure` is set.
class MemoryAgentStore final : public AgentStore {
 public:
  std::optional<Error> failure;

  Result<> put(const Agent& agent) override {
    if (failure) return std::unexpected(*failure);
    for (const auto& [id, other] : agents_) {
      const bool same_name = !agent.name.empty() && other.name == agent.name && other.tenant == agent.tenant;
      if (same_name && id != agent.id) return fail(ErrorKind::exists, "an agent named '" + agent.name + "' exists");
    }
    agents_.insert_or_assign(agent.id, agent);
    return {};
  }

  Result<Agent> get(std::string_view id) override {
    const auto found = agents_.find(id);
    if (found == agents_.end()) return fail(ErrorKind::not_found, "no agent '" + std::string(id) + "'");
    return found->second;
  }

  Result<std::vector<Agent>> list(const AgentQuery& query) override {
    std::vector<Agent> found;
    for (const auto& [id, agent] : agents_) {
      if (query.tenant && agent.tenant != *query.tenant) continue;
      if (query.name && agent.name != *query.name) continue;
      if (query.status && agent.status != *query.status) continue;
      if (query.live_only && is_final(agent.status)) continue;
      found.push_back(agent);
    }
    return found;
  }

  Result<> remove(std::string_view id) override {
    if (failure) return std::unexpected(*failure);
    if (const auto found = agents_.find(id); found != agents_.end()) agents_.erase(found);
    return {};
  }

 private:
  std::map<std::string, Agent, std::less<>> agents_;
};

}  // namespace agentos::fakes
