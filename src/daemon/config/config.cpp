#include "daemon/config/config.hpp"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <limits>
#include <type_traits>

#include "agentos/base/text.hpp"
#include "os/file.hpp"
#include "policy/yaml.hpp"

namespace agentos::config {

using yaml::Diagnostic;
using yaml::Value;

std::string_view name(Role role) {
  switch (role) {
    case Role::viewer:
      return "viewer";
    case Role::approver:
      return "approver";
    case Role::operator_:
      return "operator";
    case Role::admin:
      return "admin";
  }
  return "";
}

const Tenant* Config::tenant(std::string_view wanted) const {
  const auto found = std::ranges::find(tenants, wanted, &Tenant::name);
  return found == tenants.end() ? nullptr : &*found;
}

namespace {

// getpwnam_r or getgrnam_r; the record is as large as a directory service likes.
template <class Record, class Lookup>
const Record* look_up(Lookup lookup, const std::string& name, Record& record, std::vector<char>& buffer) {
  Record* found = nullptr;
  buffer.resize(4096);
  while (lookup(name.c_str(), &record, buffer.data(), buffer.size(), &found) == ERANGE && buffer.size() < (1U << 20)) {
    buffer.resize(buffer.size() * 4);
  }
  return found;
}

class Compiler {
 public:
  Compiler(std::string_view file_name, const Names& names) : file_name_(file_name), names_(names) {}

  Result<Loaded> compile(std::string_view yaml) {
    const Value root = yaml::read_document(yaml, errors_);
    if (errors_.empty()) read_root(root);
    if (errors_.empty()) return std::move(loaded_);
    std::ranges::sort(errors_, {}, &Diagnostic::place);
    std::string all;
    for (const auto& error : errors_) all += (all.empty() ? "" : "\n") + error.text(file_name_);
    return fail(ErrorKind::invalid, std::move(all));
  }

 private:
  void refuse(const Value& node, std::string what, std::string hint = {}) {
    errors_.push_back({node.place, std::move(what), std::move(hint)});
  }

  bool is_map(const Value& node, std::string_view what) {
    if (node.kind == Value::Kind::map) return true;
    if (node.kind != Value::Kind::null) refuse(node, std::string(what) + " must be a map");
    return false;
  }

  void unknown(const Value& key, std::string_view known) {
    refuse(key, "unknown key '" + printable(key.scalar) + "'", "known here: " + std::string(known));
  }

  void read_root(const Value& root) {
    if (root.kind != Value::Kind::map) return refuse(root, "the file must be a map", "it starts with 'version: 1'");
    bool versioned = false;
    bool any = false;
    for (const auto& [key, value] : root.entries) {
      if (key.scalar == "version") {
        versioned = true;
        if (value.kind != Value::Kind::scalar || value.scalar != "1")
          refuse(value, "the version is not one that this program reads", "write 'version: 1'");
      } else if (key.scalar == "tenants") {
        any = true;
        read_tenants(key, value);
      } else {
        unknown(key, "version, tenants");
      }
    }
    if (!versioned) refuse(root, "'version' is missing", "write 'version: 1'");
    if (!any) refuse(root, "'tenants' is missing", "without a tenant nobody may do anything");
  }

  void read_tenants(const Value& key, const Value& node) {
    if (!is_map(node, "'tenants'") || node.entries.empty()) {
      if (node.kind == Value::Kind::null || node.kind == Value::Kind::map)
        refuse(key, "there is no tenant", "write 'default: {roles: {admin: {users: [root]}}}' below it");
      return;
    }
    for (const auto& [tenant_key, value] : node.entries) {
      if (!is_name(tenant_key.scalar)) {
        refuse(tenant_key, "'" + printable(tenant_key.scalar) + "' is not a name for a tenant",
               "a-z, 0-9, _ and -, at most 63, starting with a letter or digit");
      }
      Tenant tenant{tenant_key.scalar, {}};
      if (is_map(value, "a tenant")) {
        for (const auto& [part, roles] : value.entries) {
          if (part.scalar == "roles") {
            read_roles(roles, tenant);
          } else {
            unknown(part, "roles");
          }
        }
      }
      loaded_.config.tenants.push_back(std::move(tenant));
    }
  }

  void read_roles(const Value& node, Tenant& tenant) {
    if (!is_map(node, "'roles'")) return;
    for (const auto& [key, value] : node.entries) {
      const auto role =
          std::ranges::find(all_roles, std::string_view(key.scalar), [](Role known) { return name(known); });
      if (role == all_roles.end()) {
        unknown(key, "viewer, approver, operator, admin");
      } else {
        read_members(value, tenant.members(*role));
      }
    }
  }

  void read_members(const Value& node, Members& members) {
    if (!is_map(node, "a role")) return;
    for (const auto& [key, value] : node.entries) {
      if (key.scalar == "users") {
        read_ids(value, "user", names_.user, members.users);
      } else if (key.scalar == "groups") {
        read_ids(value, "group", names_.group, members.groups);
      } else {
        unknown(key, "users, groups");
      }
    }
  }

  template <class Id, class Lookup>
  void read_ids(const Value& node, std::string_view what, const Lookup& lookup, std::vector<Id>& ids) {
    if (node.kind == Value::Kind::null) return;
    if (node.kind != Value::Kind::list)
      return refuse(node, "this must be a list of " + std::string(what) + "s",
                    "write [" + std::string(what) + ", ...]");
    for (const auto& element : node.elements) {
      if (element.kind != Value::Kind::scalar || element.scalar.empty()) {
        refuse(element, "this must be the name or number of a " + std::string(what));
      } else if (std::ranges::all_of(element.scalar, [](char c) { return c >= '0' && c <= '9'; })) {
        read_number(element, ids);
      } else if (const auto id = lookup(element.scalar); id) {
        ids.push_back(*id);
      } else {
        const Diagnostic warning{element.place,
                                 "there is no " + std::string(what) + " '" + printable(element.scalar) + "'",
                                 "create it and reload, or remove the line"};
        loaded_.warnings.push_back(warning.text(file_name_));
      }
    }
  }

  template <class Id>
  void read_number(const Value& element, std::vector<Id>& ids) {
    static_assert(std::is_unsigned_v<Id>);
    Id id{};
    const char* end = element.scalar.data() + element.scalar.size();
    const auto [rest, error] = std::from_chars(element.scalar.data(), end, id);
    // The largest number means "no id" to the kernel.
    if (error != std::errc() || rest != end || id == std::numeric_limits<Id>::max())
      return refuse(element, "this number is too large for an id");
    ids.push_back(id);
  }

  std::string_view file_name_;
  const Names& names_;
  std::vector<Diagnostic> errors_;
  Loaded loaded_;
};

}  // namespace

Names system_names() {
  return {[](const std::string& user) -> std::optional<uid_t> {
            passwd record{};
            std::vector<char> buffer;
            const auto* found = look_up(::getpwnam_r, user, record, buffer);
            return found ? std::optional(found->pw_uid) : std::nullopt;
          },
          [](const std::string& name_of_group) -> std::optional<gid_t> {
            group record{};
            std::vector<char> buffer;
            const auto* found = look_up(::getgrnam_r, name_of_group, record, buffer);
            return found ? std::optional(found->gr_gid) : std::nullopt;
          }};
}

Result<Loaded> parse_config(std::string_view yaml, std::string_view file_name, const Names& names) {
  if (yaml.size() > max_config_bytes) {
    return fail(ErrorKind::invalid,
                std::string(file_name) + ":1:1: longer than " + std::to_string(max_config_bytes) + " bytes");
  }
  return Compiler(file_name, names).compile(yaml);
}

Result<Loaded> load_config(const std::filesystem::path& file, const Names& names) {
  auto text = os::read_file(AT_FDCWD, file.string(), max_config_bytes);
  if (!text) {
    auto error = std::move(text).error();
    if (error.kind() == ErrorKind::not_found) {
      error = std::move(error).with_hint("the package brings one as " + std::string(packaged_config) +
                                         "; see agentos.yaml(5)");
    }
    return std::unexpected(std::move(error));
  }
  return parse_config(*text, file.string(), names);
}

}  // namespace agentos::config
