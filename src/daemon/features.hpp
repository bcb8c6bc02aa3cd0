#pragma once

#include <string>
#include <vector>

#include <boost/json/object.hpp>

#include "agentos/model/host_facts.hpp"
#include "daemon/policies.hpp"

namespace agentos::daemon {

// One row of `agentos doctor`: what the kernel gives to a sandbox.
struct Feature {
  enum class State : std::uint8_t { enforced, degraded, absent };
  std::string name;
  State state{State::absent};
  std::string detail;  // what it means for agents
  std::string remedy;  // the line that mends it; empty where nothing is to be mended
};

[[nodiscard]] std::vector<Feature> features_of(const HostFacts& facts);
// Whether the policies are as their files say.
[[nodiscard]] Feature policies_feature(const Policies& policies);
[[nodiscard]] boost::json::object feature_json(const Feature& feature);
[[nodiscard]] boost::json::object host_json(const HostFacts& facts);  // what GET /v1/host answers

}  // namespace agentos::daemon
