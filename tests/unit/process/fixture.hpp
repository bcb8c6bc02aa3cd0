#pragma once

#include <fcntl.h>

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fakes/await.hpp"
#include "fakes/fake_spawner.hpp"
#include "fakes/memory_agent_store.hpp"
#include "fakes/temporary_folder.hpp"
#include "process/agents.hpp"

namespace agentos::process {

// A process manager over a fake store and a fake spawner, with a clock that the test can set ahead.
class AgentsFixture : public testing::Test {
 protected:
  fakes::TemporaryFolder folder;
  std::unique_ptr<boost::asio::io_context> daemon_context = std::make_unique<boost::asio::io_context>(1);
  fakes::MemoryAgentStore store;
  std::string slice = folder.path() + "/agentos.slice";
  fakes::FakeSpawner spawner{slice};
  std::vector<std::string> seen;  // "from>to" of every event, or "submitted"
  std::vector<std::string> logged;
  std::chrono::milliseconds ahead{};
  std::string boot_id{"boot-1"};
  std::size_t live_max{100}, kept_max{100};
  std::optional<Error> compile_failure;
  std::unique_ptr<Agents> agents = start_daemon();

  std::unique_ptr<Agents> start_daemon() {
    auto files = AgentFiles::open(folder.path(), folder.path());
    EXPECT_TRUE(files) << files.error().message();
    Agents::Environment environment;
    environment.compile = [this](const Agent& agent, const policy::Policy&,
                                 const HostFacts&) -> Result<Agents::Planned> {
      if (compile_failure) return std::unexpected(*compile_failure);
      Agents::Planned planned;
      planned.plan.tenant = agent.tenant;
      planned.plan.agent = agent.id;
      planned.plan.workspace_mode = agent.workspace_mode;
      planned.not_enforced = {"memory limit"};
      return planned;
    };
    environment.now = [this] {
      return std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now()) + ahead;
    };
    environment.random = [] { return 7U; };
    environment.publish = [this](const AgentEvent& event) {
      seen.push_back(event.from == event.agent.status
                         ? std::string(name(event.from))
                         : std::string(name(event.from)) + ">" + std::string(name(event.agent.status)));
    };
    environment.log = [this](const std::string& line) { logged.push_back(line); };
    environment.boot_id = boot_id;
    environment.start_patience = std::chrono::milliseconds(100);
    environment.live_max = live_max;
    environment.kept_max = kept_max;
    auto made = std::make_unique<Agents>(daemon_context->get_executor(), store, spawner, spawner, std::move(*files),
                                         std::move(environment));
    const auto adopted = made->adopt();
    EXPECT_TRUE(adopted) << adopted.error().message();
    return made;
  }

  // As kill -9: nothing is told to anybody, and what ran in the old daemon does not go on.
  void restart() {
    agents.reset();
    daemon_context = std::make_unique<boost::asio::io_context>(1);
    seen.clear();
    agents = start_daemon();
  }

  Submission submission(std::string name = {}) {
    Submission made;
    made.tenant = "acme";
    made.name = std::move(name);
    made.command = {"work", "hard"};
    made.environment = {"KEY=value"};
    made.workspace = folder.path();
    made.workspace_mode = WorkspaceMode::bind;
    made.workspace_fd.reset(::open(folder.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    made.caller.reset(::fcntl(0, F_DUPFD_CLOEXEC, 3));
    return made;
  }

  template <class T>
  T await(boost::asio::awaitable<T> work) {
    return fakes::await(*daemon_context, std::move(work));
  }
  void run_until(const std::function<bool()>& condition) { fakes::run_until(*daemon_context, condition); }

  Result<Submitted> submit(Submission what) { return await(agents->submit(std::move(what))); }

  // A running agent's id.
  std::string started(std::string name = {}) {
    auto submitted = submit(submission(std::move(name)));
    EXPECT_TRUE(submitted) << submitted.error().message();
    return submitted ? submitted->agent.id : std::string();
  }

  Agent final_record(const std::string& id) {
    const auto until = Bell::Clock::now() + std::chrono::seconds(10);
    auto ended = await(agents->wait(id, until));
    EXPECT_TRUE(ended) << ended.error().message();
    return ended.value_or(Agent());
  }

  Status status(const std::string& id) {
    const auto agent = agents->get(id);
    return agent ? agent->status : Status::rejected;
  }

  [[nodiscard]] bool has_files(const std::string& id) const {
    return std::filesystem::exists(folder.path() + "/agents/" + id) ||
           std::filesystem::exists(folder.path() + "/agents/" + id + ".sock");
  }

  static ExitRecord exited(int code) { return {ExitRecord::Kind::exited, code, 1}; }
};

}  // namespace agentos::process
