#include "cli/limits.hpp"

#include <charconv>

#include "agentos/base/text.hpp"

namespace agentos::cli {
namespace {

// A whole number in [least, most]: the kernel's own bounds, so that the mistake is found before anything is started.
Result<std::uint64_t> parse_whole(std::string_view text, std::uint64_t least, std::uint64_t most) {
  std::uint64_t value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value < least || value > most) {
    return fail(ErrorKind::invalid, "'" + printable(text) + "' is not a number from " + std::to_string(least) + " to " +
                                        std::to_string(most));
  }
  return value;
}

constexpr std::uint64_t weight_max = 10'000;   // cpu.weight and io.weight, cgroup v2
constexpr std::uint64_t pids_max = 4'194'304;  // PID_MAX_LIMIT

}  // namespace

void LimitOptions::declare(Options& options) {
  options.value("--memory", "SIZE", memory_, "Most memory, for example 2GiB; past it the kernel kills the agent");
  options.value("--memory-high", "SIZE", memory_high_, "Memory past which it is slowed down");
  options.value("--cpus", "CPUS", cpus_, "Most CPU: 1.5, or 150%");
  options.value("--cpu-weight", "WEIGHT", cpu_weight_, "Share of a busy CPU, 1 to 10000 (default: 100)");
  options.value("--pids", "COUNT", pids_, "Most processes and threads");
  options.value("--io-weight", "WEIGHT", io_weight_, "Share of a busy disk, 1 to 10000 (default: 100)");
}

Result<boost::json::object> LimitOptions::json() const {
  boost::json::object limits;
  const auto put = [&](const char* option, const char* key, const std::string& text, auto parse) -> Result<> {
    if (text.empty()) return {};
    auto value = parse(text);
    if (!value) return std::unexpected(std::move(value).error().within(option));
    limits[key] = *value;
    return {};
  };
  const auto size = [](const std::string& text) { return parse_bytes(text); };
  const auto weight = [](const std::string& text) { return parse_whole(text, 1, weight_max); };
  AGENTOS_TRY(put("--memory", "memory_max", memory_, size));
  AGENTOS_TRY(put("--memory-high", "memory_high", memory_high_, size));
  AGENTOS_TRY(put("--cpus", "cpu_max", cpus_, [](const std::string& text) { return parse_cpu_percent(text); }));
  AGENTOS_TRY(put("--cpu-weight", "cpu_weight", cpu_weight_, weight));
  AGENTOS_TRY(put("--pids", "pids_max", pids_, [](const std::string& text) { return parse_whole(text, 1, pids_max); }));
  AGENTOS_TRY(put("--io-weight", "io_weight", io_weight_, weight));
  return limits;
}

}  // namespace agentos::cli
