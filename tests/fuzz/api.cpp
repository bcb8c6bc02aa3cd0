#include "daemon/api.hpp"

#include <fcntl.h>

#include <array>
#include <fstream>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "agentos/base/text.hpp"
#include "daemon/audit.hpp"
#include "daemon/http/json.hpp"
#include "daemon/http/problem.hpp"
#include "daemon/http/target.hpp"
#include "daemon/planning.hpp"
#include "fakes/await.hpp"
#include "fakes/memory_agent_store.hpp"
#include "fakes/memory_journal.hpp"
#include "fakes/temporary_folder.hpp"
#include "fuzz.hpp"
#include "unit/sandbox/compile/samples.hpp"

namespace {

using namespace agentos;
using boost::asio::awaitable;

// Knows what the host can do, and starts nothing.
class Refusing final : public Spawner, public LayerStore {
  awaitable<Result<HostFacts>> probe() override { co_return sandbox::full_host(); }
  awaitable<Result<Started>> start(Plan, std::vector<UniqueFd>) override {
    co_return fail(ErrorKind::exhausted, "no more agents");
  }
  awaitable<Result<void>> remove(std::string, std::string) override { co_return Result<void>{}; }
  awaitable<Result<UniqueFd>> open_layer(std::string, UniqueFd) override {
    co_return fail(ErrorKind::not_found, "no layer");
  }
  awaitable<Result<LayerState>> look_at_layer(std::string) override { co_return LayerState{}; }
  awaitable<Result<void>> remove_layer(std::string) override { co_return Result<void>{}; }
  awaitable<Result<std::vector<std::string>>> list_layers(std::string) override {
    co_return std::vector<std::string>();
  }
};

// A reader who has gone away after a few events.
class ShortStream final : public http::EventStream {
  awaitable<bool> open() override { co_return true; }
  awaitable<bool> send(std::string_view, const boost::json::value& data) override {
    AGENTOS_ASSERT(is_utf8(boost::json::serialize(data)));
    co_return ++sent_ < 4;
  }
  awaitable<void> closed() override { co_return; }

  int sent_{};
};

awaitable<void> gone() {
  co_return;
}

constexpr std::string_view secret = "the-goal-of-acme-s-agent";

config::Config config_of_test() {
  config::Config config;
  config.tenants.resize(2);
  config.tenants[0].name = "acme";
  config.tenants[0].members(config::Role::admin).users = {0};
  config.tenants[0].members(config::Role::operator_).users = {1000};
  config.tenants[0].members(config::Role::viewer).users = {1002};
  config.tenants[1].name = "other";
  config.tenants[1].members(config::Role::operator_).users = {2000};
  return config;
}
constexpr std::array<uid_t, 5> callers{0, 1000, 1002, 2000, 3000};  // the last is in no tenant

struct World {
  fakes::TemporaryFolder folder;
  boost::asio::io_context context{1};
  fakes::MemoryAgentStore store;
  Refusing spawner;
  daemon::EventHub events;
  fakes::MemoryJournal journal{context.get_executor()};
  std::unique_ptr<daemon::LogWatch> logs = std::move(*daemon::LogWatch::open(context.get_executor()));
  process::Agents agents{context.get_executor(),
                         store,
                         spawner,
                         spawner,
                         std::move(*process::AgentFiles::open(folder.path(), folder.path())),
                         environment()};
  daemon::Policies policies{folders()};
  daemon::Api api{
      agents, spawner, events, *logs, policies, [] {}, std::make_shared<const config::Config>(config_of_test()),
      journal};
  http::Router router = routes();
  UniqueFd workspace{::open(folder.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};

  static process::Agents::Environment environment() {
    process::Agents::Environment made;
    made.compile = daemon::plan;
    made.now = [] { return std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now()); };
    made.random = [] { return 7U; };
    made.publish = [](const AgentEvent&) {};
    made.log = [](const std::string&) {};
    made.boot_id = "boot";
    return made;
  }

  daemon::PolicyFolders folders() {
    daemon::PolicyFolders made{folder.path() + "/policies", folder.path() + "/tenants", folder.path() + "/profiles"};
    for (const auto& path : {made.policies, made.tenants, made.profiles}) std::filesystem::create_directory(path);
    std::ofstream(made.profiles + "/default.yaml") << "version: 1\n";
    std::ofstream(made.policies + "/bound.yaml")
        << "version: 1\nresources: {memory: 1GiB, pids: 50}\nfilesystem: {read_only: ['/opt', '?~/.cache']}\n";
    std::ofstream(made.tenants + "/other.yaml") << "version: 1\npolicies: [default]\n";
    return made;
  }

  http::Router routes() {
    http::Router plain;
    api.add_routes(plain);
    return daemon::audited(plain, journal);
  }

  // What was there before the request is there again for the next.
  void renew() {
    journal.records.clear();
    Agent agent;
    agent.id = "a01hzx3kq9v5m";
    agent.name = "builder";
    agent.tenant = "acme";
    agent.owner_uid = 1000;
    agent.goal = secret;
    agent.workspace = "/home/alice/project";
    agent.command = {"make"};
    agent.policy = "default";
    agent.status = Status::terminated;
    agent.exit = ExitRecord{ExitRecord::Kind::exited, 0, 1};
    AGENTOS_ASSERT(store.put(agent));
    agent.id = "a01hzx3kq9v5n";
    agent.tenant = "other";
    agent.owner_uid = 2000;
    agent.goal = "nothing to hide";
    AGENTOS_ASSERT(store.put(agent));
  }
};

}  // namespace

// One request of a caller that may be of any tenant or none: "CMETHOD TARGET", where C says who, then the body from the
// second line on. Nothing that is sent may end in "internal error", and nobody sees what is another tenant's.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static World world;
  auto text = fuzz::text_of(data, size);
  if (text.empty()) return 0;
  http::Request request;
  request.peer.uid = request.peer.gid = callers.at(static_cast<unsigned char>(text[0]) % callers.size());
  text.remove_prefix(1);
  const auto line = text.substr(0, text.find('\n'));
  const auto space = line.find(' ');
  if (space == line.npos) return 0;
  request.method = line.substr(0, space);
  auto target = http::parse_target(line.substr(space + 1));
  if (!target) return 0;
  request.path = target->path;
  request.query = std::move(target->query);
  if (line.size() < text.size()) {
    auto body = http::parse_json(text.substr(line.size() + 1));
    if (!body) return 0;
    request.body = std::move(*body);
  }
  request.connection = world.workspace.get();
  request.closed = gone;
  request.fds.emplace_back(::fcntl(world.workspace.get(), F_DUPFD_CLOEXEC, 3));
  const auto route = world.router.find(request.method, request.path, request.parameters);
  if (!route) return 0;

  world.renew();
  std::string answer;
  if ((*route)->handler) {
    const auto response = fakes::await(world.context, (*route)->handler(request));
    AGENTOS_ASSERT(response || response.error().kind() != ErrorKind::internal);
    AGENTOS_ASSERT(!response || response->status != 500);
    answer = boost::json::serialize(response ? response->body : http::problem_response(response.error()).body);
  } else {
    ShortStream stream;
    const auto done = fakes::await(world.context, (*route)->stream(request, stream));
    AGENTOS_ASSERT(done || done.error().kind() != ErrorKind::internal);
  }
  AGENTOS_ASSERT(is_utf8(answer));
  if (request.peer.uid >= 2000 && text.find("acme-s") == text.npos)
    AGENTOS_ASSERT(answer.find(secret) == std::string::npos);
  for (const auto& record : world.journal.records) {
    AGENTOS_ASSERT(record.entry.body.find("body_too_long") == std::string::npos);
    boost::system::error_code error;
    (void)boost::json::parse(record.entry.body, error);
    AGENTOS_ASSERT(!error && record.entry.body.size() <= AuditEntry::body_max);
  }
  return 0;
}
