#include "workspace/content.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>

#include "os/file.hpp"

namespace agentos::workspace {
namespace {

constexpr std::size_t piece = 128UL * 1024;

Result<off_t> size_of(int fd) {
  struct stat status{};
  if (::fstat(fd, &status) != 0) return fail_errno("look at a file");
  return status.st_size;
}

// Where the next data is from `at` on; `size` when only a hole is left.
off_t next_data(int fd, off_t at, off_t size) {
  const off_t found = ::lseek(fd, at, SEEK_DATA);
  if (found >= 0) return std::min(found, size);
  return errno == ENXIO ? size : at;  // not told: all of it may be data
}

// Reads until `count` bytes are there or the file ends.
Result<std::size_t> read_at(int fd, char* to, std::size_t count, off_t at) {
  std::size_t done = 0;
  while (done < count) {
    const ssize_t got = ::pread(fd, to + done, count - done, at + static_cast<off_t>(done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail_errno("read");
    if (got == 0) break;
    done += static_cast<std::size_t>(got);
  }
  return done;
}

Result<> copy_through_memory(int from, int to, off_t at, off_t end) {
  const auto buffer = std::make_unique<std::array<char, piece>>();
  if (::lseek(to, at, SEEK_SET) < 0) return fail_errno("seek");
  while (at < end) {
    const auto wanted = std::min(static_cast<std::size_t>(end - at), piece);
    const auto got = AGENTOS_TRY(read_at(from, buffer->data(), wanted, at));
    if (got == 0) break;
    AGENTOS_TRY(os::write_all(to, {buffer->data(), got}));
    at += static_cast<off_t>(got);
  }
  return {};
}

Result<> copy_range(int from, int to, off_t at, off_t end) {
  while (at < end) {
    off_t in = at, out = at;
    const ssize_t count = ::copy_file_range(from, &in, to, &out, static_cast<std::size_t>(end - at), 0);
    if (count < 0 && errno == EINTR) continue;
    // Between file systems, and on some, the kernel does not copy by itself.
    if (count < 0 && (errno == EXDEV || errno == EOPNOTSUPP || errno == EINVAL || errno == ENOSYS))
      return copy_through_memory(from, to, at, end);
    if (count < 0) return fail_errno("copy");
    if (count == 0) return copy_through_memory(from, to, at, end);
    at += count;
  }
  return {};
}

}  // namespace

Result<bool> same_content(int a, int b) {
  const off_t size = AGENTOS_TRY(size_of(a));
  if (size != AGENTOS_TRY(size_of(b))) return false;
  const auto buffers = std::make_unique<std::array<std::array<char, piece>, 2>>();
  auto& [left, right] = *buffers;
  for (off_t at = 0; at < size;) {
    at = std::min(next_data(a, at, size), next_data(b, at, size));
    if (at >= size) break;
    const auto got = AGENTOS_TRY(read_at(a, left.data(), piece, at));
    if (got != AGENTOS_TRY(read_at(b, right.data(), piece, at))) return false;
    if (std::memcmp(left.data(), right.data(), got) != 0) return false;
    if (got == 0) break;
    at += static_cast<off_t>(got);
  }
  return true;
}

Result<> copy_content(int from, int to) {
  const off_t size = AGENTOS_TRY(size_of(from));
  for (off_t at = 0; at < size;) {
    at = next_data(from, at, size);
    if (at >= size) break;
    const off_t hole = ::lseek(from, at, SEEK_HOLE);
    const off_t end = hole < 0 ? size : std::min(hole, size);
    AGENTOS_TRY(copy_range(from, to, at, end));
    at = end;
  }
  // A hole at the end.
  if (::ftruncate(to, size) != 0) return fail_errno("set size");
  return {};
}

Result<bool> looks_binary(int fd) {
  std::array<char, 8000> start{};
  const auto got = AGENTOS_TRY(read_at(fd, start.data(), start.size(), 0));
  return std::memchr(start.data(), '\0', got) != nullptr;
}

}  // namespace agentos::workspace
