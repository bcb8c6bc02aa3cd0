#pragma once

#include <sys/types.h>

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "agentos/model/exit_record.hpp"
#include "agentos/model/init_spec.hpp"
#include "agentos/ports/layer_store.hpp"
#include "agentos/ports/spawner.hpp"

namespace agentos::fakes {

// A Spawner whose sandboxes are a sleeping process and a folder of plain files that stands for the cgroup. The test
// plays the init: it reads the signals that were sent, writes the exit record, ends the process.
class FakeSpawner final : public Spawner, public LayerStore {
 public:
  explicit FakeSpawner(std::string slice);  // a folder; tenants are made below it
  ~FakeSpawner() override;

  boost::asio::awaitable<Result<HostFacts>> probe() override;
  boost::asio::awaitable<Result<Started>> start(Plan plan, std::vector<UniqueFd> fds) override;
  boost::asio::awaitable<Result<void>> remove(std::string tenant, std::string agent) override;

  boost::asio::awaitable<Result<UniqueFd>> open_layer(std::string agent, UniqueFd caller) override;
  boost::asio::awaitable<Result<LayerState>> look_at_layer(std::string agent) override;
  boost::asio::awaitable<Result<void>> remove_layer(std::string agent) override;
  boost::asio::awaitable<Result<std::vector<std::string>>> list_layers(std::string after) override;

  std::optional<Error> failure;  // of every call while it is set
  HostFacts facts;

  [[nodiscard]] std::string cgroup(const std::string& tenant, const std::string& agent) const;
  [[nodiscard]] std::string read(const std::string& agent, const std::string& file) const;  // in its cgroup
  void write(const std::string& agent, const std::string& file, const std::string& content) const;
  [[nodiscard]] std::string layer(const std::string& agent) const;  // its upper directory

  [[nodiscard]] const InitSpec& spec(const std::string& agent) const { return running_.at(agent).spec; }
  // The signals in the frames of the control connections that came until now.
  [[nodiscard]] std::vector<int> signals(const std::string& agent);
  void end(const std::string& agent, const ExitRecord& record);  // as an init whose agent has ended
  void kill(const std::string& agent);                           // as the kernel does: no record
  [[nodiscard]] const std::vector<std::string>& removed() const { return removed_; }

 private:
  struct Running {
    std::string cgroup;
    InitSpec spec;
    UniqueFd listener, exit_record;
    pid_t pid{};
  };

  std::string slice_;
  std::map<std::string, Running> running_;
  std::vector<std::string> removed_;
};

}  // namespace agentos::fakes
