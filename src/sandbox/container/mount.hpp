#pragma once

#include <cstdint>

namespace agentos::container {

// A new file system with options "a=b,c,d=e" and these attributes (MOUNT_ATTR_*), as a detached mount. -1 and errno.
// Allocates nothing.
[[nodiscard]] int new_mount(const char* type, const char* options, std::uint64_t attributes);

}  // namespace agentos::container
