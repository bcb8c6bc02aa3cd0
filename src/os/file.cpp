#include "os/file.hpp"

#include <linux/openat2.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

namespace agentos::os {

Result<std::string> read_all(int fd, std::size_t limit) {
  std::string content;
  char buffer[16384];
  for (;;) {
    const ssize_t count = ::read(fd, buffer, sizeof buffer);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail_errno("read");
    if (count == 0) return content;
    content.append(buffer, static_cast<std::size_t>(count));
    if (content.size() > limit) return fail(ErrorKind::exhausted, "larger than " + std::to_string(limit) + " bytes");
  }
}

Result<std::string> read_file(int directory, const std::string& path, std::size_t limit) {
  const UniqueFd fd(::openat(directory, path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
  if (!fd) return fail_errno("open " + path);
  auto content = read_all(fd.get(), limit);
  if (!content) return std::unexpected(std::move(content).error().within(path));
  return content;
}

Result<> write_file(int directory, const std::string& path, std::string_view content) {
  const UniqueFd fd(::openat(directory, path.c_str(), O_WRONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY));
  if (!fd) return fail_errno("open " + path);
  if (::write(fd.get(), content.data(), content.size()) != static_cast<ssize_t>(content.size())) {
    return fail_errno("write '" + std::string(content) + "' to " + path);
  }
  return {};
}

Result<> write_all(int fd, std::string_view content) {
  while (!content.empty()) {
    const ssize_t count = ::write(fd, content.data(), content.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail_errno("write");
    content.remove_prefix(static_cast<std::size_t>(count));
  }
  return {};
}

Result<UniqueFd> open_beneath(int directory, const std::string& path, int flags, unsigned mode) {
  open_how how{};
  how.flags = static_cast<unsigned>(flags) | O_CLOEXEC;
  how.mode = mode;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
  UniqueFd fd(static_cast<int>(::syscall(SYS_openat2, directory, path.c_str(), &how, sizeof how)));
  if (!fd) return fail_errno("open " + path);
  return fd;
}

namespace {
constexpr int seals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
}

Result<UniqueFd> sealed_memory(const char* name, std::string_view content) {
  UniqueFd fd(::memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!fd) return fail_errno("memfd_create");
  AGENTOS_TRY(write_all(fd.get(), content));
  if (::fcntl(fd.get(), F_ADD_SEALS, seals) != 0) return fail_errno("seal memory file");
  return fd;
}

Result<std::string> read_sealed(int fd, std::size_t limit) {
  const int have = ::fcntl(fd, F_GET_SEALS);
  if (have < 0 || (have & seals) != seals) return fail(ErrorKind::invalid, "not a sealed memory file");
  struct stat status{};
  if (::fstat(fd, &status) != 0) return fail_errno("stat memory file");
  if (static_cast<std::size_t>(status.st_size) > limit) return fail(ErrorKind::exhausted, "memory file too large");
  std::string content(static_cast<std::size_t>(status.st_size), '\0');
  if (::pread(fd, content.data(), content.size(), 0) != status.st_size) return fail_errno("read memory file");
  return content;
}

}  // namespace agentos::os
