#include "workspace/tree.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <memory>

#include "os/file.hpp"

namespace agentos::workspace {

Result<std::optional<struct stat>> look(int directory, const std::string& name) {
  struct stat status{};
  if (::fstatat(directory, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0) return status;
  // ENOTDIR: `directory` is not one any more.
  if (errno == ENOENT || errno == ENOTDIR) return std::nullopt;
  return fail_errno("look at " + name);
}

Kind kind_of(const struct stat& status) {
  switch (status.st_mode & S_IFMT) {
    case S_IFREG:
      return Kind::file;
    case S_IFDIR:
      return Kind::directory;
    case S_IFLNK:
      return Kind::symlink;
    case S_IFIFO:
      return Kind::fifo;
    default:
      return Kind::special;
  }
}

Side side_of(const struct stat& status) {
  const Kind kind = kind_of(status);
  const bool sized = kind == Kind::file || kind == Kind::symlink;
  return {kind, status.st_mode & 07777U, sized ? static_cast<std::uint64_t>(status.st_size) : 0};
}

bool since(const timespec& at, TimePoint time) {
  const auto milliseconds = time.time_since_epoch().count();
  return at.tv_sec != milliseconds / 1000 ? at.tv_sec > milliseconds / 1000
                                          : at.tv_nsec / 1000000 >= milliseconds % 1000;
}

Result<UniqueFd> open_folder(int parent, const std::string& name) {
  UniqueFd fd(::openat(parent, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!fd) return fail_errno("open folder " + name);
  return fd;
}

Result<UniqueFd> open_file(int parent, const std::string& name) {
  UniqueFd fd(::openat(parent, name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  if (!fd) return fail_errno("open " + name);
  struct stat status{};
  if (::fstat(fd.get(), &status) != 0) return fail_errno("look at " + name);
  if (!S_ISREG(status.st_mode)) return fail(ErrorKind::conflict, name + " is no file any more");
  return fd;
}

Result<std::string> link_target(int parent, const std::string& name) {
  std::string target(PATH_MAX, '\0');
  const ssize_t size = ::readlinkat(parent, name.c_str(), target.data(), target.size());
  if (size < 0) return fail_errno("read link " + name);
  target.resize(static_cast<std::size_t>(size));
  return target;
}

Result<UniqueFd> open_folder_at(int root, std::string_view path) {
  return os::open_beneath(root, path.empty() ? "." : std::string(path), O_RDONLY | O_DIRECTORY);
}

Result<std::vector<std::string>> names_in(int directory) {
  // Opened again, because reading moves the position that a duplicate would share.
  UniqueFd fd(::openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd) return fail_errno("open folder");
  const std::unique_ptr<DIR, int (*)(DIR*)> listing(::fdopendir(fd.get()), ::closedir);
  if (!listing) return fail_errno("list folder");
  [[maybe_unused]] const int owned = fd.release();
  std::vector<std::string> names;
  for (;;) {
    errno = 0;
    const dirent* entry = ::readdir(listing.get());
    if (entry == nullptr && errno != 0) return fail_errno("list folder");
    if (entry == nullptr) break;
    const std::string_view name(entry->d_name);
    if (name != "." && name != "..") names.emplace_back(name);
    if (names.size() > max_entries) {
      return fail(ErrorKind::exhausted, "a folder with more than " + std::to_string(max_entries) + " entries");
    }
  }
  std::ranges::sort(names);
  return names;
}

namespace {

constexpr std::string_view overlay_prefix = "user.overlay.";

bool is_kept(std::string_view name) {
  if (name == "system.posix_acl_access" || name == "system.posix_acl_default") return true;
  return name.starts_with("user.") && !name.starts_with(overlay_prefix);
}

Result<std::string> attribute(int fd, const std::string& name) {
  std::string value;
  for (;;) {
    const ssize_t size = ::fgetxattr(fd, name.c_str(), nullptr, 0);
    if (size < 0) return fail_errno("read attribute " + name);
    value.resize(static_cast<std::size_t>(size));
    const ssize_t got = ::fgetxattr(fd, name.c_str(), value.data(), value.size());
    if (got < 0 && errno == ERANGE) continue;  // it grew
    if (got < 0) return fail_errno("read attribute " + name);
    value.resize(static_cast<std::size_t>(got));
    return value;
  }
}

}  // namespace

Result<Attributes> attributes_of(int fd) {
  Attributes attributes;
  std::string list;
  for (;;) {
    const ssize_t size = ::flistxattr(fd, nullptr, 0);
    if (size < 0 && errno == EOPNOTSUPP) return attributes;
    if (size < 0) return fail_errno("list attributes");
    list.resize(static_cast<std::size_t>(size));
    const ssize_t got = ::flistxattr(fd, list.data(), list.size());
    if (got < 0 && errno == ERANGE) continue;
    if (got < 0) return fail_errno("list attributes");
    list.resize(static_cast<std::size_t>(got));
    break;
  }
  std::string_view rest = list;
  while (!rest.empty()) {
    const std::string name(rest.substr(0, rest.find('\0')));
    rest.remove_prefix(std::min(rest.size(), name.size() + 1));
    if (is_kept(name)) attributes[name] = AGENTOS_TRY(attribute(fd, name));
  }
  return attributes;
}

Result<> set_attributes(int fd, const Attributes& wanted) {
  const auto have = AGENTOS_TRY(attributes_of(fd));
  for (const auto& [name, value] : have) {
    if (!wanted.contains(name) && ::fremovexattr(fd, name.c_str()) != 0 && errno != ENODATA)
      return fail_errno("remove attribute " + name);
  }
  for (const auto& [name, value] : wanted) {
    const auto found = have.find(name);
    if (found != have.end() && found->second == value) continue;
    if (::fsetxattr(fd, name.c_str(), value.data(), value.size(), 0) != 0) return fail_errno("set attribute " + name);
  }
  return {};
}

std::optional<std::string> overlay_mark(int fd, const char* name) {
  auto value = attribute(fd, std::string(overlay_prefix) + name);
  if (!value) return std::nullopt;
  return std::move(*value);
}

namespace {

constexpr const char* mode_mark = "agentos.mode";          // on a folder: its mode, in octal
constexpr const char* widening_mark = "agentos.widening";  // on its parent: inode and mode of the last one widened
constexpr const char* times_mark = "agentos.times";        // on a folder: its times

Result<> set_mark(int fd, const char* mark, const std::string& value) {
  if (::fsetxattr(fd, (std::string(overlay_prefix) + mark).c_str(), value.data(), value.size(), 0) != 0)
    return fail_errno("remember the mode of a folder of the layer");
  return {};
}

std::string octal(std::uint32_t mode) {
  std::array<char, 8> text{};
  return {text.data(), std::to_chars(text.data(), text.data() + text.size(), mode & 07777U, 8).ptr};
}

std::uint32_t from_octal(std::string_view text) {
  std::uint32_t mode = 0;
  std::from_chars(text.data(), text.data() + text.size(), mode, 8);
  return mode & 07777U;
}

}  // namespace

Result<UniqueFd> open_layer_folder(int parent, const std::string& name, const struct stat& status, std::uint32_t& mode,
                                   bool widen) {
  mode = status.st_mode & 07777U;
  const auto inode = std::to_string(status.st_ino) + " ";
  // An attribute of a folder can be set only when it is writable, and a crash may come between the two: so its mode is
  // first noted on its parent, which is writable by now.
  if (widen && (mode & 0700U) != 0700U && ::geteuid() != 0) {
    AGENTOS_TRY(set_mark(parent, widening_mark, inode + octal(mode)));
    if (!add_owner_rights(parent, name, 0700)) return fail_errno("make " + name + " readable");
  }
  auto fd = AGENTOS_TRY(open_folder(parent, name));
  if (const auto own = overlay_mark(fd.get(), mode_mark)) {
    mode = from_octal(*own);
  } else if (const auto noted = overlay_mark(parent, widening_mark); noted && noted->starts_with(inode)) {
    mode = from_octal(std::string_view(*noted).substr(inode.size()));
    if (widen) AGENTOS_TRY(set_mark(fd.get(), mode_mark, octal(mode)));
  }
  return fd;
}

Result<> remember_times(int folder) {
  struct stat status{};
  if (::fstat(folder, &status) != 0) return fail_errno("look at a folder of the layer");
  const std::array<timespec, 2> times{status.st_atim, status.st_mtim};
  const auto name = std::string(overlay_prefix) + times_mark;
  if (::fsetxattr(folder, name.c_str(), times.data(), sizeof times, XATTR_CREATE) != 0 && errno != EEXIST)
    return fail_errno("remember the times of a folder of the layer");
  return {};
}

void recall_times(int folder, struct stat& status) {
  std::array<timespec, 2> times{};
  const auto mark = overlay_mark(folder, times_mark);
  if (!mark || mark->size() != sizeof times) return;
  std::memcpy(times.data(), mark->data(), sizeof times);
  status.st_atim = times[0];
  status.st_mtim = times[1];
}

bool add_owner_rights(int parent, const std::string& name, unsigned rights) {
  // fchmodat(2) would follow a link; a descriptor that only names the file does not.
  const UniqueFd fd(::openat(parent, name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
  struct stat status{};
  if (!fd || ::fstat(fd.get(), &status) != 0 || S_ISLNK(status.st_mode)) return false;
  return ::chmod(("/proc/self/fd/" + std::to_string(fd.get())).c_str(), (status.st_mode & 07777U) | rights) == 0;
}

}  // namespace agentos::workspace
