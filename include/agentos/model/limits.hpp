#pragma once

#include <cstdint>
#include <optional>

namespace agentos {

// Limits that were asked for. Empty: the default of the host.
struct Limits {
  std::optional<std::uint64_t> memory_max;   // bytes
  std::optional<std::uint64_t> memory_high;  // bytes
  std::optional<std::uint32_t> cpu_max;      // percent of one CPU
  std::optional<std::uint32_t> cpu_weight;   // 1..10000
  std::optional<std::uint64_t> pids_max;
  std::optional<std::uint32_t> io_weight;  // 1..10000

  bool operator==(const Limits&) const = default;
};

}  // namespace agentos
