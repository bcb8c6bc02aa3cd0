#include "sandbox/container/grants.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <climits>
#include <string_view>

#include "agentos/base/text.hpp"
#include "os/file.hpp"

namespace agentos::container {
namespace {

// What cannot keep whoever asks it waiting for a user's program, and has files and folders only. The kernel decides on
// top of it: what has no id-mapped mounts is refused there.
constexpr std::array<std::string_view, 17> file_systems{"bcachefs", "btrfs",   "ceph",     "erofs", "exfat", "ext2",
                                                        "ext3",     "ext4",    "f2fs",     "ntfs3", "ocfs2", "tmpfs",
                                                        "ubifs",    "overlay", "squashfs", "vfat",  "xfs"};

std::unexpected<Error> refuse(const std::string& path, std::string_view why) {
  return fail(ErrorKind::forbidden, "'" + printable(path) + "' cannot be granted: " + std::string(why));
}

}  // namespace

// "36 35 98:0 / /home rw - ext4 /dev/sda ...": the kernel escapes blanks in what users choose.
std::string_view type_of_mount(std::string_view mountinfo, std::uint64_t mount) {
  while (!mountinfo.empty()) {
    const auto line = mountinfo.substr(0, mountinfo.find('\n'));
    mountinfo.remove_prefix(std::min(mountinfo.size(), line.size() + 1));
    std::uint64_t number{};
    const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), number);
    if (error != std::errc{} || number != mount) continue;
    const auto separator = line.find(" - ");
    if (separator == line.npos) return {};
    const auto rest = line.substr(separator + 3);
    return rest.substr(0, rest.find(' '));
  }
  return {};
}

namespace {

bool is_same_file(const struct statx& a, const struct statx& b) {
  return a.stx_ino == b.stx_ino && a.stx_dev_major == b.stx_dev_major && a.stx_dev_minor == b.stx_dev_minor;
}

// By another name, where it was bound to another place.
bool is_kept(const struct statx& status) {
  for (const char* folder : {"/", "/usr", "/etc", "/proc", "/sys", "/dev", "/boot", "/run", "/tmp", "/var/tmp", "/home",
                             "/var", "/var/lib", "/var/lib/agentos", "/var/lib/agentos-spawnd"}) {
    struct statx kept{};
    if (::statx(AT_FDCWD, folder, AT_STATX_DONT_SYNC, STATX_INO, &kept) == 0 && is_same_file(status, kept)) return true;
  }
  return false;
}

Result<> check_grant(const std::string& path, int fd, std::string_view mountinfo) {
  const int flags = ::fcntl(fd, F_GETFL);
  if (flags < 0 || (flags & O_PATH) == 0) return refuse(path, "its descriptor was not opened with O_PATH");
  std::array<char, PATH_MAX> place{};
  const std::string link = "/proc/self/fd/" + std::to_string(fd);
  const ssize_t size = ::readlink(link.c_str(), place.data(), place.size());
  if (size < 0) return fail_errno("look at a descriptor");
  if (std::string_view(place.data(), static_cast<std::size_t>(size)) != path)
    return refuse(path, "what was opened is elsewhere now");
  struct statx status{};
  if (::statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_TYPE | STATX_INO | STATX_MNT_ID, &status) != 0)
    return fail_errno("look at '" + printable(path) + "'");
  if ((status.stx_mask & STATX_MNT_ID) == 0)
    return fail(ErrorKind::unsupported, "this kernel does not tell mounts apart", "use Linux 5.8 or newer");
  const auto type = type_of_mount(mountinfo, status.stx_mnt_id);
  if (type.empty()) return refuse(path, "it is on a mount that this host does not have");
  if (std::ranges::find(file_systems, type) == file_systems.end())
    return refuse(path, "it is on a file system of type " + printable(type));
  if ((status.stx_mode & S_IFMT) != S_IFDIR && (status.stx_mode & S_IFMT) != S_IFREG)
    return refuse(path, "it is neither a folder nor a regular file");
  if (is_kept(status)) return refuse(path, "it is a folder of the system by another name");
  return {};
}

}  // namespace

std::string granted_path(const MountStep& step) {
  return step.source.empty() ? step.target : step.target + "/" + step.source;
}

std::size_t grants_of(const Plan& plan) {
  return static_cast<std::size_t>(std::ranges::count(plan.mounts, MountStep::Kind::grant, &MountStep::kind));
}

Result<> check_grants(const Plan& plan, std::span<const UniqueFd> fds) {
  if (fds.empty()) return {};
  const auto mountinfo = AGENTOS_TRY(os::read_file(AT_FDCWD, "/proc/self/mountinfo", 16U << 20U));
  auto fd = fds.begin();
  for (const auto& step : plan.mounts) {
    if (step.kind != MountStep::Kind::grant) continue;
    AGENTOS_TRY(check_grant(granted_path(step), (fd++)->get(), mountinfo));
  }
  return {};
}

}  // namespace agentos::container
