#include "policy/policy.hpp"

#include <algorithm>

#include "agentos/base/text.hpp"

namespace agentos::policy {

std::string Origin::text() const {
  return line == 0 ? file : file + ":" + std::to_string(line) + ":" + std::to_string(column);
}

std::string text(Level) {
  return "container";
}

std::string text(User) {
  return "agent";
}

std::string text(Seccomp value) {
  return value == Seccomp::strict ? "strict" : "agent";
}

std::string text(OnMissing value) {
  return value == OnMissing::warn ? "warn" : "refuse";
}

std::string text(WorkspaceMode value) {
  return std::string(name(value));
}

std::string text(Bytes value) {
  constexpr std::array<std::string_view, 5> units{"", "KiB", "MiB", "GiB", "TiB"};
  std::size_t unit = 0;
  auto count = value.count;
  for (; count != 0 && count % 1024 == 0 && unit + 1 < units.size(); ++unit) count /= 1024;
  return std::to_string(count) + std::string(units[unit]);
}

std::string text(Count value) {
  return std::to_string(value.count);
}

std::string text(Percent value) {
  return std::to_string(value.percent) + "%";
}

std::string text(Weight value) {
  return std::to_string(value.weight);
}

std::string text(std::chrono::milliseconds value) {
  struct Unit {
    std::string_view name;
    std::int64_t size;
  };
  constexpr std::array units{Unit{"d", 86'400'000}, Unit{"h", 3'600'000}, Unit{"m", 60'000}, Unit{"s", 1000},
                             Unit{"ms", 1}};
  std::string words;
  auto rest = value.count();
  for (const auto& [name, size] : units) {
    if (rest >= size) words += std::to_string(rest / size) + std::string(name);
    rest %= size;
  }
  return words.empty() ? "0s" : words;
}

Limits limits_of(const Policy& policy) {
  Limits limits;
  if (policy.memory) limits.memory_max = policy.memory->value.count;
  if (policy.memory_high) limits.memory_high = policy.memory_high->value.count;
  if (policy.cpu) limits.cpu_max = policy.cpu->value.percent;
  if (policy.weight) limits.cpu_weight = policy.weight->value.weight;
  if (policy.pids) limits.pids_max = policy.pids->value.count;
  if (policy.io) limits.io_weight = policy.io->value.weight;
  return limits;
}

Policy asked_for(const Limits& limits) {
  Policy policy;
  if (limits.memory_max) policy.memory = {{*limits.memory_max}, {"--memory", 0, 0}};
  if (limits.memory_high) policy.memory_high = {{*limits.memory_high}, {"--memory-high", 0, 0}};
  if (limits.cpu_max) policy.cpu = {{*limits.cpu_max}, {"--cpus", 0, 0}};
  if (limits.cpu_weight) policy.weight = {{*limits.cpu_weight}, {"--cpu-weight", 0, 0}};
  if (limits.pids_max) policy.pids = {{*limits.pids_max}, {"--pids", 0, 0}};
  if (limits.io_weight) policy.io = {{*limits.io_weight}, {"--io-weight", 0, 0}};
  return policy;
}

bool covers(std::string_view entry, std::string_view other) {
  if (!entry.ends_with('*')) return entry == other;
  entry.remove_suffix(1);
  return other.starts_with(entry);
}

bool passes(const Policy& policy, std::string_view name) {
  return !policy.pass ||
         std::ranges::any_of(*policy.pass, [&](const auto& entry) { return covers(entry.value, name); });
}

}  // namespace agentos::policy
