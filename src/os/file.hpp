#pragma once

#include <fcntl.h>

#include <cstddef>
#include <string>
#include <string_view>

#include "agentos/base/fd.hpp"
#include "agentos/base/result.hpp"

namespace agentos::os {

// The whole content, up to `limit` bytes (larger: ErrorKind::exhausted). `path` is relative to `directory` (AT_FDCWD:
// absolute).
[[nodiscard]] Result<std::string> read_file(int directory, const std::string& path, std::size_t limit = 1 << 20);
[[nodiscard]] Result<std::string> read_all(int fd, std::size_t limit);
// One write(2) to an existing file, as kernel files want it.
[[nodiscard]] Result<> write_file(int directory, const std::string& path, std::string_view content);
[[nodiscard]] Result<> write_all(int fd, std::string_view content);

// openat2(2) that stays below `directory` and follows no link of any kind: what root uses on paths others can change.
[[nodiscard]] Result<UniqueFd> open_beneath(int directory, const std::string& path, int flags, unsigned mode = 0);

// A memory file with this content that nobody can change any more.
[[nodiscard]] Result<UniqueFd> sealed_memory(const char* name, std::string_view content);
// The content of such a file; refuses one that is not sealed against writing, shrinking and growing.
[[nodiscard]] Result<std::string> read_sealed(int fd, std::size_t limit);

}  // namespace agentos::os
