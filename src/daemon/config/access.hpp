#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agentos/base/result.hpp"
#include "daemon/config/config.hpp"
#include "daemon/http/peer.hpp"

// Who may do what. Pure; denies by default. Root is nobody special: the configuration gives it its roles.
namespace agentos::config {

struct TenantRoles {
  std::string tenant;
  std::vector<Role> roles;  // at least one
};
// The tenants in which the caller has a role, in the order of the file.
[[nodiscard]] std::vector<TenantRoles> roles_of(const Config& config, const http::Peer& peer);

enum class Permission : std::uint8_t {
  view,        // list, inspect, wait, events: every role
  submit,      // a new agent: operator, admin
  administer,  // what concerns the host's policies: admin
  operate,     // pause, resume, terminate, signal, attach, exec, logs, rm: operator on its own agents, admin on all
};

struct Decision {
  bool allowed{false};
  // Of a refusal. not_found: the caller has no role in the tenant, so answer exactly as if the agent did not exist.
  // Else forbidden.
  ErrorKind kind{ErrorKind::not_found};
  std::string reason;
  std::string hint;
};

// `owner`: the uid that submitted the agent; none for submit.
[[nodiscard]] Decision may(const Config& config, const http::Peer& peer, Permission permission, std::string_view tenant,
                           std::optional<uid_t> owner = {});

// The tenant that a request is about: `asked`, or the first of the file in which the caller has a role. forbidden when
// the caller has no role there (the same answer for tenants that do not exist), with what to add to the configuration.
[[nodiscard]] Result<std::string> tenant_for(const Config& config, const http::Peer& peer,
                                             std::optional<std::string_view> asked);

}  // namespace agentos::config
