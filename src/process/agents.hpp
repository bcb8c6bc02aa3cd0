#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include "agentos/base/fd.hpp"
#include "agentos/model/agent.hpp"
#include "agentos/model/init_spec.hpp"
#include "agentos/ports/agent_store.hpp"
#include "agentos/ports/layer_store.hpp"
#include "agentos/ports/spawner.hpp"
#include "process/bell.hpp"
#include "process/files.hpp"
#include "process/submission.hpp"

namespace agentos::process {

// The process manager: every agent of this host, from its submission to its removal. One thread; every status change
// goes through transition(), which stores it and tells it.
class Agents {
 public:
  struct Planned {
    Plan plan;
    std::vector<std::string> not_enforced;
    std::vector<ProgramLimit> limits;  // of the agent's processes
  };
  struct Environment {
    std::function<Result<Planned>(const Agent&, const policy::Policy&, const HostFacts&)> compile;
    std::function<TimePoint()> now;
    std::function<std::uint32_t()> random;
    std::function<void(const AgentEvent&)> publish;
    std::function<void(const std::string&)> log;
    // What the agent with this range of uids and this cgroup (its id) did; empty: nothing is counted.
    std::function<std::optional<Activity>(std::uint32_t uid_base, std::uint64_t cgroup)> activity;
    std::string boot_id;
    std::uint64_t log_max{8 << 20};  // bytes of each of an agent's two log files
    std::size_t live_max{4096};
    std::size_t kept_max{10'000};                    // records of one tenant, with the ended ones
    std::chrono::milliseconds wall_grace{10'000};    // of an agent whose time is over
    std::chrono::milliseconds start_patience{5000};  // for a start that an earlier agentosd asked for
  };

  Agents(boost::asio::any_io_executor executor, AgentStore& store, Spawner& spawner, LayerStore& layers,
         AgentFiles files, Environment environment);
  ~Agents();  // lets go of the agents: they go on

  // Once, before anything else: takes over what an earlier agentosd left. Agents that run go on; what ended meanwhile
  // gets its final status; strays below the slice are killed, now and from time to time.
  [[nodiscard]] Result<> adopt();

  boost::asio::awaitable<Result<Submitted>> submit(Submission submission);

  // By id, in any status. The live ones come from memory, the ended ones from the store.
  [[nodiscard]] Result<Agent> get(std::string_view id) const;
  [[nodiscard]] Result<Agent> find(std::string_view tenant, std::string_view name) const;
  [[nodiscard]] Result<std::vector<Agent>> list(const AgentQuery& query) const;
  [[nodiscard]] Usage usage(const Agent& agent) const;  // now, or the final one

  boost::asio::awaitable<Result<Agent>> pause(std::string id);
  boost::asio::awaitable<Result<Agent>> resume(std::string id);
  // SIGTERM, then after the grace SIGKILL for all that is left. Again while it is stopping: the shorter grace counts.
  [[nodiscard]] Result<Agent> terminate(const std::string& id, std::string reason, std::chrono::milliseconds grace);
  [[nodiscard]] Result<> signal(const std::string& id, int number);
  [[nodiscard]] Result<UniqueFd> attach(const std::string& id, std::uint16_t rows, std::uint16_t columns);
  // `program.env` is what is added to the environment that every agent gets; forbidden: what its policy does not let
  // in.
  [[nodiscard]] Result<UniqueFd> exec(const std::string& id, Program program, const std::string& terminal);
  // The final record. ErrorKind::unavailable when it has not ended `until` then.
  boost::asio::awaitable<Result<Agent>> wait(std::string id, Bell::Clock::time_point until);
  // An ended one, with its files and layer. conflict when the layer holds something and it is not to be discarded.
  boost::asio::awaitable<Result<void>> remove(std::string id, bool discard);

  // Of its layer: nullopt where its mode has none. One that was removed with its agent is empty.
  boost::asio::awaitable<Result<std::optional<LayerState>>> layer_state(const Agent& agent) const;
  // Of an agent that has one: see LayerStore::open_layer.
  boost::asio::awaitable<Result<UniqueFd>> open_layer(std::string id, UniqueFd caller);

  [[nodiscard]] const AgentFiles& files() const { return files_; }

 private:
  struct Live;
  using LivePtr = std::shared_ptr<Live>;

  LivePtr live(std::string_view id) const;
  Result<LivePtr> running(const std::string& id) const;  // conflict when it has ended

  // The one door to another status. Unless `must_store`, the change counts also when the store fails, and is stored
  // later.
  Result<> transition(const LivePtr& agent, Event event, std::string reason, bool must_store = true);
  boost::asio::awaitable<void> store_later(LivePtr agent);

  Result<> room_for(const Submission& submission) const;
  Result<LivePtr> record(const Submission& submission, const HostFacts& facts, Planned& planned);
  boost::asio::awaitable<Result<void>> start(LivePtr agent, Plan plan, std::vector<UniqueFd> fds,
                                             const HostFacts& facts);
  void give_up(const LivePtr& agent, const Error& why);
  void attend(const LivePtr& agent, Started started);  // from now on its end is noticed
  boost::asio::awaitable<void> supervise(LivePtr agent);
  [[nodiscard]] Usage usage_now(const Live& agent) const;  // of one that has its cgroup
  void finish(const LivePtr& agent, std::string_view without_record);
  boost::asio::awaitable<void> clean_up(LivePtr agent);

  void begin_stop(const LivePtr& agent);
  boost::asio::awaitable<void> end_grace(LivePtr agent);
  boost::asio::awaitable<void> end_in_time(LivePtr agent);
  boost::asio::awaitable<void> end_when_idle(LivePtr agent, policy::Stated<std::chrono::milliseconds> idle);
  Result<> send_signal(const Live& agent, int number);

  Result<> adopt_one(Agent record);
  Result<> find_started(const LivePtr& agent, const HostFacts& facts);  // when the reply of spawnd was lost
  void forget_record(const Agent& agent);                               // and files
  boost::asio::awaitable<void> retire(LivePtr agent);  // has ended and is stored: removes it where asked
  boost::asio::awaitable<void> sweep_forever();
  boost::asio::awaitable<void> sweep(const HostFacts& facts);
  boost::asio::awaitable<void> sweep_layers();
  boost::asio::awaitable<void> remove_stray(std::string path, std::string tenant, std::string id);

  void spawn_detached(boost::asio::awaitable<void> work);

  boost::asio::any_io_executor executor_;
  AgentStore& store_;
  Spawner& spawner_;
  LayerStore& layers_;
  AgentFiles files_;
  Environment environment_;
  AgentIds ids_;
  std::map<std::string, LivePtr, std::less<>> live_;
  std::map<std::string, std::size_t, std::less<>> kept_;  // records of each tenant
};

}  // namespace agentos::process
