#pragma once

#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "agentos/base/fd.hpp"
#include "agentos/base/result.hpp"
#include "agentos/model/workspace.hpp"

namespace agentos {

// Who keeps what agents wrote over their workspaces (agentos-spawnd, or a fake), by the id of the agent. A layer is
// made with its agent and outlives it until it is removed.
class LayerStore {
 public:
  LayerStore() = default;
  LayerStore(const LayerStore&) = delete;
  LayerStore& operator=(const LayerStore&) = delete;
  virtual ~LayerStore() = default;

  // Its upper directory, open for reading. `caller` is the connection of the person who wants it: forbidden unless it
  // is that person's, or root's. not_found: no such layer.
  [[nodiscard]] virtual boost::asio::awaitable<Result<UniqueFd>> open_layer(std::string agent, UniqueFd caller) = 0;
  [[nodiscard]] virtual boost::asio::awaitable<Result<LayerState>> look_at_layer(std::string agent) = 0;  // as above
  [[nodiscard]] virtual boost::asio::awaitable<Result<void>> remove_layer(std::string agent) = 0;  // of none: done
  // The agents that have one, in order: those behind `after`, some at a time. Empty: there are no more.
  [[nodiscard]] virtual boost::asio::awaitable<Result<std::vector<std::string>>> list_layers(std::string after) = 0;
};

}  // namespace agentos
