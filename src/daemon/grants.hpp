#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include <boost/json/array.hpp>

#include "agentos/base/fd.hpp"
#include "agentos/base/result.hpp"
#include "policy/policy.hpp"

namespace agentos::daemon {

// The home that the user database has for this user. May take long where that is a directory service.
[[nodiscard]] std::optional<std::string> home_of(uid_t uid);

// What a caller is to open, in the order of the policy.
[[nodiscard]] boost::json::array grants_json(const policy::Policy& policy);

// The caller has opened `paths`, in that order, and sent a descriptor for each. Gives the descriptors in the order of
// the policy's grants, and leaves in the policy only what was given. conflict: what must be there was not given, or
// something that is not granted was; so the policy has changed since the caller was told. invalid: a descriptor is not
// what its path says. Asks no file system.
[[nodiscard]] Result<std::vector<UniqueFd>> take_grants(policy::Policy& policy, const std::vector<std::string>& paths,
                                                        std::vector<UniqueFd> fds);

}  // namespace agentos::daemon
