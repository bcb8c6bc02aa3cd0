#include "os/file.hpp"
#include "os/socket.hpp"
#include "process/agents.hpp"
#include "process/live.hpp"

namespace agentos::process {
namespace {

namespace asio = boost::asio;

}  // namespace

Result<> Agents::room_for(const Submission& submission) const {
  if (live_.size() >= environment_.live_max) {
    return fail(ErrorKind::exhausted, std::to_string(live_.size()) + " agents are live, the most this host allows",
                "terminate some, or wait until some have ended");
  }
  const auto kept = kept_.find(submission.tenant);
  if (kept != kept_.end() && kept->second >= environment_.kept_max) {
    return fail(
        ErrorKind::exhausted,
        "tenant '" + submission.tenant + "' has " + std::to_string(kept->second) + " agents, the most that are kept",
        "remove the ended ones: agentos prune");
  }
  return {};
}

// A live agent in status submitted whose plan is made. Nothing is left behind when it fails.
Result<Agents::LivePtr> Agents::record(const Submission& submission, const HostFacts& facts, Planned& planned) {
  const TimePoint now = environment_.now();
  Agent agent = record_of(submission, ids_.next(now, environment_.random()), now);
  planned = AGENTOS_TRY(environment_.compile(agent, submission.policy, facts));
  agent.sandbox.not_enforced = std::move(planned.not_enforced);
  AGENTOS_TRY(store_.put(agent));
  auto live = std::make_shared<Live>(executor_, std::move(agent));
  live_.emplace(live->agent.id, live);
  ++kept_[live->agent.tenant];
  environment_.publish({live->agent, Status::submitted});
  return live;
}

asio::awaitable<Result<Submitted>> Agents::submit(Submission submission) {
  if (auto reasons = refusals(submission); !reasons.empty())
    co_return fail(ErrorKind::invalid, std::move(reasons.front()));
  const auto facts = co_await spawner_.probe();
  if (!facts) co_return std::unexpected(facts.error());
  if (auto room = room_for(submission); !room) co_return std::unexpected(std::move(room).error());
  Planned planned;
  auto recorded = record(submission, *facts, planned);
  if (!recorded) co_return std::unexpected(std::move(recorded).error());
  const LivePtr live = std::move(*recorded);

  std::vector<UniqueFd> fds;
  UniqueFd stream;
  auto prepared = [&]() -> Result<> {
    AGENTOS_TRY(transition(live, Event::admit, {}));
    live->agent.process.boot_id = environment_.boot_id;
    AGENTOS_TRY(transition(live, Event::start, {}));
    auto files = AGENTOS_TRY(files_.create(live->agent.id));
    AGENTOS_TRY(files_.keep_policy(live->agent.id, submission.policy));
    InitSpec spec{.uid = agent_uid,
                  .gid = agent_uid,
                  .log_max = environment_.log_max,
                  .program = {},
                  .limits = std::move(planned.limits)};
    spec.program = {.argv = std::move(submission.command),
                    .env = environment_of(live->agent, submission.policy, submission.environment, submission.tty,
                                          submission.terminal),
                    .cwd = submission.workspace,
                    .tty = submission.tty,
                    .with_stdin = submission.with_stdin,
                    .rows = submission.rows,
                    .columns = submission.columns};
    fds.push_back(std::move(submission.caller));
    fds.push_back(std::move(submission.workspace_fd));
    fds.push_back(AGENTOS_TRY(os::sealed_memory("agentos-init", spec.encode())));
    fds.push_back(std::move(files.listener));
    fds.push_back(std::move(files.log_0));
    fds.push_back(std::move(files.log_1));
    fds.push_back(std::move(files.exit_record));
    if (submission.attach) {
      auto [mine, theirs] = AGENTOS_TRY(os::socket_pair(SOCK_SEQPACKET));
      stream = std::move(mine);
      fds.push_back(std::move(theirs));
    }
    for (auto& fd : submission.grant_fds) fds.push_back(std::move(fd));
    return {};
  }();
  if (!prepared) {
    give_up(live, prepared.error());
    co_return std::unexpected(std::move(prepared).error());
  }
  if (auto started = co_await start(live, std::move(planned.plan), std::move(fds), *facts); !started) {
    give_up(live, started.error());
    co_return std::unexpected(std::move(started).error());
  }
  co_return Submitted{live->agent, std::move(stream)};
}

asio::awaitable<Result<void>> Agents::start(LivePtr live, Plan plan, std::vector<UniqueFd> fds,
                                            const HostFacts& facts) {
  auto started = co_await spawner_.start(std::move(plan), std::move(fds));
  if (started) {
    attend(live, std::move(*started));
    co_return Result<void>{};
  }
  // spawnd may have died after the agent began: then it is ours all the same.
  if (started.error().kind() == ErrorKind::unavailable && find_started(live, facts)) co_return Result<void>{};
  co_return std::unexpected(std::move(started).error());
}

// The caller is told why, so nothing of it is kept: the name is free again. One that was terminated meanwhile stays.
void Agents::give_up(const LivePtr& live, const Error& why) {
  const bool stopped = live->agent.status == Status::stopping;
  // From before `starting` it is only forgotten.
  static_cast<void>(
      transition(live, stopped ? Event::killed : Event::start_failed, stopped ? "" : why.message(), false));
  live_.erase(live->agent.id);
  if (stopped) {
    files_.remove_socket(live->agent.id);
  } else {
    forget_record(live->agent);
  }
  live->ended.ring();
}

}  // namespace agentos::process
