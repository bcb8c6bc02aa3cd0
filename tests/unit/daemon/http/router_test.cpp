#include "daemon/http/router.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "daemon/http/target.hpp"

namespace agentos::http {
namespace {

using Parameters = std::map<std::string, std::string, std::less<>>;

Router routes() {
  Router router;
  router.add("GET", "/v1/agents", {});
  router.add("POST", "/v1/agents", {});
  router.add("GET", "/v1/agents/{ref}", {});
  router.add("POST", "/v1/agents/{ref}/pause", {});
  router.add_stream("GET", "/v1/agents/{ref}/logs", {});
  return router;
}

TEST(Router, FindsLiteralAndNamedSegments) {
  const auto router = routes();
  Parameters parameters;
  auto route = router.find("POST", "/v1/agents", parameters);
  ASSERT_TRUE(route);
  EXPECT_EQ((*route)->method, "POST");
  EXPECT_TRUE(parameters.empty());
  route = router.find("GET", "/v1/agents/b%C3%A9b%C3%A9/logs", parameters);
  ASSERT_TRUE(route);
  EXPECT_EQ((*route)->pattern, "/v1/agents/{ref}/logs");
  EXPECT_EQ(parameters, (Parameters{{"ref", "bébé"}}));
}

TEST(Router, TellsNoPathFromNoMethod) {
  const auto router = routes();
  Parameters parameters;
  EXPECT_EQ(router.find("GET", "/v2/agents", parameters).error().kind(), ErrorKind::unsupported);
  EXPECT_EQ(router.methods_of("/v2/agents"), "");
  const auto wrong = router.find("DELETE", "/v1/agents", parameters);
  EXPECT_EQ(wrong.error().kind(), ErrorKind::unsupported);
  EXPECT_EQ(router.methods_of("/v1/agents"), "GET, POST");
}

TEST(Router, OddPathsAreOtherPaths) {
  const auto router = routes();
  Parameters parameters;
  EXPECT_TRUE(router.find("GET", "/v1/agents/a", parameters));
  for (const char* path :
       {"/v1/agents/", "//v1/agents", "/v1//agents", "/v1/agents/a/", "/v1/agents/a/../b", "/V1/agents", "/v1/agents/%",
        "/v1/agents/%4", "/v1/agents/%00", "/v1/agents/%ff", "/v1/%61gents", ""}) {
    EXPECT_FALSE(router.find("GET", path, parameters)) << path;
  }
  // An encoded slash is part of the name: it reaches no other route.
  const auto route = router.find("GET", "/v1/agents/a%2Flogs", parameters);
  ASSERT_TRUE(route);
  EXPECT_EQ((*route)->pattern, "/v1/agents/{ref}");
  EXPECT_EQ(parameters.at("ref"), "a/logs");
}

TEST(Target, SplitsPathAndQuery) {
  const auto target = parse_target("/v1/agents?tenant=acme&all&since=2026-01-01T00:00:00+01:00&x=%26%3D&");
  ASSERT_TRUE(target);
  EXPECT_EQ(target->path, "/v1/agents");
  EXPECT_EQ(target->query,
            (Parameters{{"tenant", "acme"}, {"all", ""}, {"since", "2026-01-01T00:00:00+01:00"}, {"x", "&="}}));
}

TEST(Target, RefusesWhatTwoReadersMayUnderstandDifferently) {
  EXPECT_TRUE(parse_target("/?a=1&b=2"));
  for (const char* target : {"", "*", "http://host/v1", "v1", "/?a=1&a=2", "/?a=%zz", "/?%=1", "/?a=%00", "/?a=%c0%80",
                             "/?a=%ed%a0%80", "/?a=%f4%90%80%80"}) {
    EXPECT_FALSE(parse_target(target)) << target;
  }
}

}  // namespace
}  // namespace agentos::http
