#pragma once

#include <string>
#include <vector>

#include <boost/json/value.hpp>

#include "agentos/base/fd.hpp"
#include "cli/command.hpp"
#include "workspace/change.hpp"
#include "workspace/selection.hpp"

namespace agentos::cli {

// What an agent wrote in its layer, and the workspace below it: the layer's descriptor comes from agentosd, the
// workspace is opened with the caller's rights by the path in the agent's record.
struct AgentLayer {
  std::string id, label;  // label: the name, or the id where there is none
  std::string workspace;  // absolute path
  TimePoint started{};
  UniqueFd lower{}, upper{};

  [[nodiscard]] workspace::Layer layer() const {
    return {.lower = lower.get(), .upper = upper.get(), .agent = id, .started = started};
  }
};

enum class Purpose : std::uint8_t {
  look,
  change,  // the agent must have ended
};

// conflict: its workspace is no overlay, or it has not ended; forbidden: it is another user's.
[[nodiscard]] Result<AgentLayer> open_layer(const Context& context, std::string_view ref, Purpose purpose);

// not_found when a path of `wanted` is neither among `found` nor a folder of one.
[[nodiscard]] Result<> check_found(const workspace::Selection& wanted, const std::vector<std::string_view>& found);

// What is in the way of a change, for people; empty: nothing.
[[nodiscard]] std::string words_of(workspace::Conflict conflict);
[[nodiscard]] std::string words_of(workspace::Obstacle obstacle);

// All that is known of a change. A path that is not UTF-8 is also given as "path_escaped", with %XX for its bytes, and
// "path" is then for people.
[[nodiscard]] boost::json::object to_json(const workspace::Change& change);

// Whether people see standard output in colours: it is a terminal, and NO_COLOR is not set.
[[nodiscard]] bool in_colour();

}  // namespace agentos::cli
