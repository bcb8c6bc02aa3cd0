#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace agentos::test {

// Runs a program as an agent: in a user and a mount namespace of its own, with uid 1000 there, which is `owner` on
// disk, and an overlay of `layer`/upper over `lower` as its current folder. Everything it prints, and its exit status.
struct Ran {
  std::string output;
  int status{-1};
};
Ran run_on_overlay(uid_t owner, const std::string& lower, const std::string& layer,
                   const std::vector<std::string>& command);
// The same without a mount, as `owner` in `folder`.
Ran run_in(uid_t owner, const std::string& folder, const std::vector<std::string>& command);

}  // namespace agentos::test
