#pragma once

#include "agentos/base/result.hpp"

// What is in regular files. Holes of sparse files are neither read nor written.
namespace agentos::workspace {

[[nodiscard]] Result<bool> same_content(int a, int b);
// Into an empty file; blocks are shared where the file system can.
[[nodiscard]] Result<> copy_content(int from, int to);
// A NUL among the first 8000 bytes: the rule of git.
[[nodiscard]] Result<bool> looks_binary(int fd);

}  // namespace agentos::workspace
