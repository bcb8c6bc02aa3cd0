#include "policy/grants.hpp"

#include <algorithm>
#include <utility>

#include "agentos/base/text.hpp"
#include "agentos/model/places.hpp"
#include "policy/paths.hpp"

namespace agentos::policy {
namespace {

bool is_of_home(std::string_view path) {
  return path.starts_with("~/");
}

}  // namespace

const Stated<Grant>* grant_of(const Grants& grants, std::string_view path) {
  const Stated<Grant>* narrowest = nullptr;
  for (const auto& grant : grants) {
    // Of paths that hold the same one, the later in the order is the longer.
    if (is_within(path, grant.value.path)) narrowest = &grant;
  }
  return narrowest;
}

const Stated<Grant>* outer_grant(const Grants& grants, const Grant& grant) {
  return grant_of(grants, std::string_view(grant.path).substr(0, grant.path.rfind('/')));
}

Grants meet(const Grants& a, const Grants& b) {
  Grants both;
  const auto add = [&](const Grants& from, const Grants& other) {
    for (const auto& named : from) {
      const auto* found = grant_of(other, named.value.path);
      if (found == nullptr) continue;
      Stated<Grant> met = named;
      const auto& [grant, origin] = *found;
      // The line that allows less; of equal ones that which sorts first, so that the order of the files does not show.
      const auto less = std::min(std::pair(grant.access, origin), std::pair(named.value.access, named.origin));
      met.value.access = less.first;
      met.origin = less.second;
      if (grant.path == named.value.path) {
        met.value.optional = met.value.optional && grant.optional;
        met.value.link = std::max(met.value.link, grant.link);
      }
      both.push_back(std::move(met));
    }
  };
  add(a, b);
  add(b, a);
  std::ranges::sort(both);
  const auto [first, last] = std::ranges::unique(both);
  both.erase(first, last);
  return both;
}

bool names_home(const Policy& policy) {
  return std::ranges::any_of(policy.hidden, [](const auto& path) { return is_of_home(path.value); }) ||
         (policy.grants &&
          std::ranges::any_of(*policy.grants, [](const auto& grant) { return is_of_home(grant.value.path); }));
}

Result<Policy> at_home(Policy policy, const std::optional<std::string>& home) {
  const bool known = home && home->starts_with('/') && (*home == "/" || fault_of_path(*home).what.empty());
  const auto moved = [&](const std::string& path) { return (*home == "/" ? "" : *home) + path.substr(1); };
  std::string reasons;
  const auto refuse = [&](const Stated<Grant>& grant, const std::string& why) {
    reasons += (reasons.empty() ? "" : "\n") + grant.origin.text() + ": " + key_of(grant.value.access) + ": " + why;
  };
  if (policy.grants) {
    Grants all;
    for (auto grant : *policy.grants) {
      auto& path = grant.value.path;
      if (is_of_home(path)) {
        if (!known) {
          if (!grant.value.optional) refuse(grant, "'" + printable(path) + "': no home of yours is known on this host");
          continue;
        }
        grant.value.link = path;
        path = moved(path);
      }
      if (const auto fault = fault_of_place(path); !fault.empty()) {
        refuse(grant, "'" + printable(path) + "' " + fault);
      } else if (const auto same = std::ranges::find(all, path, [](const auto& of) { return of.value.path; });
                 same != all.end()) {
        refuse(grant, "'" + printable(path) + "' stands in " + same->origin.text() + " too");
      } else {
        all.push_back(std::move(grant));
      }
    }
    std::ranges::sort(all);
    policy.grants = std::move(all);
  }
  // Where there is no home nothing of it is granted, so there is nothing to hide.
  std::erase_if(policy.hidden, [&](const auto& path) { return is_of_home(path.value) && !known; });
  for (auto& path : policy.hidden) {
    if (is_of_home(path.value)) path.value = moved(path.value);
  }
  std::ranges::sort(policy.hidden);
  const auto [first, last] = std::ranges::unique(policy.hidden, {}, &Stated<std::string>::value);
  policy.hidden.erase(first, last);
  if (reasons.empty()) return policy;
  return fail(ErrorKind::invalid, std::move(reasons), "name it otherwise, or have an administrator do so");
}

const char* key_of(Access access) {
  return access == Access::write ? "filesystem.read_write" : "filesystem.read_only";
}

std::string text(const Grant& grant) {
  return grant.path + (grant.optional ? "?" : "");
}

}  // namespace agentos::policy
