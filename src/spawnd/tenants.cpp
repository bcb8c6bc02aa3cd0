#include "spawnd/tenants.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <filesystem>
#include <string_view>

#include "agentos/base/text.hpp"
#include "spawnd/tenant_unit.hpp"

namespace agentos::spawnd {
namespace {

constexpr const char* range_attribute = "trusted.agentos.range";
constexpr std::array delegated{"cgroup.freeze", "cgroup.kill", "cpu.weight", "cpu.max",
                               "memory.high",   "memory.max",  "io.weight",  "pids.max"};

// Lets the children of this cgroup use the controllers it has itself.
Result<> enable_controllers(const os::Cgroup& cgroup, const std::vector<std::string>& controllers) {
  for (const auto& controller : controllers) {
    AGENTOS_TRY(cgroup.write("cgroup.subtree_control", "+" + controller));
  }
  return {};
}

std::string tenant_folder(const std::string& tenant) {
  return "agentos-tenant@" + tenant + ".service";
}

Result<os::Cgroup> open_or_create(const os::Cgroup& parent, const std::string& name) {
  if (auto there = parent.child(name); there || there.error().kind() != ErrorKind::not_found) return there;
  return parent.create_child(name);
}

}  // namespace

Tenants::Tenants(const HostFacts& facts, std::string slice, uid_t owner)
    : root_(facts.cgroup_root),
      slice_(std::move(slice)),
      systemd_(facts.systemd),
      owner_(owner),
      controllers_(facts.controllers) {}

std::string Tenants::tenant_path(const std::string& tenant) const {
  return root_ + "/" + slice_ + "/" + tenant_folder(tenant);
}

Result<std::vector<Tenants::Adopted>> Tenants::adopt() {
  std::vector<Adopted> adopted;
  std::error_code error;
  for (const auto& tenant : std::filesystem::directory_iterator(root_ + "/" + slice_, error)) {
    if (!tenant.is_directory(error)) continue;
    for (const auto& agent : std::filesystem::directory_iterator(tenant, error)) {
      std::array<char, 16> text{};
      const ssize_t size = ::getxattr(agent.path().c_str(), range_attribute, text.data(), text.size());
      std::uint32_t range{};
      if (size > 0 && std::from_chars(text.data(), text.data() + size, range).ec == std::errc{} &&
          range < taken_.size()) {
        taken_.set(range);
        adopted.push_back({AGENTOS_TRY(os::Cgroup::open(agent.path().string())), range});
      }
    }
  }
  return adopted;
}

Result<os::Cgroup> Tenants::make_tenant_tree(const std::string& tenant) const {
  const auto root = AGENTOS_TRY(os::Cgroup::open(root_));
  AGENTOS_TRY(enable_controllers(root, controllers_));
  const auto slice = AGENTOS_TRY(open_or_create(root, slice_));
  AGENTOS_TRY(enable_controllers(slice, controllers_));
  return open_or_create(slice, tenant_folder(tenant));
}

Result<os::Cgroup> Tenants::open_tenant(const std::string& tenant, bool create) const {
  auto there = os::Cgroup::open(tenant_path(tenant));
  if (there || there.error().kind() != ErrorKind::not_found || !create) return there;
  if (systemd_) {
    AGENTOS_TRY(start_tenant_unit(tenant));
    there = os::Cgroup::open(tenant_path(tenant));
  } else {
    there = make_tenant_tree(tenant);
  }
  if (there) AGENTOS_TRY(enable_controllers(*there, controllers_));
  return there;
}

// Round robin: a range rests as long as possible before another agent gets it.
Result<std::uint32_t> Tenants::take_range() {
  for (std::uint32_t tried = 0; tried < taken_.size(); ++tried) {
    const std::uint32_t range = next_;
    next_ = (next_ + 1) % static_cast<std::uint32_t>(taken_.size());
    if (!taken_.test(range)) {
      taken_.set(range);
      return range;
    }
  }
  return fail(ErrorKind::exhausted, "all " + std::to_string(taken_.size()) + " uid ranges of this host are in use",
              "end some agents");
}

Result<Tenants::Place> Tenants::create(const Plan& plan) {
  const auto tenant = AGENTOS_TRY(open_tenant(plan.tenant, true));
  const std::uint32_t range = AGENTOS_TRY(take_range());
  auto made = tenant.create_child(plan.agent);
  if (!made) {
    taken_.reset(range);
    return std::unexpected(std::move(made).error());
  }
  const auto prepare = [&]() -> Result<> {
    const std::string text = std::to_string(range);
    if (::fsetxattr(made->fd(), range_attribute, text.data(), text.size(), 0) != 0)
      return fail_errno("mark the cgroup's uid range");
    for (const auto& setting : plan.cgroup) {
      if (auto written = made->write(setting.file, setting.value); !written) {
        return std::unexpected(std::move(written).error().within("limit " + setting.file));
      }
    }
    for (const char* file : delegated) {
      if (::fchownat(made->fd(), file, owner_, static_cast<gid_t>(-1), AT_SYMLINK_NOFOLLOW) != 0 && errno != ENOENT) {
        return fail_errno(std::string("hand over ") + file);
      }
    }
    return {};
  };
  if (auto prepared = prepare(); !prepared) {
    taken_.reset(range);
    [[maybe_unused]] const auto gone = tenant.remove_child(plan.agent);
    return std::unexpected(std::move(prepared).error());
  }
  return Place{std::move(*made), tenant_path(plan.tenant) + "/" + plan.agent, range,
               UidPool::first + range * UidPool::range};
}

Result<std::optional<std::uint32_t>> Tenants::remove(const std::string& tenant, const std::string& agent) {
  if (!is_name(tenant) || !is_name(agent)) return fail(ErrorKind::invalid, "tenant or agent is not a name");
  const auto parent = open_tenant(tenant, false);
  const auto none = [](const Error& error) -> Result<std::optional<std::uint32_t>> {
    if (error.kind() == ErrorKind::not_found) return std::nullopt;
    return std::unexpected(error);
  };
  if (!parent) return none(parent.error());
  const auto cgroup = parent->child(agent);
  if (!cgroup) return none(cgroup.error());
  std::array<char, 16> text{};
  std::uint32_t range{};
  const ssize_t size = ::fgetxattr(cgroup->fd(), range_attribute, text.data(), text.size());
  if (size <= 0 || std::from_chars(text.data(), text.data() + size, range).ec != std::errc{} ||
      range >= taken_.size()) {
    return fail(ErrorKind::forbidden, "cgroup " + agent + " is not an agent's");
  }
  if (auto removed = parent->remove_child(agent); !removed) {
    if (removed.error().number() == EBUSY) return fail(ErrorKind::conflict, "cgroup " + agent + " still has processes");
    return std::unexpected(std::move(removed).error());
  }
  taken_.reset(range);
  return range;
}

}  // namespace agentos::spawnd
