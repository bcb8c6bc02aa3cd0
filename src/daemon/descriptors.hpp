#pragma once

#include <cstddef>

namespace agentos::daemon {

// Sets the limit of this process's descriptors as high as it may, at most to 65,536: with CAP_SYS_RESOURCE beyond the
// hard limit.
void raise_descriptor_limit();

// How many agents may live at once with the descriptors there are, a quarter of which is for clients; at most as many
// as there are ranges of uids. Beyond it a submission is refused: else the descriptor that is missing could be the one
// that ends an agent.
[[nodiscard]] std::size_t live_agents_max();
[[nodiscard]] std::size_t live_agents_max(std::size_t descriptors);

}  // namespace agentos::daemon
