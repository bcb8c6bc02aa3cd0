#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace agentos {

// How an agent sees the directory it works in. From the least it may do to it to the most.
enum class WorkspaceMode : std::uint8_t {
  empty,      // a new, empty directory of its own; the caller's is not there
  read_only,  // the directory, which it cannot change
  overlay,    // the directory; what it writes goes to a layer of its own, for the caller to commit or discard
  bind,       // the directory itself
};
constexpr std::array all_workspace_modes{WorkspaceMode::empty, WorkspaceMode::read_only, WorkspaceMode::overlay,
                                         WorkspaceMode::bind};

// As written in policies and behind --workspace DIR:MODE.
[[nodiscard]] constexpr std::string_view name(WorkspaceMode mode) {
  switch (mode) {
    case WorkspaceMode::empty:
      return "empty";
    case WorkspaceMode::read_only:
      return "ro";
    case WorkspaceMode::overlay:
      return "overlay";
    case WorkspaceMode::bind:
      return "bind";
  }
  return "empty";
}

[[nodiscard]] constexpr std::optional<WorkspaceMode> workspace_mode_named(std::string_view text) {
  for (const auto mode : all_workspace_modes) {
    if (name(mode) == text) return mode;
  }
  return std::nullopt;
}

// Whether what the agent writes in it is in a layer of its own.
[[nodiscard]] constexpr bool has_layer(WorkspaceMode mode) {
  return mode == WorkspaceMode::overlay || mode == WorkspaceMode::empty;
}

// Room in a layer: a limit, in which 0 is none, or what is used.
struct LayerSpace {
  std::uint64_t bytes{}, inodes{};

  bool operator==(const LayerSpace&) const = default;
};
// Below it a layer could not even be made: its own folders and what overlayfs needs count too.
constexpr LayerSpace least_layer{1U << 20U, 16};

struct LayerState {
  bool empty{};
  LayerSpace limit, used;  // zeros where it was made without a limit: then nobody counts

  bool operator==(const LayerState&) const = default;
};

}  // namespace agentos
