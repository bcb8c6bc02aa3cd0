#include "daemon/daemon.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <csignal>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <spdlog/spdlog.h>
#include <systemd/sd-daemon.h>

#include "agentos/base/text.hpp"
#include "daemon/api.hpp"
#include "daemon/audit.hpp"
#include "daemon/config/config.hpp"
#include "daemon/descriptors.hpp"
#include "daemon/event_hub.hpp"
#include "daemon/http/server.hpp"
#include "daemon/log_watch.hpp"
#include "daemon/planning.hpp"
#include "daemon/policies.hpp"
#include "daemon/policy_watch.hpp"
#include "daemon/spawnd_client.hpp"
#include "daemon/witness.hpp"
#include "observer/journal/journal.hpp"
#include "observer/meter/meter.hpp"
#include "os/cgroup.hpp"
#include "os/file.hpp"
#include "process/agents.hpp"
#include "store/sqlite/agent_store.hpp"

namespace agentos::daemon {
namespace {

namespace asio = boost::asio;

// Two daemons on one state folder would each think that the other's agents are lost.
Result<UniqueFd> lock(const std::string& state_dir) {
  UniqueFd file(::open((state_dir + "/lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!file) {
    return std::unexpected(Error::from_errno(errno, "use the state directory " + state_dir)
                               .with_hint("it must exist and belong to the user that agentosd runs as"));
  }
  if (::flock(file.get(), LOCK_EX | LOCK_NB) == 0) return file;
  if (errno != EWOULDBLOCK) return fail_errno("lock " + state_dir);
  return fail(ErrorKind::exists, "another agentosd runs with the state directory " + state_dir,
              "stop that one first, or give another --state-dir");
}

Result<std::shared_ptr<const config::Config>> read_config(const std::string& path) {
  auto loaded = AGENTOS_TRY(config::load_config(path));
  for (const auto& warning : loaded.warnings) spdlog::warn("{}", warning);
  return std::make_shared<const config::Config>(std::move(loaded.config));
}

TimePoint now() {
  return std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
}

std::uint32_t random_number() {
  std::uint32_t number{};
  AGENTOS_ASSERT(::getrandom(&number, sizeof number, 0) == sizeof number);
  return number;
}

// One record for each file: which text is in force, and what is wrong with a newer one.
void tell_policies(Journal& audit, const Policies& policies) {
  for (const auto* files : {&policies.policies(), &policies.tenants()}) {
    for (const auto& [name, file] : *files) {
      audit.append(audit_entry(audit_kind::policy_loaded, {{"name", name},
                                                           {"path", file.path},
                                                           {"sha256", hex(journal::sha256(file.text))},
                                                           {"in_force", file.good.has_value()},
                                                           {"fault", printable(file.fault.substr(0, 1024), true)}}));
    }
  }
}

asio::awaitable<void> obey_signals(asio::io_context& context, http::Server& server, Api& api, std::string config_path,
                                   std::function<void()> reload_policies, journal::SegmentJournal& audit) {
  asio::signal_set signals(context, SIGTERM, SIGINT, SIGHUP);
  for (;;) {
    const auto [error, number] = co_await signals.async_wait(asio::as_tuple(asio::use_awaitable));
    if (error || number != SIGHUP) break;
    ::sd_notify(0, "RELOADING=1");
    if (auto config = read_config(config_path)) {
      api.use(std::move(*config));
      spdlog::info("configuration read again");
    } else {
      spdlog::error("the configuration is not changed: {}", config.error().message());
    }
    reload_policies();
    ::sd_notify(0, "READY=1");
  }
  ::sd_notify(0, "STOPPING=1");
  spdlog::info("stopping; the agents go on");
  co_await server.stop();
  audit.append(audit_entry(audit_kind::daemon_stopped, {{"program", "agentosd"}, {"version", AGENTOS_VERSION}}));
  const bool whole = co_await audit.stop();
  if (!whole) spdlog::error("not all audit records could be written");
  context.stop();
}

// The counts of the spawnd that is connected now.
asio::awaitable<void> follow_meter(SpawndClient& spawnd, std::unique_ptr<observer::Meter>& meter, Witness& witness) {
  auto readers = co_await spawnd.meter();
  if (!readers) {
    meter.reset();
    spdlog::warn("agents are not counted: {}", readers.error().message());
    co_return;
  }
  auto opened = observer::Meter::open(co_await asio::this_coro::executor, std::move(readers->accounts), readers->events,
                                      [&witness](const agentos_event& event) { witness.heard(event); });
  if (!opened) spdlog::error("agents are not counted: {}", opened.error().message());
  meter = opened ? std::move(*opened) : nullptr;
}

// Which cgroup is whose, as long as that matters.
void tell(Witness& witness, const Agent& agent) {
  if (is_final(agent.status)) return witness.ended(agent.id);
  if (agent.sandbox.cgroup.empty()) return;
  const auto cgroup = os::Cgroup::open(agent.sandbox.cgroup);
  const auto id = cgroup ? cgroup->id() : fail(ErrorKind::not_found, "");
  if (id) witness.began(*id, agent);
}

// What agents did that ended while agentosd was not there is known by the counts only: they come first, unless spawnd
// is not there either.
void await_spawnd(asio::io_context& context, SpawndClient& spawnd) {
  asio::co_spawn(context, spawnd.ready(process::Bell::Clock::now() + std::chrono::seconds(1)),
                 [&context](std::exception_ptr error, bool) {
                   if (error) std::rethrow_exception(error);
                   context.stop();
                 });
  context.run();
  context.restart();
}

}  // namespace

Result<> run(const Options& options) {
  ::umask(077);
  std::signal(SIGPIPE, SIG_IGN);  // a log that nobody reads any more ends nothing
  auto config = AGENTOS_TRY(read_config(options.config));
  const UniqueFd locked = AGENTOS_TRY(lock(options.state_dir));
  if (::chmod(options.state_dir.c_str(), 0700) != 0) return fail_errno("close " + options.state_dir + " to others");
  const auto store = AGENTOS_TRY(store::SqliteAgentStore::open(options.state_dir + "/agentos.db"));
  auto files = AGENTOS_TRY(process::AgentFiles::open(options.state_dir, options.run_dir));
  std::string boot_id = AGENTOS_TRY(os::read_file(AT_FDCWD, "/proc/sys/kernel/random/boot_id", 64));
  boot_id.resize(std::min(boot_id.size(), boot_id.find('\n')));
  const auto log = [](const std::string& line) { spdlog::warn("{}", line); };

  EventHub events;
  asio::io_context context(1);
  const auto audit =
      AGENTOS_TRY(journal::SegmentJournal::open(context.get_executor(), {.folder = options.state_dir + "/journal"},
                                                [](const std::string& line) { spdlog::warn("{}", line); }));
  audit->append(audit_entry(audit_kind::daemon_started, {{"program", "agentosd"}, {"version", AGENTOS_VERSION}}));
  SpawndClient spawnd(context.get_executor(), options.spawnd_socket,
                      [](const std::string& line) { spdlog::info("{}", line); });
  std::unique_ptr<observer::Meter> meter;
  Witness witness(*audit, {});
  spawnd.on_connection([&] { return follow_meter(spawnd, meter, witness); });
  process::Agents::Environment environment;
  environment.activity = [&](std::uint32_t uid_base, std::uint64_t cgroup) {
    auto activity = meter ? meter->activity(uid_base, cgroup) : std::nullopt;
    if (activity) activity->withheld = witness.withheld(cgroup);
    return activity;
  };
  environment.compile = plan;
  environment.now = now;
  environment.random = random_number;
  environment.publish = [&](const AgentEvent& event) {
    spdlog::info("agent {} of {}: {}", event.agent.id, event.agent.tenant, name(event.agent.status));
    audit->append(audit_entry(event));
    tell(witness, event.agent);
    events.publish(event);
  };
  environment.log = log;
  environment.boot_id = std::move(boot_id);
  environment.live_max = live_agents_max();
  process::Agents agents(context.get_executor(), *store, spawnd, spawnd, std::move(files), std::move(environment));
  await_spawnd(context, spawnd);
  AGENTOS_TRY(agents.adopt());
  for (const auto& agent : AGENTOS_TRY(agents.list({}))) {
    if (!is_final(agent.status)) tell(witness, agent);
  }
  const auto log_watch = AGENTOS_TRY(LogWatch::open(context.get_executor()));
  Policies policies(options.folders, LastGood(options.state_dir + "/policies"));
  for (const auto& fault : policies.faults()) spdlog::error("{}", fault);
  tell_policies(*audit, policies);
  const auto reload_policies = [&policies, &audit] {
    for (const auto& fault : policies.reload()) spdlog::error("{}", fault);
    tell_policies(*audit, policies);
    spdlog::info("policies read again: {}, with ceilings of {} tenants", policies.policies().size(),
                 policies.tenants().size());
  };
  const auto policy_watch = AGENTOS_TRY(PolicyWatch::open(
      context.get_executor(), {options.folders.policies, options.folders.tenants, options.folders.profiles},
      reload_policies));
  const auto reload_by_hand = [&] {
    policy_watch->renew();
    reload_policies();
  };
  Api api(agents, spawnd, events, *log_watch, policies, reload_by_hand, std::move(config), *audit);
  http::Router routes;
  api.add_routes(routes);
  const http::Router router = audited(routes, *audit);
  http::Server server = AGENTOS_TRY(
      http::Server::open(context, options.socket, router, [](std::string_view line) { spdlog::error("{}", line); }));
  server.start();
  asio::co_spawn(context, obey_signals(context, server, api, options.config, reload_by_hand, *audit), asio::detached);
  ::sd_notify(0, "READY=1");
  spdlog::info("agentosd " AGENTOS_VERSION " serves {}", options.socket);
  context.run();
  return {};
}

}  // namespace agentos::daemon
