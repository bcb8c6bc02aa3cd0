#include "daemon/config/access.hpp"

#include <algorithm>

#include "agentos/base/text.hpp"

namespace agentos::config {
namespace {

bool is_member(const Members& members, const http::Peer& peer) {
  const auto has = [](const auto& list, auto id) { return std::ranges::find(list, id) != list.end(); };
  if (has(members.users, peer.uid) || has(members.groups, peer.gid)) return true;
  return std::ranges::any_of(peer.groups, [&](gid_t group) { return has(members.groups, group); });
}

std::vector<Role> roles_in(const Tenant& tenant, const http::Peer& peer) {
  std::vector<Role> roles;
  for (const Role role : all_roles) {
    if (is_member(tenant.members(role), peer)) roles.push_back(role);
  }
  return roles;
}

std::string what_to_add(const http::Peer& peer) {
  return "an administrator gives you one in /etc/agentos/agentos.yaml: below a tenant's roles, operator: {users: [\"" +
         std::to_string(peer.uid) + "\"]}, then reloads agentosd";
}

Decision forbid(std::string reason, std::string hint) {
  return {false, ErrorKind::forbidden, std::move(reason), std::move(hint)};
}

}  // namespace

std::vector<TenantRoles> roles_of(const Config& config, const http::Peer& peer) {
  std::vector<TenantRoles> all;
  for (const auto& tenant : config.tenants) {
    if (auto roles = roles_in(tenant, peer); !roles.empty()) all.push_back({tenant.name, std::move(roles)});
  }
  return all;
}

Decision may(const Config& config, const http::Peer& peer, Permission permission, std::string_view tenant,
             std::optional<uid_t> owner) {
  const Tenant* found = config.tenant(tenant);
  const auto roles = found ? roles_in(*found, peer) : std::vector<Role>();
  if (roles.empty()) return {};
  const auto has = [&](Role role) { return std::ranges::find(roles, role) != roles.end(); };
  const std::string where = "in tenant '" + printable(tenant) + "'";
  Decision allow{true, {}, {}, {}};
  switch (permission) {
    case Permission::view:
      return allow;
    case Permission::submit:
      if (has(Role::operator_) || has(Role::admin)) return allow;
      return forbid("starting agents " + where + " takes the role operator or admin", what_to_add(peer));
    case Permission::administer:
      if (has(Role::admin)) return allow;
      return forbid("this takes the role admin " + where, what_to_add(peer));
    case Permission::operate:
      if (has(Role::admin)) return allow;
      if (!has(Role::operator_)) return forbid("this takes the role operator or admin " + where, what_to_add(peer));
      if (owner && *owner == peer.uid) return allow;
      return forbid("this agent is another user's: only its owner and admins " + where + " may do this",
                    "ask one of them");
  }
  return {};
}

Result<std::string> tenant_for(const Config& config, const http::Peer& peer, std::optional<std::string_view> asked) {
  const auto all = roles_of(config, peer);
  if (!asked) {
    if (!all.empty()) return all.front().tenant;
    return fail(ErrorKind::forbidden, "user " + std::to_string(peer.uid) + " has no role in any tenant",
                what_to_add(peer));
  }
  if (std::ranges::find(all, *asked, &TenantRoles::tenant) != all.end()) return std::string(*asked);
  return fail(ErrorKind::forbidden,
              "user " + std::to_string(peer.uid) + " has no role in tenant '" + printable(*asked) + "'",
              what_to_add(peer));
}

}  // namespace agentos::config
