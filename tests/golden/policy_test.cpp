#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

#include "golden.hpp"
#include "policy/compose.hpp"
#include "policy/explain.hpp"
#include "policy/parse.hpp"

// What an administrator reads: the message of each class of error, and a policy explained.
namespace agentos::policy {
namespace {

using golden::expect_golden;

std::string read(const std::string& name) {
  std::ifstream file(AGENTOS_GOLDEN_DATA "/" + name);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

// The samples of policy-errors.yaml, each below a line "# === WHAT", with what the parser says to it.
TEST(GoldenPolicyErrors, EveryClassHasItsMessage) {
  std::istringstream samples(read("policy-errors.yaml"));
  std::string what, yaml, all;
  const auto judge = [&] {
    if (what.empty()) return;
    const auto parsed = parse(yaml, "p.yaml", what.starts_with("tenant:") ? Kind::tenant : Kind::policy);
    EXPECT_FALSE(parsed) << what;
    all += "=== " + what + "\n" + (parsed ? "accepted" : text(parsed.error(), "p.yaml")) + "\n";
  };
  for (std::string line; std::getline(samples, line);) {
    if (line.starts_with("# === ")) {
      judge();
      what = line.substr(6);
      yaml.clear();
    } else {
      yaml += line + "\n";
    }
  }
  judge();
  expect_golden("policy-errors.txt", all);
}

std::string explained(const Policy& policy) {
  std::string all;
  for (const auto& [key, value, origin] : lines(policy)) all += key + ": " + value + " (" + origin.text() + ")\n";
  return all;
}

TEST(GoldenPolicy, Explained) {
  const auto admin = parse(read("policy-admin.yaml"), "/etc/agentos/policies/build.yaml");
  const auto tenant = parse(read("policy-tenant.yaml"), "/etc/agentos/tenants/acme.yaml", Kind::tenant);
  const auto user = parse(read("policy-user.yaml"), "mine.yaml");
  ASSERT_TRUE(admin && tenant && user);
  Limits limits;
  limits.pids_max = 64;
  const auto all = compose(std::vector<Policy>{*admin, *tenant}, std::vector<Policy>{*user, asked_for(limits)});
  ASSERT_TRUE(all) << all.error().message();
  expect_golden("policy-explained.txt", explained(*all));
}

TEST(GoldenPolicy, Refused) {
  const auto tenant = parse(read("policy-tenant.yaml"), "/etc/agentos/tenants/acme.yaml", Kind::tenant);
  const auto greedy = parse(read("policy-greedy.yaml"), "greedy.yaml");
  ASSERT_TRUE(tenant && greedy);
  const auto admin = parse("version: 1\nfilesystem: {read_only: [/srv/data]}\n", "/etc/agentos/policies/build.yaml");
  const auto all = compose(std::vector<Policy>{*admin, *tenant}, std::vector<Policy>{*greedy});
  ASSERT_FALSE(all);
  expect_golden("policy-refused.txt", all.error().message() + "\nhint: " + all.error().hint() + "\n");
}

}  // namespace
}  // namespace agentos::policy
