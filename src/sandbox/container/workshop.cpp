#include "sandbox/container/workshop.hpp"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <span>

#include "sandbox/container/mount.hpp"

namespace agentos::container {
namespace {

constexpr const char* lower_place = "/lower";
constexpr const char* layer_place = "/layer";
constexpr const char* nothing = "/nothing";

// statmount(2) of Linux 6.8; older headers lack it.
constexpr long statmount_call = 457;
constexpr unsigned statx_mount_id_unique = 0x4000;
constexpr std::uint64_t statmount_super_block = 1;
struct MountIdRequest {
  std::uint32_t size, spare;
  std::uint64_t mount_id, parameter;
};
struct MountStatus {
  std::uint32_t size, options;
  std::uint64_t mask;
  std::uint32_t device_major, device_minor;
  std::uint64_t magic;
  std::array<std::uint64_t, 64> rest;
};

// A file system that a user serves can keep whoever asks it waiting, and this has one thread. Where FUSE has id-mapped
// mounts (Linux 6.12) there is statmount too, which asks nobody. Of a mount that is attached.
bool is_served_by_a_user(const UniqueFd& mount) {
  constexpr std::uint64_t fuse = 0x65735546;
  struct statx status{};
  if (::statx(mount.get(), "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, statx_mount_id_unique, &status) != 0 ||
      (status.stx_mask & statx_mount_id_unique) == 0) {
    return false;
  }
  MountIdRequest request{sizeof request, 0, status.stx_mnt_id, statmount_super_block};
  MountStatus found{};
  return ::syscall(statmount_call, &request, &found, sizeof found, 0) != 0 || found.magic == fuse;
}

Result<UniqueFd> open_path(const char* path) {
  UniqueFd fd(::open(path, O_RDONLY | O_CLOEXEC));
  if (!fd) return fail_errno(std::string("open ") + path);
  return fd;
}

// In a new mount namespace: leaves a root that holds nothing but these empty directories.
Result<> furnish(const char* options, std::span<const char* const> places, std::uint64_t attributes) {
  if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return fail_errno("keep mounts apart");
  const UniqueFd root(new_mount("tmpfs", options, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV));
  if (!root || ::move_mount(root.get(), "", AT_FDCWD, "/tmp", MOVE_MOUNT_F_EMPTY_PATH) != 0) {
    return fail_errno("make a root for mounts");
  }
  for (const char* place : places) {
    if (::mkdirat(root.get(), place + 1, 0755) != 0) return fail_errno(std::string("make ") + place);
  }
  mount_attr more{};
  more.attr_set = attributes;
  if (::mount_setattr(root.get(), "", AT_EMPTY_PATH, &more, sizeof more) != 0) return fail_errno("seal a root");
  // The host's mounts come off, or they would stay busy for as long as this runs.
  if (::fchdir(root.get()) != 0 || ::syscall(SYS_pivot_root, ".", ".") != 0 || ::umount2(".", MNT_DETACH) != 0) {
    return fail_errno("let go of the host's mounts");
  }
  return {};
}

Result<> furnish_workshop() {
  constexpr std::array places{lower_place, layer_place, nothing};
  return furnish("size=64k,nr_inodes=64,mode=0700", places, 0);
}

Result<> furnish_empty() {
  constexpr std::array places{"/proc"};
  return furnish("size=4k,nr_inodes=4,mode=0755", places, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOEXEC);
}

Result<> enter_namespace(const UniqueFd& space) {
  if (::setns(space.get(), CLONE_NEWNS) != 0) return fail_errno("enter the namespace for mounts");
  return {};
}

}  // namespace

Result<Workshop> Workshop::create() {
  Workshop workshop(AGENTOS_TRY(open_path("/proc/self/ns/mnt")), AGENTOS_TRY(open_path("/")));
  workshop.inside_ = AGENTOS_TRY(workshop.make(furnish_workshop));
  workshop.empty_ = AGENTOS_TRY(workshop.make(furnish_empty));
  return workshop;
}

Result<UniqueFd> Workshop::make(Result<> (*furnish)()) const {
  if (::unshare(CLONE_NEWNS) != 0) return fail_errno("create a mount namespace");
  auto made = open_path("/proc/self/ns/mnt");
  const auto furnished = made ? furnish() : std::unexpected(made.error());
  return_home();
  if (!furnished) return std::unexpected(furnished.error());
  return made;
}

Result<> Workshop::enter() const {
  return enter_namespace(inside_);
}

Result<> Workshop::enter_empty() const {
  return enter_namespace(empty_);
}

// setns(2) also goes to the root of the namespace, which is not that of a process in a chroot.
void Workshop::return_home() const {
  AGENTOS_ASSERT(::setns(home_.get(), CLONE_NEWNS) == 0);
  AGENTOS_ASSERT(::fchdir(root_.get()) == 0 && ::chroot(".") == 0);
}

Result<UniqueFd> Workshop::overlay(UniqueFd lower, UniqueFd layer) const {
  AGENTOS_TRY(enter());
  auto made = assemble(lower, layer);
  for (const char* place : {lower_place, layer_place}) {
    // EINVAL: nothing was mounted there. Anything else would show the next agent this one's files.
    AGENTOS_ASSERT(::umount2(place, MNT_DETACH | UMOUNT_NOFOLLOW) == 0 || errno == EINVAL);
  }
  return_home();
  return made;
}

Result<UniqueFd> Workshop::assemble(const UniqueFd& lower, const UniqueFd& layer) const {
  const auto attach = [](const UniqueFd& mount, const char* place) {
    return ::move_mount(mount.get(), "", AT_FDCWD, place, MOVE_MOUNT_F_EMPTY_PATH) == 0;
  };
  if ((lower && !attach(lower, lower_place)) || !attach(layer, layer_place))
    return fail_errno("mount the layer's parts");
  if (lower && is_served_by_a_user(lower)) {
    return fail(ErrorKind::unsupported, "the workspace is on a file system that a user serves (FUSE)",
                "use a directory on a disk, or --workspace DIR:bind");
  }
  // No index: it serves overlays that are mounted again, and these never are. Volatile (Linux 5.10): else the end of an
  // agent, and each of its fsync(2)s, writes back all that is dirty on the file system of the layers, whoever wrote it.
  // What that gives up is what an agent wrote in the last seconds before the host lost its power.
  UniqueFd mount(
      new_mount("overlay",
                lower ? "lowerdir=/lower,upperdir=/layer/upper,workdir=/layer/work,index=off,userxattr,volatile"
                      : "lowerdir=/nothing,upperdir=/layer/upper,workdir=/layer/work,index=off,userxattr,volatile",
                MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV));
  if (!mount) return fail_errno("mount the layer over the workspace");
  // Where overlayfs cannot use its work directory it mounts read-only and only logs it.
  struct statvfs status{};
  if (::fstatvfs(mount.get(), &status) != 0) return fail_errno("look at the layer");
  if ((status.f_flag & ST_RDONLY) != 0) {
    return fail(ErrorKind::unsupported, "this host's file system takes no layer (see the kernel's log: overlayfs)",
                "keep /var/lib on ext4, xfs or btrfs");
  }
  return mount;
}

}  // namespace agentos::container
