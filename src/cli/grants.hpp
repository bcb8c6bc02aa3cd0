#pragma once

#include <string>
#include <vector>

#include <boost/json/value.hpp>

#include "agentos/base/fd.hpp"
#include "agentos/base/result.hpp"

namespace agentos::cli {

// Files and folders that an agent is granted, opened with the caller's rights as the workspace is.
struct OpenedGrants {
  std::vector<std::string> paths;
  std::vector<UniqueFd> fds;       // O_PATH, of each
  std::vector<std::string> notes;  // what is left out although it is there, and why
};

// `asked` is agentosd's list. An error names the line of the policy. No symbolic link is followed: an agent that may
// write beside a granted path could put one there, for the next agent.
[[nodiscard]] Result<OpenedGrants> open_grants(const boost::json::value& asked);

}  // namespace agentos::cli
