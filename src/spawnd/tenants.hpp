#pragma once

#include <sys/types.h>

#include <bitset>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "agentos/base/result.hpp"
#include "agentos/model/host_facts.hpp"
#include "agentos/model/plan.hpp"
#include "os/cgroup.hpp"

namespace agentos::spawnd {

// The cgroups of tenants and agents, and with them the ranges of host uids in use. The tree is the only record: each
// agent's cgroup carries the number of its range as the attribute trusted.agentos.range, so a restarted spawnd knows
// what is taken.
//   <cgroup2>/agentos.slice/agentos-tenant@NAME.service/AGENT
class Tenants {
 public:
  // `owner`: the user of agentosd, who may freeze, kill and weigh agents.
  Tenants(const HostFacts& facts, std::string slice, uid_t owner);

  // Reads the tree: the agents that are there, with the number of their range.
  struct Adopted {
    os::Cgroup cgroup;
    std::uint32_t range{};
  };
  [[nodiscard]] Result<std::vector<Adopted>> adopt();

  struct Place {
    os::Cgroup cgroup;
    std::string path;       // absolute
    std::uint32_t range{};  // its number
    std::uint32_t uid_base{};
  };
  // Makes the cgroup of an agent with these settings, in a range of its own; the tenant's is made (a unit: started)
  // first.
  [[nodiscard]] Result<Place> create(const Plan& plan);
  // Removes it and frees its range, which it returns. ErrorKind::conflict while it has processes; removing what is not
  // there is no error.
  [[nodiscard]] Result<std::optional<std::uint32_t>> remove(const std::string& tenant, const std::string& agent);

 private:
  [[nodiscard]] std::string tenant_path(const std::string& tenant) const;
  [[nodiscard]] Result<os::Cgroup> open_tenant(const std::string& tenant, bool create) const;
  [[nodiscard]] Result<os::Cgroup> make_tenant_tree(const std::string& tenant) const;
  [[nodiscard]] Result<std::uint32_t> take_range();

  std::string root_;
  std::string slice_;
  bool systemd_;
  uid_t owner_;
  std::vector<std::string> controllers_;
  std::bitset<UidPool::slots> taken_;
  std::uint32_t next_{};
};

}  // namespace agentos::spawnd
