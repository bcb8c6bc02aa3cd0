#pragma once

#include <sys/types.h>

#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "agentos/base/fd.hpp"
#include "agentos/model/host_facts.hpp"
#include "agentos/model/plan.hpp"

namespace agentos::test {

// An agentos-spawnd of this test alone, the connection to it, and a directory that goes away.
class SpawndTest : public ::testing::Test {
 protected:
  void SetUp() override;
  virtual void prepare() {}  // before spawnd is started for the first time
  void TearDown() override;

  void start_spawnd();
  void kill_spawnd();  // SIGKILL

  // Everything a start needs, as agentosd would send it, for the witness to try these lines.
  struct Request {
    SpawndRequest message;
    std::vector<UniqueFd> fds;
  };
  Request request(const std::vector<std::string>& tries);
  SpawndReply send(const SpawndRequest& message, const std::vector<UniqueFd>& fds = {});
  SpawndReply send(const Request& request) { return send(request.message, request.fds); }

  // Starts, waits for the end, and gives what the witness said for each try.
  std::vector<std::pair<std::string, std::string>> run(const std::vector<std::string>& tries);
  std::string answer(const std::string& one_try) { return run({one_try}).at(0).second; }

  void wait_for_end(const SpawndReply& started);
  SpawndReply remove();
  [[nodiscard]] std::string state() const { return folder_ + "/state"; }
  std::string log() const;
  std::string tenant_cgroup() const;
  std::vector<std::string> agent_cgroups() const;

  std::string folder_;
  std::string workspace_;
  WorkspaceMode workspace_mode_{WorkspaceMode::bind};
  LayerSpace layer_limit_;
  bool own_mounts_{};  // spawnd gets a mount namespace of its own; agents then need an empty workspace
  std::string slice_;
  std::string agent_{"witness"};
  std::string tenant_{"spawnd-test"};
  HostFacts facts_;
  UniqueFd connection_;
  UniqueFd pidfd_;  // of the last start
  pid_t spawnd_{-1};
  std::uint64_t next_request_{1};
};

}  // namespace agentos::test
