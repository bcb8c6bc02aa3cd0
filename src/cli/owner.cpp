#include "cli/owner.hpp"

#include <pwd.h>
#include <sys/types.h>

#include <array>

namespace agentos::cli {

std::string Owners::name(std::optional<std::int64_t> uid) {
  if (!uid) return {};
  const auto [found, added] = names_.try_emplace(*uid, std::to_string(*uid));
  if (added) {
    passwd entry{};
    passwd* result = nullptr;
    std::array<char, 16384> buffer{};
    if (::getpwuid_r(static_cast<uid_t>(*uid), &entry, buffer.data(), buffer.size(), &result) == 0 &&
        result != nullptr) {
      found->second = entry.pw_name;
    }
  }
  return found->second;
}

}  // namespace agentos::cli
