#include "daemon/api.hpp"

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>

#include "daemon/openapi/openapi.hpp"
#include "unit/process/fixture.hpp"

// Who may do what with whose agents, through the real routes. The process manager is real, over fakes.
namespace agentos::daemon {
namespace {

using testing::IsEmpty;

constexpr uid_t root = 0, alice = 1000, bob = 1001, viewer = 1002, stranger = 1003, outsider = 2000;

config::Config test_config() {
  config::Config config;
  config.tenants.resize(2);
  config.tenants[0].name = "acme";
  config.tenants[0].members(config::Role::admin).users = {root};
  config.tenants[0].members(config::Role::operator_).users = {alice, bob};
  config.tenants[0].members(config::Role::viewer).users = {viewer};
  config.tenants[1].name = "other";
  config.tenants[1].members(config::Role::operator_).users = {outsider};
  return config;
}

class ApiTest : public process::AgentsFixture {
 protected:
  EventHub events;
  std::unique_ptr<LogWatch> log_watch = std::move(*LogWatch::open(daemon_context->get_executor()));
  Api api{*agents, spawner, events, *log_watch, std::make_shared<const config::Config>(test_config())};
  http::Router router;

  ApiTest() { api.add_routes(router); }

  struct Answer {
    unsigned status{};
    boost::json::value body;
    bool has_fd{};
  };

  Answer call(uid_t uid, std::string method, const std::string& target, const char* body = nullptr,
              std::string workspace = {}) {
    http::Request request;
    request.method = method;
    request.path = target.substr(0, target.find('?'));
    if (const auto mark = target.find('?'); mark != std::string::npos) {
      const std::string pair = target.substr(mark + 1);
      request.query[pair.substr(0, pair.find('='))] = pair.contains('=') ? pair.substr(pair.find('=') + 1) : "";
    }
    request.peer.uid = uid;
    request.peer.gid = uid;
    request.connection = 0;
    request.closed = []() -> boost::asio::awaitable<void> {
      process::Bell never;
      co_await never.wait(0);
    };
    if (body != nullptr) request.body = boost::json::parse(body);
    if (!workspace.empty()) request.fds.emplace_back(::open(workspace.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    const auto route = router.find(method, request.path, request.parameters);
    if (!route) return {404, {}, false};
    auto response = await((*route)->handler(request));
    if (!response)
      return {static_cast<unsigned>(response.error().kind()) + 1000, response.error().message().c_str(), false};
    return {response->status, std::move(response->body), static_cast<bool>(response->fd)};
  }

  static unsigned refused_as(ErrorKind kind) { return static_cast<unsigned>(kind) + 1000; }

  std::string submit_as(uid_t uid, const std::string& agent_name) {
    const std::string body =
        R"({"command":["work"],"name":")" + agent_name + R"(","workspace":")" + folder.path() + R"("})";
    const auto answer = call(uid, "POST", "/v1/agents", body.c_str(), folder.path());
    EXPECT_EQ(answer.status, 201U) << answer.body;
    return answer.status == 201 ? std::string(answer.body.at("id").as_string()) : "";
  }
};

TEST_F(ApiTest, EveryRouteIsDescribed) {
  EXPECT_THAT(openapi::check_routes(router, openapi::document()), IsEmpty());
}

TEST_F(ApiTest, AnOperatorRunsItsOwnAgent) {
  const std::string id = submit_as(alice, "builder");
  const auto shown = call(alice, "GET", "/v1/agents/builder");
  EXPECT_EQ(shown.status, 200U);
  EXPECT_EQ(shown.body.at("id").as_string(), id);
  EXPECT_EQ(shown.body.at("status").as_string(), "running");
  EXPECT_EQ(shown.body.at("owner").at("uid").to_number<int>(), 1000);
  EXPECT_TRUE(shown.body.at("exit_code").is_null());
  EXPECT_TRUE(call(alice, "POST", "/v1/agents/builder/attach", "{}").has_fd);
  EXPECT_EQ(call(alice, "POST", "/v1/agents/" + id + "/signal", R"({"signal":"USR1"})").status, 200U);
  EXPECT_EQ(call(alice, "POST", "/v1/agents/" + id + "/terminate", R"({"grace_ms":3600000})").status, 200U);
  EXPECT_EQ(spawner.signals(id).size(), 2U);
  spawner.end(id, exited(0));
  const auto ended = call(alice, "GET", "/v1/agents/" + id + "/wait");
  EXPECT_EQ(ended.body.at("status").as_string(), "terminated");
  EXPECT_EQ(ended.body.at("exit_code").to_number<int>(), 0);
  EXPECT_EQ(call(alice, "DELETE", "/v1/agents/" + id).status, 204U);
}

struct Access {
  uid_t uid;
  unsigned view, operate;  // 0: allowed; else what it is refused as
};
class ApiAccess : public ApiTest, public testing::WithParamInterface<Access> {};

// Each action of alice's agent, by others: what its owner may do (above) is what they are refused here.
TEST_P(ApiAccess, ToAnAgentOfAlice) {
  const std::string id = submit_as(alice, "builder");
  const auto [uid, view, operate] = GetParam();
  for (const auto& ref : {id, std::string("builder")}) {
    const std::string path = "/v1/agents/" + ref;
    EXPECT_EQ(call(uid, "GET", path).status, view == 0 ? 200U : view);
    for (const auto* action : {"/pause", "/resume", "/terminate", "/signal", "/attach", "/exec"}) {
      if (operate == 0) continue;
      EXPECT_EQ(call(uid, "POST", path + action, "{}").status, operate) << action;
    }
    if (operate == 0) continue;
    EXPECT_EQ(call(uid, "DELETE", path).status, operate);
  }
  if (operate == 0) {
    EXPECT_EQ(call(uid, "POST", "/v1/agents/builder/terminate").status, 200U);
  }
  EXPECT_EQ(status(id), operate == 0 ? Status::stopping : Status::running);
}

constexpr unsigned no = 1000 + static_cast<unsigned>(ErrorKind::forbidden);
constexpr unsigned unseen = 1000 + static_cast<unsigned>(ErrorKind::not_found);
INSTANTIATE_TEST_SUITE_P(All, ApiAccess,
                         testing::Values(Access{root, 0, 0}, Access{bob, 0, no}, Access{viewer, 0, no},
                                         Access{outsider, unseen, unseen}, Access{stranger, no, no}));

TEST_F(ApiTest, WhoMayNotSubmitDoesNot) {
  const std::string body = R"({"command":["work"],"workspace":")" + folder.path() + R"("})";
  EXPECT_EQ(call(viewer, "POST", "/v1/agents", body.c_str(), folder.path()).status, refused_as(ErrorKind::forbidden));
  EXPECT_EQ(call(stranger, "POST", "/v1/agents", body.c_str(), folder.path()).status, refused_as(ErrorKind::forbidden));
  const std::string elsewhere = R"({"command":["work"],"tenant":"acme","workspace":")" + folder.path() + R"("})";
  EXPECT_EQ(call(outsider, "POST", "/v1/agents", elsewhere.c_str(), folder.path()).status,
            refused_as(ErrorKind::forbidden));
  EXPECT_TRUE(store.list({})->empty());
}

TEST_F(ApiTest, ListsOnlyTheTenantOfTheCaller) {
  submit_as(alice, "one");
  submit_as(outsider, "two");
  const auto mine = call(alice, "GET", "/v1/agents");
  ASSERT_EQ(mine.body.at("agents").as_array().size(), 1U);
  EXPECT_EQ(mine.body.at("agents").at(0).at("name").as_string(), "one");
  EXPECT_EQ(call(outsider, "GET", "/v1/agents?tenant=acme").status, refused_as(ErrorKind::forbidden));
  EXPECT_EQ(call(alice, "GET", "/v1/agents?status=nonsense").status, refused_as(ErrorKind::invalid));
}

TEST_F(ApiTest, ABadSubmissionTellsEveryReason) {
  const auto answer = call(alice, "POST", "/v1/agents", R"({"command":[],"nmae":"x","rows":-1,"workspace":"x"})");
  EXPECT_EQ(answer.status, 400U);
  EXPECT_EQ(answer.body.at("reasons").as_array().size(), 5U) << answer.body;
  EXPECT_EQ(answer.body.at("kind").as_string(), "invalid");
}

TEST_F(ApiTest, TheWorkspaceIsTheOneThatIsSaid) {
  const std::string body = R"({"command":["work"],"workspace":"/home/somebody/else"})";
  const auto answer = call(alice, "POST", "/v1/agents", body.c_str(), folder.path());
  EXPECT_EQ(answer.status, 400U);
  EXPECT_TRUE(store.list({})->empty());
}

TEST_F(ApiTest, PruneTakesOnlyWhatTheCallerMayRemove) {
  const std::string mine = submit_as(alice, "mine"), live = submit_as(alice, "live"), others = submit_as(bob, "others");
  for (const auto& id : {mine, others}) {
    spawner.end(id, exited(0));
    final_record(id);
  }
  const auto answer = call(alice, "POST", "/v1/prune", "{}");
  ASSERT_EQ(answer.body.at("removed").as_array().size(), 1U);
  EXPECT_EQ(answer.body.at("removed").at(0).as_string(), mine);
  EXPECT_TRUE(agents->get(live));
  EXPECT_TRUE(agents->get(others));
}

TEST_F(ApiTest, AWaitThatIsOverInTimeSaysSo) {
  const std::string id = submit_as(alice, "one");
  EXPECT_EQ(call(alice, "GET", "/v1/agents/one/wait?timeout_ms=10").status, refused_as(ErrorKind::unavailable));
  EXPECT_EQ(call(alice, "GET", "/v1/agents/one/wait?timeout_ms=soon").status, refused_as(ErrorKind::invalid));
}

TEST_F(ApiTest, EverybodyMayAskWhoTheyAre) {
  const auto me = call(stranger, "GET", "/v1/whoami");
  EXPECT_EQ(me.status, 200U);
  EXPECT_TRUE(me.body.at("tenants").as_array().empty());
  EXPECT_EQ(call(alice, "GET", "/v1/whoami").body.at("tenants").at(0).at("roles").at(0).as_string(), "operator");
  EXPECT_EQ(call(stranger, "GET", "/v1/version").body.at("api").as_string(), "v1");
  EXPECT_EQ(call(stranger, "GET", "/v1/host").status, 200U);
}

}  // namespace
}  // namespace agentos::daemon
