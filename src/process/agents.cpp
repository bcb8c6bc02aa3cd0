#include "process/agents.hpp"

#include <poll.h>

#include <csignal>
#include <cstring>
#include <exception>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include "process/group.hpp"
#include "process/live.hpp"

namespace agentos::process {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;

std::string how_it_ended(const ExitRecord& exit) {
  switch (exit.kind) {
    case ExitRecord::Kind::exited:
      return exit.code == 0 ? "" : "exit status " + std::to_string(exit.code);
    case ExitRecord::Kind::signaled: {
      const char* name = ::sigabbrev_np(exit.code);
      return name == nullptr ? "signal " + std::to_string(exit.code) : "SIG" + std::string(name);
    }
    case ExitRecord::Kind::not_executed:
      return "cannot execute the command: " + std::string(::strerrordesc_np(exit.code));
  }
  return {};
}

}  // namespace

Agents::Agents(asio::any_io_executor executor, AgentStore& store, Spawner& spawner, LayerStore& layers,
               AgentFiles files, Environment environment)
    : executor_(std::move(executor)),
      store_(store),
      spawner_(spawner),
      layers_(layers),
      files_(std::move(files)),
      environment_(std::move(environment)) {}

Agents::~Agents() = default;

Agents::LivePtr Agents::live(std::string_view id) const {
  const auto found = live_.find(id);
  return found == live_.end() ? nullptr : found->second;
}

Result<Agents::LivePtr> Agents::running(const std::string& id) const {
  if (auto agent = live(id); agent && !is_final(agent->agent.status)) return agent;
  const Agent ended = AGENTOS_TRY(get(id));
  return fail(ErrorKind::conflict, "agent " + id + " has ended (" + std::string(name(ended.status)) + ")");
}

Result<Agent> Agents::get(std::string_view id) const {
  if (const auto agent = live(id)) return agent->agent;
  return store_.get(id);
}

Result<Agent> Agents::find(std::string_view tenant, std::string_view wanted) const {
  for (const auto& [id, agent] : live_) {
    if (agent->agent.name == wanted && agent->agent.tenant == tenant) return agent->agent;
  }
  AgentQuery query;
  query.tenant = tenant;
  query.name = wanted;
  auto agents = AGENTOS_TRY(store_.list(query));
  if (agents.empty()) {
    return fail(ErrorKind::not_found, "no agent '" + std::string(wanted) + "' in tenant '" + std::string(tenant) + "'",
                "`agentos ps -a` lists the agents there are");
  }
  return std::move(agents.front());
}

Result<std::vector<Agent>> Agents::list(const AgentQuery& query) const {
  auto agents = AGENTOS_TRY(store_.list(query));
  for (auto& agent : agents) {
    if (const auto known = live(agent.id)) agent = known->agent;
  }
  return agents;
}

Usage Agents::usage(const Agent& agent) const {
  const auto known = live(agent.id);
  return known && known->cgroup && !is_final(agent.status) ? usage_now(*known) : agent.usage;
}

Usage Agents::usage_now(const Live& live) const {
  Usage usage = usage_of(*live.cgroup);
  const auto id = live.cgroup->id();
  if (environment_.activity && id) usage.activity = environment_.activity(live.agent.sandbox.uid_base, *id);
  return usage;
}

Result<> Agents::transition(const LivePtr& live, Event event, std::string reason, bool must_store) {
  const auto to = next(live->agent.status, event);
  if (!to) {
    return fail(ErrorKind::conflict, "agent " + live->agent.id + " is " + std::string(name(live->agent.status)));
  }
  Agent changed = live->agent;
  changed.status = *to;
  changed.updated = environment_.now();
  // The reason of a termination stays when it is done.
  if (!reason.empty() || !is_final(*to)) changed.reason = std::move(reason);
  if (*to == Status::running && !changed.started) changed.started = changed.updated;
  if (is_final(*to)) changed.ended = changed.updated;
  if (auto stored = store_.put(changed); !stored) {
    if (must_store) return stored;
    environment_.log("agent " + changed.id + ": " + stored.error().message() + "; will be stored later");
    if (!live->storing) spawn_detached(store_later(live));
    live->storing = true;
  }
  const Status from = live->agent.status;
  live->agent = std::move(changed);
  environment_.publish({live->agent, from});
  return {};
}

asio::awaitable<void> Agents::store_later(LivePtr live) {
  asio::steady_timer timer(executor_);
  for (auto pause = 250ms;; pause = std::min<std::chrono::milliseconds>(pause * 2, 5s)) {
    timer.expires_after(pause);
    co_await timer.async_wait(asio::use_awaitable);
    if (this->live(live->agent.id) != live) co_return;  // given up meanwhile
    if (store_.put(live->agent)) break;
  }
  live->storing = false;
  if (is_final(live->agent.status)) co_await retire(live);
}

void Agents::attend(const LivePtr& live, Started started) {
  Agent& agent = live->agent;
  agent.process.pid = started.pid;
  agent.process.start_time = started.start_time;
  agent.sandbox.uid_base = started.uid_base;
  agent.sandbox.cgroup = std::move(started.cgroup);
  live->lost_until.reset();
  live->pidfd.emplace(executor_, started.pidfd.release());
  if (auto cgroup = os::Cgroup::open(agent.sandbox.cgroup)) {
    live->cgroup = std::move(*cgroup);
  } else {
    environment_.log("agent " + agent.id + ": " + cgroup.error().message() + "; it cannot be paused or killed");
  }
  if (agent.status == Status::starting) static_cast<void>(transition(live, Event::started, {}, false));
  if (agent.status == Status::stopping) begin_stop(live);
  if (agent.wall && agent.started) spawn_detached(end_in_time(live));
  if (const auto policy = files_.policy(agent.id); policy && policy->idle)
    spawn_detached(end_when_idle(live, *policy->idle));
  spawn_detached(supervise(live));
}

asio::awaitable<void> Agents::supervise(LivePtr live) {
  // A pidfd is readable when the process has ended; the pid namespace is empty by then. Asio may say so for a
  // descriptor that it had watched in the same place before (that of a cgroup.events just closed): the kernel is asked
  // again, or an agent that runs would be given up.
  for (pollfd ended{live->pidfd->native_handle(), POLLIN, 0}; ::poll(&ended, 1, 0) != 1;) {
    const auto [error] = co_await live->pidfd->async_wait(asio::posix::stream_descriptor::wait_read,
                                                          asio::as_tuple(asio::use_awaitable));
    if (error) co_return;
  }
  finish(live, "killed");
  co_await clean_up(live);
}

void Agents::finish(const LivePtr& live, std::string_view without_record) {
  Agent& agent = live->agent;
  bool out_of_memory = false;
  if (!live->cgroup) {
    if (auto cgroup = os::Cgroup::open(agent.sandbox.cgroup)) live->cgroup = std::move(*cgroup);
  }
  if (live->cgroup) {
    agent.usage = usage_now(*live);
    agent.usage.memory_current.reset();
    agent.usage.pids_current.reset();
    out_of_memory = was_out_of_memory(*live->cgroup);
  }
  agent.exit = files_.exit_record(agent.id);
  Event event = Event::killed;
  std::string reason(without_record);
  if (agent.exit) {
    event = agent.exit->kind == ExitRecord::Kind::exited && agent.exit->code == 0 ? Event::exited_zero
                                                                                  : Event::exited_nonzero;
    reason = how_it_ended(*agent.exit);
    if (agent.status == Status::starting) static_cast<void>(transition(live, Event::started, {}, false));
  } else if (without_record == "killed") {
    const auto now = std::chrono::duration_cast<std::chrono::nanoseconds>(environment_.now().time_since_epoch());
    agent.exit = ExitRecord{ExitRecord::Kind::signaled, SIGKILL, now.count()};
  }
  const bool by_kill = agent.exit && agent.exit->kind == ExitRecord::Kind::signaled && agent.exit->code == SIGKILL;
  if (out_of_memory && by_kill && agent.status != Status::stopping) reason = "out of memory";
  if (agent.status == Status::stopping && !agent.reason.empty()) reason.clear();
  agent.kill_at.reset();
  static_cast<void>(transition(live, event, std::move(reason), false));
  live->grace.cancel();
  live->time.cancel();
  live->look.cancel();
  if (!live->storing && agent.remove_on_exit) {
    spawn_detached(retire(live));
    return;  // whoever waits is told when it is gone
  }
  if (!live->storing) live_.erase(agent.id);
  live->ended.ring();
}

// What it wrote is lost with nobody having seen it unless it stays.
asio::awaitable<void> Agents::retire(LivePtr live) {
  const Agent& agent = live->agent;
  bool lost = true;
  if (agent.remove_on_exit) {
    const auto layer = co_await layer_state(agent);
    lost = !layer || (*layer && !(*layer)->empty);
  }
  if (!lost) {
    const auto removed = has_layer(agent.workspace_mode) ? co_await layers_.remove_layer(agent.id) : Result<void>();
    if (removed) forget_record(agent);
  }
  live_.erase(agent.id);
  live->ended.ring();
}

asio::awaitable<void> Agents::clean_up(LivePtr live) {
  files_.remove_socket(live->agent.id);
  live->pidfd.reset();  // before another descriptor is opened: see live_agents_max()
  std::string tenant = live->agent.tenant, id = live->agent.id;
  // The last process leaves its cgroup a moment after its pidfd tells of its end.
  if (live->cgroup) co_await emptied(*live->cgroup);
  live->cgroup.reset();
  const auto removed = co_await spawner_.remove(std::move(tenant), std::move(id));
  // What stays now is found by a later sweep.
  if (!removed) environment_.log("agent " + live->agent.id + ": remove its cgroup: " + removed.error().message());
}

void Agents::forget_record(const Agent& agent) {
  // The record first: files without a record are removed at the next start, a record without files would lie.
  if (auto removed = store_.remove(agent.id); !removed) {
    environment_.log("agent " + agent.id + ": remove its record: " + removed.error().message());
    return;
  }
  files_.remove(agent.id);
  if (auto& kept = kept_[agent.tenant]; kept > 0) --kept;
}

void Agents::spawn_detached(asio::awaitable<void> work) {
  // An exception here is a defect: it ends the daemon, whose next start adopts the agents.
  asio::co_spawn(executor_, std::move(work), [](std::exception_ptr error) {
    if (error) std::rethrow_exception(error);
  });
}

}  // namespace agentos::process
