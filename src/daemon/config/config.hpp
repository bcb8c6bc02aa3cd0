#pragma once

#include <sys/types.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agentos/base/result.hpp"

// /etc/agentos/agentos.yaml: which users and groups have which role in which tenant.
namespace agentos::config {

enum class Role : std::uint8_t { viewer, approver, operator_, admin };
constexpr std::array all_roles{Role::viewer, Role::approver, Role::operator_, Role::admin};
[[nodiscard]] std::string_view name(Role role);

struct Members {
  std::vector<uid_t> users;
  std::vector<gid_t> groups;
};

struct Tenant {
  std::string name;
  std::array<Members, all_roles.size()> roles;  // by Role

  [[nodiscard]] Members& members(Role role) { return roles[static_cast<std::size_t>(role)]; }
  [[nodiscard]] const Members& members(Role role) const { return roles[static_cast<std::size_t>(role)]; }
};

struct Config {
  std::vector<Tenant> tenants;  // in the order of the file

  [[nodiscard]] const Tenant* tenant(std::string_view name) const;
};

// How names of users and groups become numbers: getpwnam and getgrnam, or a table in a test.
struct Names {
  std::function<std::optional<uid_t>(const std::string&)> user;
  std::function<std::optional<gid_t>(const std::string&)> group;
};
[[nodiscard]] Names system_names();

struct Loaded {
  Config config;
  // "FILE:LINE:COLUMN: what (hint)": names that nobody has now. They give nobody a role until the file is loaded again.
  std::vector<std::string> warnings;
};

// Every error of the text at once, one "FILE:LINE:COLUMN: what (hint)" a line (ErrorKind::invalid).
[[nodiscard]] Result<Loaded> parse_config(std::string_view yaml, std::string_view file_name,
                                          const Names& names = system_names());
// Reads and parses a file of at most max_config_bytes. not_found says where the package has one.
[[nodiscard]] Result<Loaded> load_config(const std::filesystem::path& file, const Names& names = system_names());
constexpr std::size_t max_config_bytes = 256 << 10;
constexpr std::string_view packaged_config = "/etc/agentos/agentos.yaml";

}  // namespace agentos::config
