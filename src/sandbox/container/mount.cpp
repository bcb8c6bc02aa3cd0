#include "sandbox/container/mount.hpp"

#include <sys/mount.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>

namespace agentos::container {
namespace {

// Sets what `options` lists; false and errno.
bool configure(int context, std::string_view options) {
  while (!options.empty()) {
    const auto option = options.substr(0, options.find(','));
    options.remove_prefix(std::min(options.size(), option.size() + 1));
    std::array<char, 128> text{};
    if (option.size() >= text.size()) {
      errno = ENAMETOOLONG;
      return false;
    }
    std::memcpy(text.data(), option.data(), option.size());
    char* value = std::strchr(text.data(), '=');
    if (value != nullptr) *value++ = '\0';
    const unsigned command = value == nullptr ? FSCONFIG_SET_FLAG : FSCONFIG_SET_STRING;
    if (::fsconfig(context, command, text.data(), value, 0) != 0) return false;
  }
  return ::fsconfig(context, FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) == 0;
}

}  // namespace

int new_mount(const char* type, const char* options, std::uint64_t attributes) {
  const int context = ::fsopen(type, FSOPEN_CLOEXEC);
  if (context < 0) return -1;
  const int mount =
      configure(context, options) ? ::fsmount(context, FSMOUNT_CLOEXEC, static_cast<unsigned>(attributes)) : -1;
  const int number = errno;
  ::close(context);
  errno = number;
  return mount;
}

}  // namespace agentos::container
