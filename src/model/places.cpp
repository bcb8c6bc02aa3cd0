#include "agentos/model/places.hpp"

#include <algorithm>
#include <array>

namespace agentos {
namespace {

// What is given is mounted at its own path, so it must not cover or lie in what the sandbox is made of either.
constexpr auto of_the_system =
    std::to_array<std::string_view>({"/usr", "/etc", "/proc", "/sys", "/dev", "/bin", "/sbin", "/boot", "/run",
                                     "/var/run", "/var/lib/agentos", "/var/lib/agentos-spawnd"});
// These exist new and empty in every sandbox. Below them something may be given; on or above them it would put the
// host's there.
constexpr auto own = std::to_array<std::string_view>({"/tmp", "/var/tmp", "/home/agent"});

}  // namespace

bool is_within(std::string_view path, std::string_view folder) {
  return folder == "/" || (path.starts_with(folder) && (path.size() == folder.size() || path[folder.size()] == '/'));
}

bool is_of_the_system(std::string_view path) {
  // /lib, /lib32, /lib64, /libx32 and whatever the next one is called
  return path.starts_with("/lib") ||
         std::ranges::any_of(of_the_system, [&](auto folder) { return is_within(path, folder); });
}

std::string fault_of_place(std::string_view path) {
  if (path == "/") return "is the whole file system";
  if (is_of_the_system(path)) return "belongs to the system";
  for (const auto folder : of_the_system) {
    if (is_within(folder, path)) return "contains " + std::string(folder) + ", which belongs to the system";
  }
  for (const auto folder : own) {
    if (is_within(folder, path)) return "would replace " + std::string(folder) + ", which every agent has for itself";
  }
  return {};
}

}  // namespace agentos
