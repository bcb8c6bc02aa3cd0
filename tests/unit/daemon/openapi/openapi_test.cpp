#include "daemon/openapi/openapi.hpp"

#include <set>
#include <string>

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "daemon/http/problem.hpp"
#include "validator.hpp"

namespace agentos::openapi {
namespace {

namespace json = boost::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const json::value agent = json::parse(R"({
  "id": "a0123456789ab", "name": "builder", "type": "command", "tenant": "default", "owner": {"uid": 1000}, "goal": "",
  "status": "completed", "reason": "", "command": ["make"], "policy": "default",
  "workspace": {"path": "/home/a/w", "mode": "bind", "changed": null, "quota": null},
  "limits": {"memory_max": 1048576}, "capabilities": [], "budget": {},
  "sandbox": {"level": "container", "uid_base": 1000000, "cgroup": "/agentos.slice/x", "not_enforced": []},
  "pid": null, "tty": false, "exit_code": 0, "signal": null, "created": "2026-11-23T15:28:03.001Z",
  "updated": "2026-11-23T15:28:04.000Z", "started": "2026-11-23T15:28:03.002Z", "ended": null,
  "usage": {"cpu_usec": 1, "memory_current": null, "memory_peak": 5, "pids_current": null,
    "activity": null}})");

json::value agent_with(std::string_view key, json::value value) {
  json::value copy = agent;
  copy.as_object()[key] = std::move(value);
  return copy;
}

std::vector<std::string> check(std::string method, std::string path, unsigned status, json::value body) {
  Validator validator(document());
  return validator.check({std::move(method), std::move(path), status, std::move(body), false, {}});
}

// Every {"$ref": ...} of the description.
void references(const json::value& value, std::set<std::string>& found) {
  if (const auto* object = value.if_object()) {
    for (const auto& item : *object) {
      if (item.key() == "$ref") found.emplace(item.value().as_string());
      references(item.value(), found);
    }
  } else if (const auto* array = value.if_array()) {
    for (const auto& element : *array) references(element, found);
  }
}

TEST(Description, IsWholeAndNothingInItIsUnused) {
  std::set<std::string> used;
  references(document(), used);
  std::set<std::string> defined;
  for (const auto& kind : document().at("components").as_object()) {
    for (const auto& item : kind.value().as_object()) {
      defined.insert("#/components/" + std::string(kind.key()) + "/" + std::string(item.key()));
    }
  }
  EXPECT_EQ(used, defined);
  EXPECT_EQ(document().at("openapi").as_string(), "3.1.0");
}

TEST(Description, OperationsHaveNamesOfTheirOwn) {
  std::set<std::string> names;
  std::size_t operations = 0;
  for (const auto& path : document().at("paths").as_object()) {
    for (const auto& item : path.value().as_object()) {
      if (item.key() == "parameters") continue;
      ++operations;
      names.emplace(item.value().at("operationId").as_string());
      EXPECT_TRUE(item.value().at("responses").as_object().contains("default")) << path.key();
      const auto with_ref = [](const json::value& parameter) {
        const auto* reference = parameter.as_object().if_contains("$ref");
        return reference && reference->as_string() == "#/components/parameters/ref";
      };
      const bool takes_ref = path.key().contains("{ref}");
      const auto* shared = path.value().as_object().if_contains("parameters");
      const bool has_ref = shared && std::ranges::any_of(shared->as_array(), with_ref);
      EXPECT_EQ(takes_ref, has_ref) << path.key();
    }
  }
  EXPECT_EQ(names.size(), operations);
}

TEST(Routes, DifferencesAreFoundInBothDirections) {
  const json::value description =
      json::parse(R"({"paths": {"/a": {"parameters": [], "get": {}, "post": {}}, "/a/{b}": {"get": {}}}})");
  http::Router router;
  router.add("GET", "/a", {});
  router.add("POST", "/a", {});
  router.add_stream("GET", "/a/{b}", {});
  EXPECT_THAT(check_routes(router, description), IsEmpty());
  router.add("DELETE", "/a/{b}", {});
  EXPECT_THAT(check_routes(router, description), ElementsAre("DELETE /a/{b} is served but not described"));
  EXPECT_THAT(check_routes({}, description),
              ElementsAre("GET /a is described but not served", "GET /a/{b} is described but not served",
                          "POST /a is described but not served"));
}

TEST(Answers, AsDescribedAreAccepted) {
  EXPECT_THAT(check("GET", "/v1/agents/{ref}", 200, agent), IsEmpty());
  EXPECT_THAT(check("POST", "/v1/agents", 201, agent), IsEmpty());
  EXPECT_THAT(check("GET", "/v1/agents", 200, json::object{{"agents", {agent, agent}}}), IsEmpty());
  EXPECT_THAT(check("DELETE", "/v1/agents/{ref}", 204, nullptr), IsEmpty());
  EXPECT_THAT(check("GET", "/v1/openapi.json", 200, document()), IsEmpty());
}

TEST(Answers, OtherwiseAreRefused) {
  EXPECT_THAT(check("GET", "/v1/agents/{ref}", 200, agent_with("extra", 1)), testing::Not(IsEmpty()));
  EXPECT_THAT(check("GET", "/v1/agents/{ref}", 200, agent_with("status", "asleep")), testing::Not(IsEmpty()));
  EXPECT_THAT(check("GET", "/v1/agents/{ref}", 200, agent_with("created", "yesterday")), testing::Not(IsEmpty()));
  EXPECT_THAT(check("GET", "/v1/agents/{ref}", 200, agent_with("exit_code", 256)), testing::Not(IsEmpty()));
  EXPECT_THAT(check("GET", "/v1/agents/{ref}", 200, agent_with("limits", json::object{{"memory_max", "1G"}})),
              testing::Not(IsEmpty()));
  json::value without = agent;
  without.as_object().erase("owner");
  EXPECT_THAT(check("GET", "/v1/agents/{ref}", 200, without),
              testing::Contains(HasSubstr("<root>: Missing required property 'owner'")));
  EXPECT_THAT(check("GET", "/v1/agents", 200, json::object{{"agents", {agent, 1}}}), testing::Not(IsEmpty()));
  EXPECT_THAT(check("GET", "/v1/agents/{ref}", 202, agent), ElementsAre(HasSubstr("this status is not described")));
  EXPECT_THAT(check("DELETE", "/v1/agents/{ref}", 204, agent), ElementsAre(HasSubstr("no body")));
  EXPECT_THAT(check("PATCH", "/v1/agents/{ref}", 200, agent), ElementsAre(HasSubstr("no such operation")));
}

TEST(Answers, EveryProblemIsAsDescribed) {
  for (const auto kind :
       {ErrorKind::internal, ErrorKind::invalid, ErrorKind::not_found, ErrorKind::exists, ErrorKind::forbidden,
        ErrorKind::conflict, ErrorKind::exhausted, ErrorKind::unavailable, ErrorKind::unsupported}) {
    for (const char* hint : {"", "do this"}) {
      auto response = http::problem_response(Error(kind, "detail", hint));
      EXPECT_THAT(check("POST", "/v1/agents", response.status, response.body), IsEmpty()) << name(kind);
      response.body.as_object()["reasons"] = {"one", "two"};
      EXPECT_THAT(check("POST", "/v1/agents", response.status, response.body), IsEmpty());
      response.body.as_object()["kind"] = "other";
      EXPECT_THAT(check("POST", "/v1/agents", response.status, response.body), testing::Not(IsEmpty()));
    }
  }
}

TEST(Answers, EventsAreCheckedByName) {
  Validator validator(document());
  const json::value change = json::object{{"agent", agent}, {"from", "running"}, {"to", "completed"}};
  EXPECT_THAT(validator.check({"GET", "/v1/events", 200, change, true, "agent"}), IsEmpty());
  EXPECT_THAT(validator.check({"GET", "/v1/events", 200, agent, true, "agent"}), testing::Not(IsEmpty()));
  EXPECT_THAT(validator.check({"GET", "/v1/events", 200, change, true, "other"}),
              ElementsAre(HasSubstr("no event 'other'")));
  const json::value record = json::object{{"time", "2026-11-23T15:28:03.001Z"}, {"stream", "stdout"}, {"data", "aGkK"}};
  EXPECT_THAT(validator.check({"GET", "/v1/agents/{ref}/logs", 200, record, true, ""}), IsEmpty());
  EXPECT_THAT(validator.check({"GET", "/v1/agents/{ref}/logs", 200, json::object{}, true, "end"}), IsEmpty());
}

}  // namespace
}  // namespace agentos::openapi
