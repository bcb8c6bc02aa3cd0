#include "daemon/config/access.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace agentos::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr uid_t other_user = 9999;

http::Peer peer(uid_t uid, gid_t gid = 5000, std::vector<gid_t> groups = {}) {
  return {uid, gid, 1, std::move(groups)};
}

// In tenant a user 10 + n has role n alone; tenant b belongs to other people.
Config example() {
  Config config;
  Tenant a{"a", {}};
  for (const Role role : all_roles) a.members(role).users = {10U + static_cast<uid_t>(role)};
  Tenant b{"b", {}};
  b.members(Role::admin).users = {100};
  config.tenants = {std::move(a), std::move(b)};
  return config;
}

http::Peer holder(Role role) {
  return peer(10U + static_cast<uid_t>(role));
}

enum class Agent { own, others };
struct Row {
  Role role;
  Permission permission;
  Agent agent;
  bool allowed;
};
using enum Permission;
constexpr std::array rows{
    Row{Role::viewer, view, Agent::own, true},       Row{Role::viewer, view, Agent::others, true},
    Row{Role::viewer, submit, Agent::own, false},    Row{Role::viewer, submit, Agent::others, false},
    Row{Role::viewer, operate, Agent::own, false},   Row{Role::viewer, operate, Agent::others, false},
    Row{Role::approver, view, Agent::own, true},     Row{Role::approver, view, Agent::others, true},
    Row{Role::approver, submit, Agent::own, false},  Row{Role::approver, submit, Agent::others, false},
    Row{Role::approver, operate, Agent::own, false}, Row{Role::approver, operate, Agent::others, false},
    Row{Role::operator_, view, Agent::own, true},    Row{Role::operator_, view, Agent::others, true},
    Row{Role::operator_, submit, Agent::own, true},  Row{Role::operator_, submit, Agent::others, true},
    Row{Role::operator_, operate, Agent::own, true}, Row{Role::operator_, operate, Agent::others, false},
    Row{Role::admin, view, Agent::own, true},        Row{Role::admin, view, Agent::others, true},
    Row{Role::admin, submit, Agent::own, true},      Row{Role::admin, submit, Agent::others, true},
    Row{Role::admin, operate, Agent::own, true},     Row{Role::admin, operate, Agent::others, true},
};
static_assert(rows.size() == all_roles.size() * 3 * 2);

TEST(Access, EveryRolePermissionAndOwner) {
  const auto config = example();
  for (const auto& row : rows) {
    const auto caller = holder(row.role);
    const auto owner = row.agent == Agent::own ? caller.uid : other_user;
    const auto decision = may(config, caller, row.permission, "a", owner);
    EXPECT_EQ(decision.allowed, row.allowed)
        << name(row.role) << " " << static_cast<int>(row.permission) << " of " << owner;
    if (row.allowed) continue;
    EXPECT_EQ(decision.kind, ErrorKind::forbidden);
    EXPECT_FALSE(decision.reason.empty());
    EXPECT_FALSE(decision.hint.empty());
  }
}

TEST(Access, AnotherTenantsAgentDoesNotExist) {
  const auto config = example();
  const auto nowhere = may(config, peer(100), view, "nowhere", 100);
  for (const Role role : all_roles) {
    for (const Permission permission : {view, submit, operate}) {
      // Not even for an agent that carries the caller's own uid.
      const auto decision = may(config, holder(role), permission, "b", holder(role).uid);
      EXPECT_FALSE(decision.allowed);
      EXPECT_EQ(decision.kind, ErrorKind::not_found);
      EXPECT_EQ(decision.reason, nowhere.reason) << "a tenant that exists must look like one that does not";
    }
  }
  EXPECT_TRUE(may(config, peer(100), operate, "b", other_user).allowed);
}

TEST(Access, RootIsNobodySpecial) {
  EXPECT_FALSE(may(example(), peer(0, 0), view, "a", 0).allowed);
  auto config = example();
  config.tenants[0].members(Role::viewer).users.push_back(0);
  EXPECT_TRUE(may(config, peer(0, 0), view, "a", 0).allowed);
}

TEST(Access, AnOwnerIsNeededToOperateAsOperator) {
  EXPECT_FALSE(may(example(), holder(Role::operator_), operate, "a").allowed);
  EXPECT_TRUE(may(example(), holder(Role::admin), operate, "a").allowed);
}

TEST(Access, NothingConfiguredAllowsNothing) {
  for (const Permission permission : {view, submit, operate})
    EXPECT_FALSE(may({}, peer(0, 0), permission, "a", 0).allowed);
  EXPECT_FALSE(Decision{}.allowed);
  EXPECT_FALSE(may(example(), holder(Role::admin), static_cast<Permission>(200), "a").allowed);
}

TEST(Access, GroupsCountPrimaryAndSupplementary) {
  Config config;
  config.tenants.push_back({"a", {}});
  config.tenants[0].members(Role::operator_).groups = {77};
  EXPECT_FALSE(may(config, peer(1, 5, {6}), submit, "a").allowed);
  EXPECT_FALSE(may(config, peer(77, 5, {6}), submit, "a").allowed);  // a uid is not a gid
  EXPECT_TRUE(may(config, peer(1, 77), submit, "a").allowed);
  EXPECT_TRUE(may(config, peer(1, 5, {6, 77}), submit, "a").allowed);
}

TEST(Access, RolesAddUp) {
  auto config = example();
  config.tenants[1].members(Role::viewer).users = {13};
  config.tenants[0].members(Role::approver).users.push_back(13);
  const auto roles = roles_of(config, holder(Role::admin));
  ASSERT_EQ(roles.size(), 2U);
  EXPECT_EQ(roles[0].tenant, "a");
  EXPECT_THAT(roles[0].roles, ElementsAre(Role::approver, Role::admin));
  EXPECT_EQ(roles[1].tenant, "b");
  EXPECT_THAT(roles[1].roles, ElementsAre(Role::viewer));
  EXPECT_TRUE(roles_of(config, peer(4711)).empty());
}

TEST(TenantFor, IsTheOneAskedForOrTheFirst) {
  auto config = example();
  config.tenants[1].members(Role::viewer).users = {13, 55};
  EXPECT_EQ(*tenant_for(config, peer(13), std::nullopt), "a");
  EXPECT_EQ(*tenant_for(config, peer(13), "b"), "b");
  EXPECT_EQ(*tenant_for(config, peer(55), std::nullopt), "b");
}

TEST(TenantFor, SaysWhatToAddToWhoHasNoRole) {
  const auto none = tenant_for(example(), peer(4711), std::nullopt);
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().kind(), ErrorKind::forbidden);
  EXPECT_THAT(none.error().message(), HasSubstr("user 4711"));
  EXPECT_THAT(none.error().hint(), HasSubstr("operator: {users: [\"4711\"]}"));
  const auto other = tenant_for(example(), peer(13), "b");
  const auto missing = tenant_for(example(), peer(13), "c");
  EXPECT_EQ(other.error().kind(), ErrorKind::forbidden);
  EXPECT_EQ(missing.error().kind(), ErrorKind::forbidden);
  EXPECT_EQ(missing.error().message(), "user 13 has no role in tenant 'c'");
  EXPECT_EQ(other.error().message(), "user 13 has no role in tenant 'b'");
}

}  // namespace
}  // namespace agentos::config
