#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agentos/base/fd.hpp"
#include "agentos/base/result.hpp"
#include "agentos/model/exit_record.hpp"
#include "policy/policy.hpp"

namespace agentos::process {

// The files of each agent: <state>/agents/ID/{log.0,log.1,exit,policy} and the socket <run>/agents/ID.sock. Both
// folders belong to agentosd alone (0700): no agent and no user can put anything there.
class AgentFiles {
 public:
  static Result<AgentFiles> open(const std::string& state_dir, const std::string& run_dir);

  struct Opened {
    UniqueFd listener, log_0, log_1, exit_record;  // what init writes to
  };
  [[nodiscard]] Result<Opened> create(const std::string& id) const;  // leaves nothing behind when it fails
  // What the agent was started with; for one of before there were policies: nothing that limits.
  [[nodiscard]] Result<> keep_policy(const std::string& id, const policy::Policy& policy) const;
  [[nodiscard]] Result<policy::Policy> policy(const std::string& id) const;
  // The size of both logs, and when they were last begun anew: differs when something was written.
  [[nodiscard]] std::array<std::uint64_t, 4> log_bytes(const std::string& id) const;
  void remove(const std::string& id) const;
  void remove_socket(const std::string& id) const;

  [[nodiscard]] std::string socket(const std::string& id) const { return sockets_ + "/" + id + ".sock"; }
  [[nodiscard]] std::array<std::string, 2> logs(const std::string& id) const;
  // Empty while the agent runs, and when its init was killed.
  [[nodiscard]] std::optional<ExitRecord> exit_record(const std::string& id) const;
  [[nodiscard]] std::vector<std::string> ids() const;  // that have files or a socket

 private:
  AgentFiles(std::string folders, std::string sockets) : folders_(std::move(folders)), sockets_(std::move(sockets)) {}

  std::string folders_, sockets_;
};

}  // namespace agentos::process
