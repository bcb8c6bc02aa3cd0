#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <csignal>

#include "agentos/model/attach.hpp"
#include "os/socket.hpp"
#include "policy/compose.hpp"
#include "process/agents.hpp"
#include "process/group.hpp"
#include "process/live.hpp"

namespace agentos::process {
namespace {

namespace asio = boost::asio;

Result<UniqueFd> connect(const std::string& socket, const Hello& hello) {
  auto connection = os::connect_unix(socket, SOCK_SEQPACKET, SOCK_NONBLOCK);
  if (!connection) return std::unexpected(std::move(connection).error().within("reach the agent's init"));
  const std::string packet = hello.encode();
  if (packet.size() > attach_frame_max) {
    return fail(ErrorKind::invalid, "command and environment are too long for exec",
                "pass what is long by a file in the workspace");
  }
  AGENTOS_TRY(os::send_packet(connection->get(), packet));
  return connection;
}

// For whoever gets the descriptor from us: it blocks, as a fresh socket does.
Result<UniqueFd> blocking(UniqueFd socket) {
  const int flags = ::fcntl(socket.get(), F_GETFL);
  if (flags < 0 || ::fcntl(socket.get(), F_SETFL, flags & ~O_NONBLOCK) < 0) return fail_errno("attach");
  return socket;
}

}  // namespace

asio::awaitable<Result<Agent>> Agents::pause(std::string id) {
  const auto found = running(id);
  if (!found) co_return std::unexpected(found.error());
  const LivePtr live = *found;
  if (!next(live->agent.status, Event::pause) || live->freezing || !live->cgroup) {
    co_return fail(
        ErrorKind::conflict,
        "agent " + id + " is " + (live->freezing ? "being paused or resumed" : std::string(name(live->agent.status))));
  }
  live->freezing = true;
  auto frozen = co_await set_frozen(*live->cgroup, true);
  live->freezing = false;
  if (is_final(live->agent.status)) co_return fail(ErrorKind::conflict, "agent " + id + " ended while it was paused");
  if (!frozen) co_return std::unexpected(std::move(frozen).error());
  if (auto changed = transition(live, Event::pause, {}); !changed) {
    static_cast<void>(thaw_now(*live->cgroup));  // it was terminated meanwhile, or this cannot be stored
    co_return std::unexpected(std::move(changed).error());
  }
  co_return live->agent;
}

asio::awaitable<Result<Agent>> Agents::resume(std::string id) {
  const auto found = running(id);
  if (!found) co_return std::unexpected(found.error());
  const LivePtr live = *found;
  if (live->agent.status != Status::paused || live->freezing || !live->cgroup) {
    co_return fail(
        ErrorKind::conflict,
        "agent " + id + " is " + (live->freezing ? "being paused or resumed" : std::string(name(live->agent.status))));
  }
  live->freezing = true;
  auto thawed = co_await set_frozen(*live->cgroup, false);
  live->freezing = false;
  if (is_final(live->agent.status)) co_return live->agent;  // it ended as soon as it could
  if (!thawed) co_return std::unexpected(std::move(thawed).error());
  if (live->agent.status == Status::paused) {
    if (auto changed = transition(live, Event::resume, {}, false); !changed) co_return std::unexpected(changed.error());
  }
  co_return live->agent;
}

Result<Agent> Agents::terminate(const std::string& id, std::string reason, std::chrono::milliseconds grace) {
  const LivePtr live = AGENTOS_TRY(running(id));
  const TimePoint kill_at = environment_.now() + grace;
  if (live->agent.status == Status::stopping) {
    if (live->agent.kill_at && kill_at < *live->agent.kill_at) {
      live->agent.kill_at = kill_at;
      live->grace.cancel();  // end_grace looks again
    }
    return live->agent;
  }
  live->agent.kill_at = kill_at;
  if (auto changed = transition(live, Event::terminate, std::move(reason)); !changed) {
    live->agent.kill_at.reset();
    return std::unexpected(std::move(changed).error());
  }
  if (live->pidfd) begin_stop(live);
  return live->agent;
}

void Agents::begin_stop(const LivePtr& live) {
  if (auto sent = send_signal(*live, SIGTERM); !sent) {
    environment_.log("agent " + live->agent.id + ": send SIGTERM: " + sent.error().message() +
                     "; it is killed instead");
    live->agent.kill_at = environment_.now();
  }
  // A frozen agent finds the signal when it runs again.
  if (live->cgroup) static_cast<void>(thaw_now(*live->cgroup));
  spawn_detached(end_grace(live));
}

asio::awaitable<void> Agents::end_grace(LivePtr live) {
  using namespace std::chrono_literals;
  while (!is_final(live->agent.status)) {
    live->grace.expires_after(live->agent.kill_at.value_or(environment_.now()) - environment_.now());
    const auto [early] = co_await live->grace.async_wait(asio::as_tuple(asio::use_awaitable));
    if (early) continue;  // it has ended, or the grace was shortened
    if (!live->cgroup) co_return;
    const auto killed = kill_all(*live->cgroup);
    if (killed) co_return;
    environment_.log("agent " + live->agent.id + ": kill it: " + killed.error().message() + "; trying again");
    live->agent.kill_at = environment_.now() + 1s;
  }
}

// Counted from its start by the clock, so that a restart of agentosd gives it no more time; looked at every minute, as
// the clock may be set.
asio::awaitable<void> Agents::end_in_time(LivePtr live) {
  using namespace std::chrono_literals;
  while (!is_final(live->agent.status) && live->agent.status != Status::stopping) {
    const auto left = *live->agent.started + *live->agent.wall - environment_.now();
    if (left > 0ms) {
      live->time.expires_after(std::min<std::chrono::milliseconds>(left, 60s));
      co_await live->time.async_wait(asio::as_tuple(asio::use_awaitable));
      continue;
    }
    std::string reason = "its time is over: limits.wall is " + policy::text(*live->agent.wall);
    if (const auto known = files_.policy(live->agent.id); known && known->wall)
      reason += " (" + known->wall->origin.text() + ")";
    if (terminate(live->agent.id, std::move(reason), environment_.wall_grace)) co_return;
    live->time.expires_after(1s);  // it could not be stored: again
    co_await live->time.async_wait(asio::as_tuple(asio::use_awaitable));
  }
}

// Idle is who uses less than a thousandth of a CPU (timers tick in the quietest program) and writes nothing. While it
// is paused it is not idle; a restart of agentosd begins to count anew.
asio::awaitable<void> Agents::end_when_idle(LivePtr live, policy::Stated<std::chrono::milliseconds> idle) {
  using namespace std::chrono_literals;
  const auto pause = std::clamp<std::chrono::milliseconds>(idle.value / 10, 100ms, 60s);
  auto busy_until = Bell::Clock::now();
  auto written = files_.log_bytes(live->agent.id);
  auto used = live->cgroup ? usage_of(*live->cgroup).cpu_usec : std::nullopt;
  auto seen = busy_until;
  while (!is_final(live->agent.status) && live->agent.status != Status::stopping) {
    live->look.expires_after(pause);
    co_await live->look.async_wait(asio::as_tuple(asio::use_awaitable));
    if (is_final(live->agent.status) || !live->cgroup) co_return;
    const auto now = Bell::Clock::now();
    const auto bytes = files_.log_bytes(live->agent.id);
    const auto usage = usage_of(*live->cgroup).cpu_usec;
    const auto passed = std::chrono::duration_cast<std::chrono::microseconds>(now - seen).count();
    const bool works = !used || !usage || (*usage - *used) * 1000 >= static_cast<std::uint64_t>(passed);
    if (works || bytes != written || live->agent.status == Status::paused || live->freezing) busy_until = now;
    written = bytes;
    used = usage;
    seen = now;
    if (now - busy_until < idle.value) continue;
    std::string reason = "idle for " + policy::text(idle.value) + " (limits.idle, " + idle.origin.text() + ")";
    if (terminate(live->agent.id, std::move(reason), environment_.wall_grace)) co_return;
  }
}

Result<> Agents::send_signal(const Live& live, int number) {
  Hello hello;
  hello.purpose = Hello::Purpose::control;
  const auto control = AGENTOS_TRY(connect(files_.socket(live.agent.id), hello));
  Frame frame;
  frame.type = FrameType::signal;
  frame.number = number;
  return os::send_packet(control.get(), frame.encode());
}

Result<> Agents::signal(const std::string& id, int number) {
  const LivePtr live = AGENTOS_TRY(running(id));
  if (number < 1 || number > SIGRTMAX) return fail(ErrorKind::invalid, std::to_string(number) + " is no signal");
  return send_signal(*live, number);
}

Result<UniqueFd> Agents::attach(const std::string& id, std::uint16_t rows, std::uint16_t columns) {
  AGENTOS_TRY(running(id));
  Hello hello;
  hello.purpose = Hello::Purpose::attach;
  hello.program.rows = rows;
  hello.program.columns = columns;
  return blocking(AGENTOS_TRY(connect(files_.socket(id), hello)));
}

Result<UniqueFd> Agents::exec(const std::string& id, Program program, const std::string& terminal) {
  const LivePtr live = AGENTOS_TRY(running(id));
  if (live->agent.status == Status::paused) {
    return fail(ErrorKind::conflict, "agent " + id + " is paused", "resume it first: agentos resume " + id);
  }
  if (auto reasons = refusals(program.argv, program.env); !reasons.empty()) {
    return fail(ErrorKind::invalid, std::move(reasons.front()));
  }
  const auto policy = AGENTOS_TRY(files_.policy(id));
  if (auto reasons = policy::refusals(policy, program.env); !reasons.empty()) {
    return fail(ErrorKind::forbidden, std::move(reasons.front()), "the agent's policy decides what may enter");
  }
  Hello hello;
  hello.purpose = Hello::Purpose::exec;
  hello.program = std::move(program);
  hello.program.env = environment_of(live->agent, policy, hello.program.env, hello.program.tty, terminal);
  if (hello.program.cwd.empty()) hello.program.cwd = live->agent.workspace;
  return blocking(AGENTOS_TRY(connect(files_.socket(id), hello)));
}

asio::awaitable<Result<Agent>> Agents::wait(std::string id, Bell::Clock::time_point until) {
  const LivePtr live = this->live(id);
  if (!live) co_return get(id);
  const auto over = [&] {
    return is_final(live->agent.status) && (!live->agent.remove_on_exit || this->live(id) != live);
  };
  while (!over()) {
    if (co_await live->ended.wait(live->ended.rings(), until) || over()) continue;
    co_return fail(ErrorKind::unavailable, "agent " + id + " has not ended yet");
  }
  co_return live->agent;
}

asio::awaitable<Result<void>> Agents::remove(std::string id, bool discard) {
  const auto agent = get(id);
  if (!agent) co_return std::unexpected(agent.error());
  if (live(id)) {
    co_return fail(ErrorKind::conflict, "agent " + id + " is " + std::string(name(agent->status)),
                   "terminate it first: agentos terminate " + id);
  }
  if (has_layer(agent->workspace_mode)) {
    const auto layer = co_await layer_state(*agent);
    if (!layer) co_return std::unexpected(layer.error());
    if (*layer && !(*layer)->empty && !discard) {
      co_return fail(ErrorKind::conflict, "agent " + id + " has written what nobody has committed",
                     "look at it: agentos diff " + id + ", keep it: agentos commit " + id +
                         ", or remove it too: agentos rm --discard " + id);
    }
    if (auto removed = co_await layers_.remove_layer(id); !removed)
      co_return std::unexpected(std::move(removed).error());
  }
  if (!get(id)) co_return Result<void>{};  // removed by another meanwhile
  forget_record(*agent);
  co_return Result<void>{};
}

asio::awaitable<Result<std::optional<LayerState>>> Agents::layer_state(const Agent& agent) const {
  if (!has_layer(agent.workspace_mode)) co_return std::optional<LayerState>();
  const auto state = co_await layers_.look_at_layer(agent.id);
  if (state) co_return std::optional(*state);
  if (state.error().kind() == ErrorKind::not_found) co_return std::optional(LayerState{true, {}, {}});
  co_return std::unexpected(state.error());
}

asio::awaitable<Result<UniqueFd>> Agents::open_layer(std::string id, UniqueFd caller) {
  const auto agent = get(id);
  if (!agent) co_return std::unexpected(agent.error());
  if (!has_layer(agent->workspace_mode)) {
    const bool bound = agent->workspace_mode == WorkspaceMode::bind;
    co_return fail(ErrorKind::conflict,
                   "agent " + id + (bound ? " writes to its workspace itself" : " cannot write to its workspace"),
                   "only workspaces of mode overlay and empty keep apart what was written");
  }
  co_return co_await layers_.open_layer(std::move(id), std::move(caller));
}

}  // namespace agentos::process
