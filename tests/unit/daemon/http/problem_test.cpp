#include "daemon/http/problem.hpp"

#include <cerrno>

#include <boost/json/serialize.hpp>
#include <gtest/gtest.h>

namespace agentos::http {
namespace {

TEST(Problem, EveryKindOfErrorHasItsStatus) {
  const std::vector<std::pair<ErrorKind, unsigned>> rows{
      {ErrorKind::internal, 500},  {ErrorKind::invalid, 400},     {ErrorKind::not_found, 404},
      {ErrorKind::exists, 409},    {ErrorKind::forbidden, 403},   {ErrorKind::conflict, 409},
      {ErrorKind::exhausted, 429}, {ErrorKind::unavailable, 503}, {ErrorKind::unsupported, 422}};
  for (const auto& [kind, status] : rows) {
    EXPECT_EQ(status_of(Error(kind, "x")), status) << name(kind);
    EXPECT_NE(phrase_of(status), "Status") << status;
  }
  EXPECT_EQ(status_of(Error::from_errno(ENOSPC, "write")), 507U);
  EXPECT_EQ(status_of(Error::from_errno(EDQUOT, "write")), 507U);
  EXPECT_EQ(status_of(Error::from_errno(EMFILE, "open")), 429U);
}

TEST(Problem, CarriesDetailHintAndKind) {
  const auto response = problem_response(Error(ErrorKind::exists, "the name 'a' is taken", "choose another"));
  EXPECT_EQ(response.status, 409U);
  EXPECT_EQ(
      boost::json::serialize(response.body),
      R"({"type":"about:blank","title":"Conflict","status":409,"detail":"the name 'a' is taken","hint":"choose another","kind":"exists"})");
}

TEST(Problem, WithoutAHintThereIsNone) {
  EXPECT_FALSE(problem(Error(ErrorKind::invalid, "x"), 413).contains("hint"));
  EXPECT_EQ(problem(Error(ErrorKind::invalid, "x"), 413).at("status").as_uint64(), 413U);
}

}  // namespace
}  // namespace agentos::http
