#include <filesystem>

#include "agentos/base/text.hpp"
#include "os/process.hpp"
#include "process/agents.hpp"
#include "process/group.hpp"
#include "process/live.hpp"

namespace agentos::process {
namespace {

namespace asio = boost::asio;
namespace fs = std::filesystem;
using namespace std::chrono_literals;

constexpr std::string_view unit_prefix = "agentos-tenant@";
constexpr std::string_view unit_suffix = ".service";

std::string cgroup_path(const HostFacts& facts, const Agent& agent) {
  return facts.slice + "/" + std::string(unit_prefix) + agent.tenant + std::string(unit_suffix) + "/" + agent.id;
}

}  // namespace

Result<> Agents::adopt() {
  for (auto& agent : AGENTOS_TRY(store_.list({}))) {
    ++kept_[agent.tenant];
    if (!is_final(agent.status)) AGENTOS_TRY(adopt_one(std::move(agent)));
  }
  // A daemon that died between the record and the files of an agent left the files.
  for (const auto& id : files_.ids()) {
    if (live(id)) continue;
    if (const auto known = store_.get(id); known) {
      files_.remove_socket(id);
    } else if (known.error().kind() == ErrorKind::not_found) {
      files_.remove(id);
    }
  }
  spawn_detached(sweep_forever());
  return {};
}

Result<> Agents::adopt_one(Agent record) {
  const auto live = std::make_shared<Live>(executor_, std::move(record));
  Agent& agent = live->agent;
  live_.emplace(agent.id, live);
  const auto end = [&](std::string_view without_record) {
    finish(live, without_record);
    spawn_detached(clean_up(live));
  };

  if (agent.status == Status::submitted || agent.status == Status::admitted) {
    if (agent.status == Status::submitted) static_cast<void>(transition(live, Event::admit, {}, false));
    static_cast<void>(transition(live, Event::start, {}, false));
    static_cast<void>(transition(live, Event::start_failed, "agentosd was restarted before it was started", false));
    live->ended.ring();
    if (!live->storing) live_.erase(agent.id);
    return {};
  }
  if (agent.process.boot_id != environment_.boot_id) {
    end("lost with its host");
    return {};
  }
  if (agent.process.pid == 0) {  // its start was not answered: when spawnd is there, its cgroup tells
    live->lost_until = Bell::Clock::now() + environment_.start_patience;
    return {};
  }
  auto pidfd = os::open_pidfd(agent.process.pid, agent.process.start_time);
  if (!pidfd) {
    // Only "no such process" means that it has ended: anything else must not give up an agent that runs.
    if (pidfd.error().kind() != ErrorKind::not_found)
      return std::unexpected(std::move(pidfd).error().within("adopt agent " + agent.id));
    end("killed");
    return {};
  }
  Started started{std::move(*pidfd), agent.process.pid, agent.process.start_time, agent.sandbox.uid_base,
                  agent.sandbox.cgroup};
  attend(live, std::move(started));
  // The freezer knows better than the record, which may be of just before or after.
  const bool frozen = live->cgroup && is_frozen(*live->cgroup);
  if (frozen && agent.status == Status::running) static_cast<void>(transition(live, Event::pause, {}, false));
  if (!frozen && agent.status == Status::paused) static_cast<void>(transition(live, Event::resume, {}, false));
  return {};
}

// Finds an agent by its cgroup and attends to it. not_found: it does not run.
Result<> Agents::find_started(const LivePtr& live, const HostFacts& facts) {
  const std::string path = cgroup_path(facts, live->agent);
  const os::Cgroup cgroup = AGENTOS_TRY(os::Cgroup::open(path));
  const auto init = find_init(cgroup);
  if (!init) return fail(ErrorKind::not_found, "no process in " + path);
  auto pidfd = AGENTOS_TRY(os::open_pidfd(init->pid, init->start_time));
  attend(live, {std::move(pidfd), init->pid, init->start_time, init->uid, path});
  return {};
}

// Often at first: spawnd may still start what the agentosd before this one had asked for.
asio::awaitable<void> Agents::sweep_forever() {
  asio::steady_timer timer(executor_);
  const auto settled = Bell::Clock::now() + 2 * environment_.start_patience;
  for (;;) {
    const auto facts = co_await spawner_.probe();
    if (facts) co_await sweep(*facts);
    timer.expires_after(!facts ? 1000ms : Bell::Clock::now() < settled ? 250ms : 60'000ms);
    co_await timer.async_wait(asio::use_awaitable);
  }
}

asio::awaitable<void> Agents::sweep(const HostFacts& facts) {
  std::vector<LivePtr> lost;
  for (const auto& [id, agent] : live_) {
    if (agent->lost_until) lost.push_back(agent);
  }
  for (const auto& live : lost) {
    if (find_started(live, facts) || Bell::Clock::now() < *live->lost_until) continue;
    live->agent.sandbox.cgroup = cgroup_path(facts, live->agent);
    live->lost_until.reset();
    finish(live, "agentosd was restarted while it was started");
    co_await clean_up(live);
  }

  if (facts.slice.empty()) co_return;
  struct Stray {
    std::string path, tenant, id;
  };
  std::vector<Stray> strays;
  std::error_code error;
  for (fs::directory_iterator unit(facts.slice, error), end; !error && unit != end; unit.increment(error)) {
    const std::string name = unit->path().filename().string();
    if (!name.starts_with(unit_prefix) || !name.ends_with(unit_suffix)) continue;
    const std::string tenant = name.substr(unit_prefix.size(), name.size() - unit_prefix.size() - unit_suffix.size());
    std::error_code inner;
    for (fs::directory_iterator group(unit->path(), inner); !inner && group != end; group.increment(inner)) {
      const std::string id = group->path().filename().string();
      if (is_name(tenant) && is_agent_id(id)) strays.push_back({group->path().string(), tenant, id});
    }
  }
  for (auto& stray : strays) {
    if (!live(stray.id)) co_await remove_stray(std::move(stray.path), std::move(stray.tenant), std::move(stray.id));
  }
  co_await sweep_layers();
}

// A layer without a record is of a start that failed when spawnd had ended, or of a removal that a crash cut short. A
// record is there before its layer and after it.
asio::awaitable<void> Agents::sweep_layers() {
  std::string after;
  for (;;) {
    const auto found = co_await layers_.list_layers(after);
    if (!found || found->empty()) co_return;
    for (const auto& id : *found) {
      if (live(id) || !is_agent_id(id)) continue;
      const auto known = store_.get(id);
      if (known || known.error().kind() != ErrorKind::not_found) continue;
      environment_.log("layer " + id + " has no record of its agent: it is removed");
      static_cast<void>(co_await layers_.remove_layer(id));
    }
    after = found->back();
  }
}

asio::awaitable<void> Agents::remove_stray(std::string path, std::string tenant, std::string id) {
  const auto cgroup = os::Cgroup::open(path);
  if (!cgroup) co_return;
  if (cgroup->number("cgroup.events", "populated") == 1U) {
    environment_.log("agent " + id + " runs without a record: it is killed");
    if (auto killed = kill_all(*cgroup); !killed) environment_.log("agent " + id + ": " + killed.error().message());
    if (!co_await emptied(*cgroup)) co_return;  // the next sweep tries again
  }
  const auto removed = co_await spawner_.remove(tenant, id);
  if (!removed) environment_.log("agent " + id + ": remove its cgroup: " + removed.error().message());
}

}  // namespace agentos::process
