#include "policy/parse.hpp"

#include <algorithm>
#include <charconv>
#include <functional>
#include <initializer_list>
#include <tuple>
#include <utility>

#include "agentos/base/text.hpp"
#include "policy/paths.hpp"

namespace agentos::policy {
namespace {

using std::chrono::milliseconds;
using yaml::Value;

constexpr std::array<std::string_view, 20> reserved{
    "network", "egress", "dns",      "tools",  "skills", "mcp", "llm",       "models",  "budget",   "approvals",
    "data",    "audit",  "recovery", "memory", "bus",    "a2a", "artifacts", "observe", "registry", "blackboard"};

constexpr std::array<std::string_view, rlimit_count> rlimit_names{"nofile", "nproc", "fsize", "memlock",
                                                                  "stack",  "as",    "core"};

std::string listed(std::span<const std::string_view> words) {
  std::string all;
  for (const auto word : words) all += (all.empty() ? "" : ", ") + std::string(word);
  return all;
}

// What may be meant by a word that is not known.
std::string hint_for(std::string_view given, std::span<const std::string_view> known) {
  const auto near = std::ranges::min_element(known, {}, [&](auto word) { return edit_distance(given, word); });
  if (near != known.end() && given.size() <= 32 && edit_distance(given, *near) <= (given.size() > 4 ? 2U : 1U))
    return "did you mean '" + std::string(*near) + "'?";
  return "known here: " + listed(known);
}

bool is_variable_name(std::string_view name) {
  const auto letter = [](char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_'; };
  return !name.empty() && name.size() <= 255 && letter(name[0]) &&
         std::ranges::all_of(name, [&](char c) { return letter(c) || (c >= '0' && c <= '9'); });
}

struct Key {
  std::string_view name;
  std::function<void(const Value&)> read;  // null: not yet known
  std::string_view instead{};              // what to do until it is
};

class Reader {
 public:
  Reader(std::string_view file, Kind kind) : file_(file), kind_(kind) { policy_.of_tenant = kind == Kind::tenant; }

  std::expected<Policy, Diagnostics> read(std::string_view text) {
    if (text.size() > file_bytes_max) {
      errors_.push_back({{}, "longer than " + std::to_string(file_bytes_max) + " bytes", {}});
      return std::unexpected(std::move(errors_));
    }
    if (const auto good = utf8_prefix(text); good < text.size()) {
      const auto before = text.substr(0, good);
      const auto line = std::ranges::count(before, '\n') + 1;
      errors_.push_back({{static_cast<int>(line), static_cast<int>(good - (before.rfind('\n') + 1)) + 1},
                         "a byte that is not UTF-8",
                         "save the file as UTF-8"});
      return std::unexpected(std::move(errors_));
    }
    const Value root = yaml::read_document(text, errors_);
    if (errors_.empty()) read_root(root);
    if (errors_.empty()) return std::move(policy_);
    std::ranges::sort(errors_, {}, [](const auto& error) { return std::tie(error.place, error.what); });
    if (errors_.size() > diagnostics_max) {
      const auto more = errors_.size() - diagnostics_max;
      errors_.resize(diagnostics_max);
      errors_.push_back({errors_.back().place, "and " + std::to_string(more) + " more errors", {}});
    }
    return std::unexpected(std::move(errors_));
  }

 private:
  void refuse(const Value& node, std::string what, std::string hint = {}) {
    errors_.push_back({node.place, std::move(what), std::move(hint)});
  }
  [[nodiscard]] Origin origin(const Value& node) const { return {file_, node.place.line, node.place.column}; }

  void read_map(const Value& node, std::string_view what, std::initializer_list<Key> keys) {
    if (node.kind != Value::Kind::map) {
      if (node.kind == Value::Kind::null)
        return refuse(node, "'" + std::string(what) + "' is empty", "remove it, or say something in it");
      return refuse(node, "'" + std::string(what) + "' must be a map");
    }
    std::vector<std::string_view> known;
    for (const auto& key : keys) {
      if (key.read) known.push_back(key.name);
    }
    for (const auto& [key, value] : node.entries) {
      const auto found = std::ranges::find(keys, std::string_view(key.scalar), &Key::name);
      if (found != keys.end() && found->read) {
        found->read(value);
      } else if (found != keys.end()) {
        not_yet(key, std::string(what) + "." + key.scalar, std::string(found->instead));
      } else {
        refuse(key, "unknown key '" + printable(key.scalar) + "'", hint_for(key.scalar, known));
      }
    }
  }
  void not_yet(const Value& node, const std::string& what, std::string hint) {
    refuse(node, "'" + what + "' is not yet known to this version", std::move(hint));
  }

  bool is_scalar(const Value& node, std::string_view what) {
    if (node.kind == Value::Kind::scalar && !node.scalar.empty()) return true;
    refuse(node, std::string(what) + " is missing");
    return false;
  }

  // One of a few words. `later`: words of later versions.
  template <class T>
  auto choice(Setting<T>& to, std::vector<std::pair<std::string_view, T>> words,
              std::vector<std::string_view> later = {}) {
    return [this, &to, words = std::move(words), later = std::move(later)](const Value& node) {
      std::vector<std::string_view> known;
      for (const auto& [word, value] : words) known.push_back(word);
      if (!is_scalar(node, "a word (" + listed(known) + ")")) return;
      if (std::ranges::find(later, std::string_view(node.scalar)) != later.end())
        return not_yet(node, node.scalar, "known here: " + listed(known));
      for (const auto& [word, value] : words) {
        if (word == node.scalar) to = {value, origin(node)};
      }
      if (!to) refuse(node, "'" + printable(node.scalar) + "' is not known here", hint_for(node.scalar, known));
    };
  }

  // What agentos::parse_* reads, between two bounds.
  template <class T, class Parse, class Make>
  auto amount(Setting<T>& to, Parse parse, Make make, T least, T most) {
    return [this, &to, parse, make, least, most](const Value& node) {
      if (!is_scalar(node, "an amount")) return;
      const auto value = parse(node.scalar);
      if (!value) return refuse(node, value.error().message(), value.error().hint());
      const T made = make(*value);
      if (made < least) return refuse(node, "'" + printable(node.scalar) + "' is less than " + policy::text(least));
      if (made > most) return refuse(node, "'" + printable(node.scalar) + "' is more than " + policy::text(most));
      to = {made, origin(node)};
    };
  }
  auto bytes(Setting<Bytes>& to, std::uint64_t least) {
    return amount(to, parse_bytes, [](std::uint64_t count) { return Bytes{count}; }, Bytes{least}, Bytes{1ULL << 60U});
  }
  static Result<std::uint64_t> parse_whole(std::string_view text) {
    std::uint64_t value{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error == std::errc{} && end == text.data() + text.size()) return value;
    return fail(ErrorKind::invalid, "'" + printable(text) + "' is not a whole number");
  }
  auto count(Setting<Count>& to, std::uint64_t least, std::uint64_t most) {
    return amount(to, parse_whole, [](std::uint64_t value) { return Count{value}; }, Count{least}, Count{most});
  }
  auto weight(Setting<Weight>& to) {
    const auto make = [](std::uint64_t value) {
      return Weight{static_cast<std::uint32_t>(std::min<std::uint64_t>(value, 1'000'000))};
    };
    return amount(to, parse_whole, make, Weight{1}, Weight{10'000});
  }
  auto size_count(Setting<Count>& to, std::uint64_t most) {
    return amount(to, parse_bytes, [](std::uint64_t value) { return Count{value}; }, Count{0}, Count{most});
  }

  // Each entry once, sorted.
  auto words(std::vector<Stated<std::string>>& to, std::function<bool(const Value&, const std::string&)> check) {
    return [this, &to, check = std::move(check)](const Value& node) {
      if (node.kind != Value::Kind::list) return refuse(node, "this must be a list", "write [A, B], or '- A' lines");
      if (node.elements.size() > entries_max)
        return refuse(node, "more than " + std::to_string(entries_max) + " entries");
      for (const auto& element : node.elements) {
        if (!is_scalar(element, "a word")) continue;
        const std::string& word = element.scalar;
        if (!check(element, word)) continue;
        const auto same = std::ranges::find(to, word, &Stated<std::string>::value);
        if (same != to.end()) {
          refuse(element, "'" + printable(word) + "' stands twice",
                 "the first is in line " + std::to_string(same->origin.line));
        } else {
          to.push_back({word, origin(element)});
        }
      }
      std::ranges::sort(to);
    };
  }
  bool accept(const Value& node, PathFault fault) {
    if (fault.what.empty()) return true;
    refuse(node, std::move(fault.what), std::move(fault.hint));
    return false;
  }
  auto hidden_paths() {
    return words(policy_.hidden,
                 [this](const Value& node, const std::string& path) { return accept(node, fault_of_hidden(path)); });
  }

  // "PATH" or "PATH?" of the host. In read_only there are also paths of the workspace.
  auto granted_paths(Access access) {
    return [this, access](const Value& node) {
      std::vector<Stated<std::string>> all;
      words(all, [this, access](const Value& at, const std::string& entry) {
        std::string_view path = entry;
        if (access == Access::read && path.starts_with("./")) return accept(at, fault_of_path(path));
        if (path.ends_with('?')) path.remove_suffix(1);
        return accept(at, fault_of_grant(path));
      })(node);
      // An empty list is a list of grants too: none.
      if (all.empty() || access == Access::write) grants();
      for (auto& [entry, at] : all) {
        if (access == Access::read && entry.starts_with("./")) {
          policy_.read_only.push_back({entry, at});
          continue;
        }
        const bool optional = entry.ends_with('?');
        Grant grant{optional ? entry.substr(0, entry.size() - 1) : entry, access, optional, {}};
        const auto same = std::ranges::find(grants(), grant.path, [](const auto& of) { return of.value.path; });
        if (same == grants().end()) {
          grants().push_back({std::move(grant), at});
        } else {
          Value place;
          place.place = {at.line, at.column};
          refuse(place, "'" + printable(grant.path) + "' stands twice",
                 "the first is in line " + std::to_string(same->origin.line));
        }
      }
      if (policy_.grants) std::ranges::sort(*policy_.grants);
    };
  }
  Grants& grants() { return policy_.grants ? *policy_.grants : policy_.grants.emplace(); }

  void read_root(const Value& root) {
    if (root.kind != Value::Kind::map) return refuse(root, "the file must be a map", "it starts with 'version: 1'");
    std::vector<std::string_view> known{"version",   "level",       "filesystem", "process",
                                        "resources", "environment", "scheduling", "limits"};
    if (kind_ == Kind::tenant) known.push_back("policies");
    bool versioned = false;
    for (const auto& [key, value] : root.entries) {
      if (key.scalar == "version") {
        versioned = true;
        if (value.kind != Value::Kind::scalar || value.scalar != "1")
          refuse(value, "the version is not one that this program reads", "write 'version: 1'");
      } else if (std::ranges::find(known, std::string_view(key.scalar)) != known.end()) {
        read_section(key.scalar, value);
      } else if (std::ranges::find(reserved, std::string_view(key.scalar)) != reserved.end()) {
        not_yet(key, key.scalar, "remove it: what it says would not be enforced");
      } else if (key.scalar == "policies") {
        refuse(key, "'policies' belongs into the file of a tenant", "/etc/agentos/tenants/TENANT.yaml");
      } else {
        refuse(key, "unknown key '" + printable(key.scalar) + "'", hint_for(key.scalar, known));
      }
    }
    if (!versioned) refuse(root, "'version' is missing", "write 'version: 1'");
  }

  void read_section(std::string_view name, const Value& node) {
    if (name == "level") {
      choice<Level>(policy_.level, {{"container", Level::container}}, {"process", "vm", "language"})(node);
    } else if (name == "filesystem") {
      read_filesystem(node);
    } else if (name == "process") {
      read_process(node);
    } else if (name == "resources") {
      read_resources(node);
    } else if (name == "environment") {
      read_environment(node);
    } else if (name == "scheduling") {
      read_map(node, name, {{"weight", weight(policy_.weight)}, {"priority", {}}, {"queue", {}}});
    } else if (name == "limits") {
      const auto make = [](std::uint64_t value) { return milliseconds(static_cast<std::int64_t>(value)); };
      const auto time = [&](Setting<milliseconds>& to) {
        return amount(to, parse_duration_ms, make, milliseconds(1000), milliseconds(std::chrono::days(365)));
      };
      read_map(node, name, {{"wall", time(policy_.wall)}, {"idle", time(policy_.idle)}});
    } else {
      read_policies(node);
    }
  }

  void read_filesystem(const Value& node) {
    std::vector<std::pair<std::string_view, WorkspaceMode>> modes;
    for (const auto mode : all_workspace_modes) modes.emplace_back(agentos::name(mode), mode);
    read_map(node, "filesystem",
             {{"read_only", granted_paths(Access::read)},
              {"read_write", granted_paths(Access::write)},
              {"hidden", hidden_paths()},
              {"workspace", [&](const Value& value) {
                 const auto mode = choice<WorkspaceMode>(policy_.workspace, modes);
                 if (value.kind == Value::Kind::scalar) return mode(value);
                 read_map(value, "filesystem.workspace",
                          {{"mode", mode}, {"quota", [&](const Value& map) { read_quota(map); }}});
               }}});
  }

  void read_quota(const Value& node) {
    read_map(node, "filesystem.workspace.quota",
             {{"bytes", bytes(policy_.layer_bytes, least_layer.bytes)},
              {"inodes", count(policy_.layer_inodes, least_layer.inodes, 1ULL << 40U)}});
  }

  void read_process(const Value& node) {
    // No more than every agent has anyway: a larger number would not be what the process gets.
    auto& limits = policy_.rlimits;
    const auto rlimit = [&](Rlimit which) -> Key {
      const auto at = at_of(which);
      if (which == Rlimit::nofile) return {rlimit_names[at], count(limits[at], 16, 65'536)};
      if (which == Rlimit::nproc) return {rlimit_names[at], count(limits[at], 2, 1U << 22U)};
      return {rlimit_names[at], size_count(limits[at], which == Rlimit::memlock ? 1U << 20U : 1ULL << 60U)};
    };
    read_map(node, "process",
             {{"user", choice<User>(policy_.user, {{"agent", User::agent}})},
              {"seccomp", choice<Seccomp>(policy_.seccomp, {{"agent", Seccomp::agent}, {"strict", Seccomp::strict}})},
              {"limits", [&](const Value& map) {
                 read_map(map, "process.limits",
                          {rlimit(Rlimit::nofile),
                           rlimit(Rlimit::nproc),
                           rlimit(Rlimit::fsize),
                           rlimit(Rlimit::memlock),
                           rlimit(Rlimit::stack),
                           rlimit(Rlimit::as),
                           {"core", [&](const Value& value) { read_core(value, limits[at_of(Rlimit::core)]); }}});
               }}});
  }

  static std::size_t at_of(Rlimit which) { return static_cast<std::size_t>(which); }

  void read_core(const Value& node, Setting<Count>& to) {
    if (!is_scalar(node, "an amount")) return;
    if (node.scalar == "0") {
      to = {Count{0}, origin(node)};
    } else {
      refuse(node, "'" + printable(node.scalar) + "' is more than 0, and agents leave no core dumps",
             "the host's program for them would run as root on what an agent wrote");
    }
  }

  void read_resources(const Value& node) {
    constexpr std::uint64_t least_memory = 8U << 20U;  // below it nothing but agentos-init starts
    read_map(node, "resources",
             {{"cpu", amount(
                          policy_.cpu, parse_cpu_percent, [](std::uint32_t value) { return Percent{value}; },
                          Percent{1}, Percent{1'000'000})},
              {"memory", bytes(policy_.memory, least_memory)},
              {"memory_high", bytes(policy_.memory_high, least_memory)},
              {"io", [&](const Value& map) { read_map(map, "resources.io", {{"weight", weight(policy_.io)}}); }},
              {"pids", count(policy_.pids, 2, 1U << 22U)},
              {"on_missing",
               choice<OnMissing>(policy_.on_missing, {{"refuse", OnMissing::refuse}, {"warn", OnMissing::warn}})}});
    if (policy_.memory && policy_.memory_high && policy_.memory_high->value > policy_.memory->value) {
      Value at;
      at.place = {policy_.memory_high->origin.line, policy_.memory_high->origin.column};
      refuse(at, "memory_high is more than memory",
             "beyond memory_high an agent is slowed down, beyond memory it is ended");
    }
  }

  void read_environment(const Value& node) {
    read_map(node, "environment",
             {{"pass",
               [&](const Value& list) {
                 policy_.pass.emplace();
                 words(*policy_.pass, [&](const Value& at, const std::string& name) {
                   std::string_view stem = name;
                   if (stem.ends_with('*')) stem.remove_suffix(1);
                   if (stem.empty() || is_variable_name(stem)) return true;
                   refuse(at, "'" + printable(name) + "' is not the name of a variable",
                          "write NAME, or PREFIX* for all that begin so");
                   return false;
                 })(list);
               }},
              {"set", [&](const Value& map) { read_variables(map); }},
              {"secrets", {}, "name the variable in environment.pass; its value is then in the agent's reach"}});
  }

  void read_variables(const Value& node) {
    if (node.kind != Value::Kind::map) return refuse(node, "'environment.set' must be a map", "write NAME: value");
    if (node.entries.size() > entries_max) return refuse(node, "more than " + std::to_string(entries_max) + " entries");
    for (const auto& [key, value] : node.entries) {
      if (!is_variable_name(key.scalar)) {
        refuse(key, "'" + printable(key.scalar) + "' is not the name of a variable",
               "letters, digits and '_', not beginning with a digit");
      } else if (key.scalar.starts_with("AGENTOS_")) {
        refuse(key, "'" + printable(key.scalar) + "' is set by agentos itself", "take another name");
      } else if (value.kind == Value::Kind::list || value.kind == Value::Kind::map) {
        refuse(value, "the value of a variable must be one word or text", "put it in quotes");
      } else if (value.scalar.size() > value_bytes_max) {
        refuse(value, "a value longer than " + std::to_string(value_bytes_max) + " bytes");
      } else if (value.scalar.find('\0') != std::string::npos) {
        refuse(value, "a value with a zero byte in it");
      } else {
        policy_.set.push_back({{key.scalar, value.scalar}, origin(key)});
      }
    }
    std::ranges::sort(policy_.set);
  }

  void read_policies(const Value& node) {
    policy_.policies.emplace();
    words(*policy_.policies, [&](const Value& at, const std::string& name) {
      if (is_name(name)) return true;
      refuse(at, "'" + printable(name) + "' is not the name of a policy", "a-z, 0-9, '-' and '_', at most 63");
      return false;
    })(node);
  }

  std::string file_;
  Kind kind_;
  Diagnostics errors_;
  Policy policy_;
};

}  // namespace

std::expected<Policy, Diagnostics> parse(std::string_view text, std::string_view file, Kind kind) {
  return Reader(file, kind).read(text);
}

std::string text(const Diagnostics& diagnostics, std::string_view file) {
  std::string all;
  for (const auto& diagnostic : diagnostics) all += (all.empty() ? "" : "\n") + diagnostic.text(file);
  return all;
}

std::span<const std::string_view> reserved_sections() {
  return reserved;
}

}  // namespace agentos::policy
