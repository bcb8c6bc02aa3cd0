#include "policy/compose.hpp"

#include <algorithm>
#include <utility>

#include "agentos/base/text.hpp"
#include "agentos/model/places.hpp"
#include "agentos/model/plan.hpp"
#include "policy/grants.hpp"

namespace agentos::policy {
namespace {

template <class T>
void take_smaller(Setting<T>& into, const Setting<T>& other) {
  // Of equal values the place that sorts first: so the order of the files does not show.
  if (other && (!into || *other < *into)) into = other;
}

template <class T>
void unite(std::vector<Stated<T>>& into, const std::vector<Stated<T>>& other) {
  into.insert(into.end(), other.begin(), other.end());
  std::ranges::sort(into);
  const auto [first, last] = std::ranges::unique(into, {}, &Stated<T>::value);
  into.erase(first, last);
}

// The entries of either list that the other covers: what both let pass.
Pass common(const Pass& a, const Pass& b) {
  Pass both;
  const auto covered = [](const Pass& list, std::string_view name) {
    return std::ranges::any_of(list, [&](const auto& entry) { return covers(entry.value, name); });
  };
  for (const auto& entry : a) {
    if (covered(b, entry.value)) both.push_back(entry);
  }
  Pass others;
  for (const auto& entry : b) {
    if (covered(a, entry.value)) others.push_back(entry);
  }
  unite(both, others);
  return both;
}

// A name that enters by itself for one and only on demand for the other ('*') enters by itself: it is named by one, and
// allowed by both.
void meet_pass(std::optional<Pass>& into, const std::optional<Pass>& other) {
  if (!other) return;
  into = into ? common(*into, *other) : *other;
}

class Composer {
 public:
  Result<Policy> compose(std::span<const Policy> ceilings, std::span<const Policy> wishes) {
    Policy result = defaults();
    Setting<OnMissing> on_missing;
    for (const auto& ceiling : ceilings) {
      each_setting([&](std::string_view, auto member) { take_smaller(member(result), member(ceiling)); });
      take_smaller(on_missing, ceiling.on_missing);
      add_lists(result, ceiling);
      meet_pass(result.pass, ceiling.pass);
    }
    result.grants = granted(ceilings);
    // Unlike the others its default is not its largest value: to be only warned, an administrator must say so.
    if (on_missing) result.on_missing = on_missing;
    bool wished_mode = false;
    for (const auto& wish : wishes) {
      each_setting([&](std::string_view key, auto member) { narrow(key, member(result), member(wish)); });
      check_pass(result, wish);
      check_set(result, wish);
      narrow_grants(*result.grants, wish);
      add_lists(result, wish);
      meet_pass(result.pass, wish.pass);
      wished_mode = wished_mode || wish.workspace;
    }
    check_conflicts(result);
    if (!wished_mode && result.workspace->value > WorkspaceMode::overlay) {
      result.workspace = {WorkspaceMode::overlay, {built_in, 0, 0}};
    }
    lower_memory_high(result, wishes);
    drop_hidden_grants(result);
    if (result.grants->size() > grants_max) {
      reasons_.push_back((*result.grants)[grants_max].origin.text() + ": more than " + std::to_string(grants_max) +
                         " paths of the host are granted");
    }
    if (reasons_.empty()) return result;
    std::string all;
    for (const auto& reason : reasons_) all += (all.empty() ? "" : "\n") + reason;
    return fail(ErrorKind::invalid, std::move(all), "ask for less, or have an administrator raise the ceiling");
  }

 private:
  static Policy defaults() {
    const Origin here{built_in, 0, 0};
    Policy policy;
    policy.level = {Level::container, here};
    policy.workspace = {WorkspaceMode::bind, here};
    policy.user = {User::agent, here};
    policy.seccomp = {Seccomp::agent, here};
    policy.on_missing = {OnMissing::refuse, here};
    return policy;
  }

  // What all policies grant, which may be none, within the bounds of the tenants whose files set any.
  static Grants granted(std::span<const Policy> ceilings) {
    std::optional<Grants> all;
    for (const auto& ceiling : ceilings) {
      if (ceiling.of_tenant) continue;
      const auto own = ceiling.grants.value_or(Grants());
      all = all ? meet(*all, own) : own;
    }
    Grants result = all.value_or(Grants());
    for (const auto& ceiling : ceilings) {
      if (ceiling.of_tenant && ceiling.grants) result = meet(result, *ceiling.grants);
    }
    return result;
  }

  void narrow_grants(Grants& ceiling, const Policy& wish) {
    if (!wish.grants) return;
    for (const auto& [grant, origin] : *wish.grants) {
      const auto* most = grant_of(ceiling, grant.path);
      if (most != nullptr && most->value.access >= grant.access) continue;
      reasons_.push_back(origin.text() + ": " + key_of(grant.access) + " " + printable(grant.path) + " is not granted" +
                         (most == nullptr ? "" : ", only to be read (" + most->origin.text() + ")"));
    }
    ceiling = meet(ceiling, *wish.grants);
  }

  // Hiding beats granting.
  static void drop_hidden_grants(Policy& policy) {
    std::erase_if(*policy.grants, [&](const auto& grant) {
      return std::ranges::any_of(policy.hidden,
                                 [&](const auto& path) { return is_within(grant.value.path, path.value); });
    });
  }

  static void add_lists(Policy& into, const Policy& other) {
    unite(into.read_only, other.read_only);
    unite(into.hidden, other.hidden);
    into.set.insert(into.set.end(), other.set.begin(), other.set.end());
    std::ranges::sort(into.set);
    const auto [first, last] = std::ranges::unique(into.set, {}, &Stated<Variable>::value);
    into.set.erase(first, last);
  }

  template <class T>
  void narrow(std::string_view key, Setting<T>& ceiling, const Setting<T>& wish) {
    if (!wish) return;
    if (ceiling && wish->value > ceiling->value) {
      reasons_.push_back(wish->origin.text() + ": " + std::string(key) + " " + text(wish->value) + " is more than " +
                         text(ceiling->value) + ", which is the most (" + ceiling->origin.text() + ")");
    } else {
      ceiling = wish;
    }
  }

  void check_pass(const Policy& ceiling, const Policy& wish) {
    if (!wish.pass || !ceiling.pass) return;
    for (const auto& [name, origin] : *wish.pass) {
      const auto covered = [&](const auto& entry) { return covers(entry.value, name); };
      if (!std::ranges::any_of(*ceiling.pass, covered))
        reasons_.push_back(origin.text() + ": " + refusal(ceiling, name));
    }
  }
  void check_set(const Policy& ceiling, const Policy& wish) {
    for (const auto& [variable, origin] : wish.set) {
      const auto same = std::ranges::find(ceiling.set, variable.name, [](const auto& of) { return of.value.name; });
      if (same != ceiling.set.end()) continue;  // equal, or a conflict
      if (!passes(ceiling, variable.name)) reasons_.push_back(origin.text() + ": " + refusal(ceiling, variable.name));
    }
  }

 public:
  static std::string refusal(const Policy& ceiling, std::string_view name) {
    std::string allowed;
    for (const auto& entry : *ceiling.pass) {
      allowed += (allowed.empty() ? "" : ", ") + entry.value + " (" + entry.origin.text() + ")";
      if (allowed.size() > 400) {
        allowed += ", ...";
        break;
      }
    }
    return "environment variable '" + printable(name.substr(0, 64)) + "' may not enter: environment.pass lets in " +
           (allowed.empty() ? "none" : allowed);
  }

 private:
  void check_conflicts(const Policy& policy) {
    for (std::size_t at = 1; at < policy.set.size(); ++at) {
      const auto& [before, first] = policy.set[at - 1];
      const auto& [variable, second] = policy.set[at];
      if (before.name != variable.name) continue;
      reasons_.push_back(second.text() + ": environment.set gives " + variable.name +
                         " another value than it has already (" + first.text() + ")");
    }
  }

  // Of a ceiling it would be pointless above memory; a wish of the user's own is not touched.
  static void lower_memory_high(Policy& policy, std::span<const Policy> wishes) {
    const bool wished = std::ranges::any_of(wishes, [](const auto& wish) { return wish.memory_high.has_value(); });
    if (!wished && policy.memory && policy.memory_high && policy.memory_high->value > policy.memory->value)
      policy.memory_high = policy.memory;
  }

  std::vector<std::string> reasons_;
};

}  // namespace

Result<Policy> compose(std::span<const Policy> ceilings, std::span<const Policy> wishes) {
  return Composer().compose(ceilings, wishes);
}

std::vector<std::string> refusals(const Policy& policy, std::span<const std::string> variables) {
  std::vector<std::string> reasons;
  for (const auto& variable : variables) {
    const std::string_view name = std::string_view(variable).substr(0, variable.find('='));
    const auto fixed =
        std::ranges::find(policy.set, name, [](const auto& of) { return std::string_view(of.value.name); });
    if (fixed != policy.set.end()) {
      if (variable == fixed->value.name + "=" + fixed->value.value) continue;
      reasons.push_back("environment variable '" + std::string(name) + "' has its value from " + fixed->origin.text());
    } else if (!passes(policy, name)) {
      reasons.push_back(Composer::refusal(policy, name));
    }
  }
  return reasons;
}

std::vector<std::string> passed_names(const Policy& policy) {
  std::vector<std::string> names;
  if (!policy.pass) return names;
  for (const auto& entry : *policy.pass) {
    if (!entry.value.ends_with('*')) names.push_back(entry.value);
  }
  return names;
}

}  // namespace agentos::policy
