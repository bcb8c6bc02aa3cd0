#include "daemon/api.hpp"

#include <fstream>

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "agentos/base/text.hpp"
#include "daemon/audit.hpp"
#include "daemon/openapi/openapi.hpp"
#include "fakes/memory_journal.hpp"
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
  PolicyFolders folders{folder.path() + "/policies", folder.path() + "/tenants", folder.path() + "/profiles"};
  Policies policies = [this] {
    for (const auto& made : {folders.policies, folders.tenants, folders.profiles})
      std::filesystem::create_directory(made);
    write(folders.profiles + "/default.yaml", "version: 1\nfilesystem: {workspace: bind}\n");
    return Policies(folders);
  }();
  int reloads{};
  fakes::MemoryJournal journal{daemon_context->get_executor()};
  Api api{*agents,
          spawner,
          events,
          *log_watch,
          policies,
          [this] { static_cast<void>(policies.reload()), ++reloads; },
          std::make_shared<const config::Config>(test_config()),
          journal};
  http::Router router;

  ApiTest() {
    http::Router plain;
    api.add_routes(plain);
    router = audited(plain, journal);
  }

  static void write(const std::string& path, const std::string& text) { std::ofstream(path) << text; }

  struct Answer {
    unsigned status{};
    boost::json::value body;
    bool has_fd{};
  };

  Answer call(uid_t uid, std::string method, const std::string& target, const char* body = nullptr,
              std::string workspace = {}, const std::vector<std::string>& granted = {}) {
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
    for (const auto& path : granted) request.fds.emplace_back(::open(path.c_str(), O_PATH | O_CLOEXEC));
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

// Text that was cut is whole characters all the same: a client's JSON reader would refuse the answer otherwise.
TEST_F(ApiTest, AnswersAreUtf8WhereverTextWasCut) {
  std::string name(63, 'x');
  name += "\u00e9";
  const auto good = [](const Answer& answer) {
    const auto text = boost::json::serialize(answer.body);
    return text.find("x\\\\xc3") != std::string::npos && is_utf8(text);
  };
  const auto body = [&](const std::string& member) {
    return "{" + member + R"(,"workspace":")" + folder.path() + "\"}";
  };
  for (const auto& member : {R"("command":["a"],"name":")" + name + '"', R"("command":["a"],"type":")" + name + '"',
                             R"("command":["a"],")" + name + R"(":1)"}) {
    const auto answer = call(alice, "POST", "/v1/agents", body(member).c_str(), folder.path());
    EXPECT_EQ(answer.status, 400U);
    EXPECT_TRUE(good(answer)) << answer.body;
  }
  const auto listed = call(alice, "GET", "/v1/agents?status=" + name);
  EXPECT_EQ(listed.status, refused_as(ErrorKind::invalid));
  EXPECT_THAT(std::string(listed.body.as_string()), testing::HasSubstr("\\xc3' is no status"));
}

// The folder's name is no UTF-8, and the caller names another.
TEST_F(ApiTest, AWorkspaceOfAnotherNameIsShownSafely) {
  const std::string odd = folder.path() + "/\xff\x1b[2J";
  std::filesystem::create_directory(odd);
  const auto answer = call(alice, "POST", "/v1/agents", R"({"command":["work"],"workspace":"/home/somebody"})", odd);
  EXPECT_EQ(answer.status, 400U);
  EXPECT_THAT(std::string(answer.body.at("detail").as_string()), testing::HasSubstr("/\\xff\\x1b[2J, not /home"));
}

TEST_F(ApiTest, ATimeFarAwayIsATime) {
  for (const char* since : {"0000-01-01T00:00:00Z", "9999-12-31T23:59:59Z"})
    EXPECT_EQ(call(root, "GET", std::string("/v1/audit?since=") + since).status, 200U);
}

// Whoever fills a request with control characters, which take six bytes each in JSON, is recorded like anybody.
TEST_F(ApiTest, NoTextMakesARecordTooLong) {
  const std::string long_text(4000, '\x01');
  static_cast<void>(call(stranger, "POST", "/v1/agents/" + long_text + "/pause?tenant=" + long_text));
  ASSERT_EQ(journal.records.size(), 1U);
  const auto& entry = journal.records[0].entry;
  EXPECT_LT(entry.body.size(), AuditEntry::body_max);
  EXPECT_EQ(boost::json::parse(entry.body).at("uid").to_number<uid_t>(), stranger);
}

TEST_F(ApiTest, AReasonHasALength) {
  const std::string id = submit_as(alice, "builder");
  const auto reason = [](std::size_t size) { return R"({"reason":")" + std::string(size, 'r') + "\"}"; };
  EXPECT_EQ(call(alice, "POST", "/v1/agents/" + id + "/terminate", reason(4097).c_str()).status, 400U);
  EXPECT_EQ(call(alice, "POST", "/v1/agents/" + id + "/terminate", reason(4096).c_str()).status, 200U);
}

// What changes something, and what is forbidden, is recorded with who it was; questions are not.
TEST_F(ApiTest, CallsLeaveRecords) {
  const std::string id = submit_as(alice, "builder");
  ASSERT_EQ(journal.records.size(), 1U);
  EXPECT_EQ(journal.records[0].entry.kind, audit_kind::api_call);
  EXPECT_EQ(journal.records[0].entry.tenant, "acme");
  EXPECT_EQ(journal.records[0].entry.agent, id);
  EXPECT_EQ(boost::json::parse(journal.records[0].entry.body).at("uid").to_number<uid_t>(), alice);
  EXPECT_EQ(call(alice, "GET", "/v1/agents/builder").status, 200U);
  EXPECT_EQ(journal.records.size(), 1U);
  EXPECT_EQ(call(bob, "POST", "/v1/agents/builder/pause").status, refused_as(ErrorKind::forbidden));
  ASSERT_EQ(journal.records.size(), 2U);
  EXPECT_EQ(journal.records[1].entry.kind, audit_kind::api_refused);
  EXPECT_EQ(boost::json::parse(journal.records[1].entry.body).at("status").to_number<int>(), 403);
  spawner.end(id, exited(0));
}

TEST_F(ApiTest, AuditIsSeenByTenant) {
  journal.append({"agent.status", "acme", "a0123456789ab", "{}"});
  journal.append({"agent.status", "other", "a0123456789ac", "{}"});
  journal.append({"daemon.started", "", "", "{}"});
  const auto shown_to = [&](uid_t uid) { return call(uid, "GET", "/v1/audit").body.at("records").as_array(); };
  ASSERT_EQ(shown_to(viewer).size(), 1U);
  EXPECT_EQ(shown_to(viewer)[0].at("tenant").as_string(), "acme");
  ASSERT_EQ(shown_to(outsider).size(), 1U);
  EXPECT_EQ(shown_to(outsider)[0].at("tenant").as_string(), "other");
  EXPECT_EQ(call(stranger, "GET", "/v1/audit").status, refused_as(ErrorKind::forbidden));
  EXPECT_EQ(call(root, "GET", "/v1/audit?all=true").status, refused_as(ErrorKind::forbidden)) << "no admin of 'other'";
  auto both = test_config();
  both.tenants[1].members(config::Role::admin).users = {root};
  api.use(std::make_shared<const config::Config>(both));
  EXPECT_GE(call(root, "GET", "/v1/audit?all=true").body.at("records").as_array().size(), 3U);
  EXPECT_EQ(call(viewer, "GET", "/v1/audit?all=true").status, refused_as(ErrorKind::forbidden));
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

TEST_F(ApiTest, AnAgentIsHeldToItsPolicy) {
  write(folders.tenants + "/acme.yaml", "version: 1\nresources: {memory: 1GiB}\n");
  static_cast<void>(policies.reload());
  const auto submit = [&](const std::string& more) {
    const std::string body = R"({"command":["work"],"workspace":")" + folder.path() + "\"" + more + "}";
    return call(alice, "POST", "/v1/agents", body.c_str(), folder.path());
  };
  const auto greedy = submit(R"(,"limits":{"memory_max":2147483648})");
  EXPECT_EQ(greedy.status, 400U);
  EXPECT_THAT(std::string(greedy.body.at("reasons").at(0).as_string()),
              testing::HasSubstr("--memory: resources.memory 2GiB is more than 1GiB, which is the most ("));
  const auto held = submit("");
  ASSERT_EQ(held.status, 201U) << held.body;
  EXPECT_EQ(held.body.at("policy").as_string(), "default");
  EXPECT_EQ(held.body.at("limits").at("memory_max").to_number<std::uint64_t>(), 1ULL << 30U);
  EXPECT_EQ(held.body.at("workspace").at("mode").as_string(), "overlay");
  EXPECT_EQ(submit(R"(,"policy":"nowhere")").status, 404U);
  EXPECT_EQ(submit(R"(,"policy_file":{"name":"m","text":"version: 2"})").status, 400U);
  EXPECT_EQ(submit(R"(,"policy_file":{"name":"m","text":"version: 1\nresources: {memory: 64MiB}"})").status, 201U);
}

TEST_F(ApiTest, NamesTheVariablesThatThePolicyLetsIn) {
  write(folders.policies + "/default.yaml", "version: 1\nenvironment: {pass: [KEY, \"X_*\"]}\n");
  static_cast<void>(policies.reload());
  const auto submit = [&](const std::string& more) {
    const std::string body = R"({"command":["work"],"workspace":")" + folder.path() + "\"" + more + "}";
    return call(alice, "POST", "/v1/agents", body.c_str(), folder.path());
  };
  const auto asked = submit(R"(,"offers_environment":true)");
  EXPECT_EQ(asked.status, 200U);
  EXPECT_EQ(asked.body, boost::json::parse(R"({"pass":["KEY"],"grants":[]})"));
  EXPECT_EQ(submit(R"(,"env":{"KEY":"v","X_A":"w"})").status, 201U);
  const auto other = submit(R"(,"env":{"OTHER":"v"})");
  EXPECT_EQ(other.status, 403U);
  EXPECT_THAT(std::string(other.body.at("detail").as_string()), testing::HasSubstr("'OTHER' may not enter"));
}

// The policy grants two folders, the second if it is there; the caller is told, and sends a descriptor for each.
TEST_F(ApiTest, AsksForWhatThePolicyGrantsAndTakesNothingElse) {
  const std::string one = folder.path() + "/one", two = folder.path() + "/two", link = folder.path() + "/link";
  for (const auto& made : {one, two, folder.path() + "/work"}) std::filesystem::create_directory(made);
  std::filesystem::create_symlink(two, link);
  const auto grant = [&](const std::string& lists) {
    write(folders.policies + "/default.yaml", "version: 1\nfilesystem: {" + lists + "}\n");
    static_cast<void>(policies.reload());
  };
  grant("read_write: [" + one + "], read_only: ['" + two + "?']");
  const auto submit = [&](const std::string& more, const std::vector<std::string>& granted = {}) {
    const std::string body = R"({"command":["work"],"workspace":")" + folder.path() + "/work\"" + more + "}";
    return call(alice, "POST", "/v1/agents", body.c_str(), folder.path() + "/work", granted);
  };
  const auto named = [](const std::vector<std::string>& paths) {
    std::string list;
    for (const auto& path : paths) list += (list.empty() ? "\"" : ",\"") + path + "\"";
    return ",\"grants\":[" + list + "]";
  };
  const auto asked = submit(R"(,"offers_grants":true)");
  ASSERT_EQ(asked.status, 200U) << asked.body;
  const auto& grants = asked.body.at("grants").as_array();
  ASSERT_EQ(grants.size(), 2U);
  EXPECT_EQ(grants[0].at("path").as_string(), one);
  EXPECT_TRUE(grants[0].at("write").as_bool());
  EXPECT_EQ(grants[0].at("at").as_string(), folders.policies + "/default.yaml:2:27");
  EXPECT_TRUE(grants[1].at("optional").as_bool());

  EXPECT_EQ(submit(named({one, two}), {one, two}).status, 201U);
  EXPECT_EQ(submit(named({one}), {one}).status, 201U);
  for (const auto& refused : {submit(""), submit(named({two}), {two})}) {
    EXPECT_EQ(refused.status, 409U) << refused.body;
    EXPECT_THAT(std::string(refused.body.at("detail").as_string()), testing::HasSubstr(one + "' was not opened"));
  }
  EXPECT_EQ(submit(named({one, two}), {one}).status, 400U);
  EXPECT_EQ(submit(named({one}), {one, two}).status, 400U);
  EXPECT_EQ(submit(named({two, one}), {two, one}).status, 409U);
  const auto exchanged = submit(named({one}), {two});
  EXPECT_EQ(exchanged.status, 400U);
  EXPECT_THAT(std::string(exchanged.body.at("detail").as_string()), testing::HasSubstr("what was opened is '" + two));

  // The policy changes between the question and the start.
  grant("read_only: [" + two + "]");
  const auto late = submit(named({one}), {one});
  EXPECT_EQ(late.status, 409U);
  EXPECT_THAT(std::string(late.body.at("hint").as_string()), testing::HasSubstr("try again"));
  grant("hidden: [./x]");
  EXPECT_EQ(submit(named({two}), {two}).status, 409U);
  grant("read_only: [" + link + "]");
  EXPECT_EQ(submit(named({link}), {link}).status, 400U) << "a descriptor that a link led to";
}

TEST_F(ApiTest, PoliciesAreShownToWhoHasARoleAndReloadedByAdmins) {
  for (const uid_t uid : {root, alice, viewer}) {
    EXPECT_EQ(call(uid, "GET", "/v1/policies").body.at("policies").at(0).at("state").as_string(), "good");
    EXPECT_EQ(call(uid, "GET", "/v1/policies/default").status, 200U);
  }
  EXPECT_EQ(call(stranger, "GET", "/v1/policies").status, refused_as(ErrorKind::forbidden));
  EXPECT_EQ(call(stranger, "POST", "/v1/policies/check", R"({"name":"m","text":""})").status,
            refused_as(ErrorKind::forbidden));
  EXPECT_EQ(call(alice, "POST", "/v1/policies/reload").status, refused_as(ErrorKind::forbidden));
  EXPECT_EQ(reloads, 0);
  EXPECT_EQ(call(root, "POST", "/v1/policies/reload").body.at("policies").to_number<int>(), 1);
  EXPECT_EQ(reloads, 1);
  const auto checked = call(alice, "POST", "/v1/policies/check", R"({"name":"m","text":"version: 2\ncolour: red\n"})");
  EXPECT_FALSE(checked.body.at("good").as_bool());
  EXPECT_EQ(checked.body.at("errors").as_array().size(), 2U);
  const auto diff = call(alice, "POST", "/v1/policies/diff",
                         R"({"from":{"name":"default"},"to":{"name":"m","file":true,"text":"version: 1"}})");
  EXPECT_EQ(diff.body.at("differences").as_array().size(), 1U);
}

TEST_F(ApiTest, WhyIsAnsweredFromThePlan) {
  write(folders.policies + "/default.yaml", "version: 1\nfilesystem: {hidden: [./.env], workspace: bind}\n");
  static_cast<void>(policies.reload());
  spawner.facts = {};
  spawner.facts.cgroup_root = spawner.facts.slice = slice;
  spawner.facts.cgroup_kill = spawner.facts.cgroup_freeze = spawner.facts.clone_into_cgroup = true;
  spawner.facts.user_namespace = spawner.facts.seccomp_filter = spawner.facts.id_mapped_mounts = spawner.facts.overlay =
      true;
  const auto why = [&](const std::string& question) {
    return call(alice, "POST", "/v1/why", ("{\"workspace\":\"/home/alice/w\"," + question + "}").c_str());
  };
  const auto hidden = why(R"("path":"./.env","op":"read")");
  ASSERT_EQ(hidden.status, 200U) << hidden.body;
  EXPECT_FALSE(hidden.body.at("allowed").as_bool());
  EXPECT_EQ(hidden.body.at("at").as_string(), folders.policies + "/default.yaml:2:23");
  EXPECT_TRUE(why(R"("path":"/usr/bin/env","op":"exec")").body.at("allowed").as_bool());
  EXPECT_FALSE(why(R"("syscall":"165")").body.at("allowed").as_bool());
  for (const char* bad : {R"("path":"x")", R"("path":"x","op":"see")", R"("syscall":"nothing")", R"("op":"read")",
                          R"("path":"/../..","op":"read")"}) {
    EXPECT_EQ(why(bad).status, 400U) << bad;
  }
  const auto id = submit_as(alice, "asked");
  write(folders.policies + "/default.yaml", "version: 1\n");
  static_cast<void>(policies.reload());
  EXPECT_FALSE(why(R"("path":"./.env","op":"read","agent":"asked")").body.at("allowed").as_bool());
  EXPECT_TRUE(why(R"("path":"./.env","op":"read")").body.at("allowed").as_bool());
  const auto explained = call(alice, "POST", "/v1/policies/explain", R"({"workspace":"/home/alice/w"})");
  ASSERT_EQ(explained.status, 200U) << explained.body;
  EXPECT_THAT(std::string(explained.body.at("plan").as_string()), testing::HasSubstr("workspace /home/alice/w"));
}

}  // namespace
}  // namespace agentos::daemon
