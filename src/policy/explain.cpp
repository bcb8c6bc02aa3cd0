#include "policy/explain.hpp"

#include <algorithm>

#include "policy/grants.hpp"

namespace agentos::policy {

std::vector<Line> lines(const Policy& policy) {
  std::vector<Line> all;
  const auto list = [&](const char* key, const std::vector<Stated<std::string>>& entries) {
    for (const auto& [value, origin] : entries) all.push_back({key, value, origin});
  };
  std::string_view section;
  each_setting([&](std::string_view key, auto member) {
    // Lists stand with their section, in front of its other settings.
    const auto begins = key.substr(0, key.find('.'));
    if (begins != section) {
      if (begins == "filesystem") {
        list("filesystem.read_only", policy.read_only);
        for (const auto& [grant, origin] : policy.grants.value_or(Grants()))
          all.push_back({key_of(grant.access), text(grant), origin});
        list("filesystem.hidden", policy.hidden);
      }
      if (begins == "scheduling") {
        if (policy.pass) list("environment.pass", *policy.pass);
        if (policy.pass && policy.pass->empty())
          all.push_back({"environment.pass", "nothing", {"every variable is kept out", 0, 0}});
        for (const auto& [variable, origin] : policy.set)
          all.push_back({"environment.set", variable.name + "=" + variable.value, origin});
      }
      section = begins;
    }
    if (const auto& setting = member(policy)) all.push_back({std::string(key), text(setting->value), setting->origin});
  });
  if (policy.policies) list("policies", *policy.policies);
  return all;
}

std::vector<std::string> difference(const Policy& from, const Policy& to) {
  const auto before = lines(from);
  const auto after = lines(to);
  const auto is_in = [](const std::vector<Line>& list, const Line& line) {
    return std::ranges::any_of(list, [&](const Line& one) { return one.key == line.key && one.value == line.value; });
  };
  const auto words = [](const char* sign, const Line& line) {
    return sign + line.key + ": " + line.value + " (" + line.origin.text() + ")";
  };
  std::vector<std::string> all;
  for (const auto& line : before) {
    if (!is_in(after, line)) all.push_back(words("- ", line));
  }
  for (const auto& line : after) {
    if (!is_in(before, line)) all.push_back(words("+ ", line));
  }
  return all;
}

}  // namespace agentos::policy
