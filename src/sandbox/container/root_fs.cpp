#include "sandbox/container/root_fs.hpp"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <string_view>

#include "sandbox/container/mount.hpp"

namespace agentos::container {
namespace {

// Opens a target below the new root. Until the workspace is mounted all of it is ours; afterwards check() lets nothing
// be made in the workspace, only hidden or protected there. No link is followed in any case.
int open_target(int root, const char* target, std::uint64_t flags) {
  const char* relative = target[1] == '\0' ? "." : target + 1;
  open_how how{};
  how.flags = flags | O_CLOEXEC;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
  return static_cast<int>(::syscall(SYS_openat2, root, relative, &how, sizeof how));
}

// The directory that holds `path`, made with all above it where missing; `leaf` is the last name.
int open_parent(int root, std::string_view path, mode_t mode, std::array<char, 256>& leaf) {
  int directory = ::fcntl(root, F_DUPFD_CLOEXEC, 0);
  path.remove_prefix(1);
  while (directory >= 0) {
    const auto slash = path.find('/');
    const auto name = path.substr(0, slash);
    if (name.size() >= leaf.size()) {
      ::close(directory);
      errno = ENAMETOOLONG;
      return -1;
    }
    std::memcpy(leaf.data(), name.data(), name.size());
    leaf[name.size()] = '\0';
    if (slash == std::string_view::npos) break;
    int next = -1;
    if (::mkdirat(directory, leaf.data(), mode) == 0 || errno == EEXIST || errno == EROFS) {
      next = ::openat(directory, leaf.data(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    }
    const int number = errno;
    ::close(directory);
    errno = number;
    directory = next;
    path.remove_prefix(slash + 1);
  }
  return directory;
}

std::uint64_t attributes_of(std::uint32_t flags) {
  return (flags & MountStep::read_only ? MOUNT_ATTR_RDONLY : 0U) |
         (flags & MountStep::no_suid ? MOUNT_ATTR_NOSUID : 0U) | (flags & MountStep::no_dev ? MOUNT_ATTR_NODEV : 0U) |
         (flags & MountStep::no_exec ? MOUNT_ATTR_NOEXEC : 0U);
}

int new_root() {
  return new_mount("tmpfs", "size=1m,nr_inodes=4k,mode=0755", MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
}

constexpr unsigned clone_flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE;

class RootBuilder {
 public:
  static constexpr int no_tree = -1;

  RootBuilder(int root, int workspace, std::span<const int> grants, const Reporter& reporter)
      : root_(root), workspace_(workspace), grants_(grants), reporter_(reporter) {}

  // `source`: of a bind step.
  void execute(const MountStep& step, int source = no_tree) {
    const char* target = step.target.c_str();
    switch (step.kind) {
      case MountStep::Kind::directory:
        make_directory(step);
        return;
      case MountStep::Kind::symlink:
        make_symlink(step);
        return;
      case MountStep::Kind::file:
        make_file(step);
        return;
      case MountStep::Kind::bind:
        if (source != no_tree) bind(step, source);
        return;
      case MountStep::Kind::tmpfs:
        attach(new_mount("tmpfs", step.data.c_str(), attributes_of(step.flags)), step, true);
        return;
      case MountStep::Kind::proc:
        attach(new_mount("proc", step.data.c_str(), attributes_of(step.flags)), step, true);
        return;
      case MountStep::Kind::devpts:
        attach(new_mount("devpts", step.data.c_str(), attributes_of(step.flags)), step, true);
        return;
      case MountStep::Kind::cgroup2:
        attach(new_mount("cgroup2", step.data.c_str(), attributes_of(step.flags)), step, true);
        return;
      case MountStep::Kind::workspace:
        set_flags(workspace_, step);
        attach(workspace_, step, true);
        return;
      case MountStep::Kind::grant:
        grant(step);
        return;
      case MountStep::Kind::seal:
        seal(step, target);
        return;
      case MountStep::Kind::hide:
        hide(step);
        return;
      case MountStep::Kind::protect:
        protect(step);
        return;
    }
  }

  // A tree that is ready, on a folder of the root that is made for it.
  void put(const char* folder, int tree) const {
    const int place = ::mkdirat(root_, folder + 1, 0755) == 0 ? open_target(root_, folder, O_PATH) : -1;
    if (place < 0 || ::move_mount(tree, "", place, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) != 0)
      reporter_.fail("mount", folder);
    ::close(place);
  }

 private:
  void set_flags(int mount, const MountStep& step) const {
    mount_attr attributes{};
    attributes.attr_set = attributes_of(step.flags);
    if (::mount_setattr(mount, "", AT_EMPTY_PATH, &attributes, sizeof attributes) != 0)
      reporter_.fail("set mount flags of", step.target.c_str());
  }

  int parent_of(const MountStep& step, std::array<char, 256>& leaf) const {
    const int directory = open_parent(root_, step.target, 0755, leaf);
    if (directory < 0) reporter_.fail("make the directories above", step.target.c_str());
    return directory;
  }

  void make_directory(const MountStep& step) const {
    if (step.target == "/") return;
    std::array<char, 256> leaf{};
    const int directory = parent_of(step, leaf);
    if (::mkdirat(directory, leaf.data(), step.mode & 0777) != 0 && errno != EEXIST) {
      reporter_.fail("make directory", step.target.c_str());
    }
    if (step.mode > 0777 && ::fchmodat(directory, leaf.data(), step.mode, 0) != 0) {
      reporter_.fail("set mode of directory", step.target.c_str());
    }
    if ((step.flags & MountStep::of_agent) != 0 &&
        ::fchownat(directory, leaf.data(), agent_uid, agent_uid, AT_SYMLINK_NOFOLLOW) != 0) {
      reporter_.fail("give the agent directory", step.target.c_str());
    }
    ::close(directory);
  }

  void make_symlink(const MountStep& step) const {
    std::array<char, 256> leaf{};
    const int directory = parent_of(step, leaf);
    if (::symlinkat(step.source.c_str(), directory, leaf.data()) != 0) reporter_.fail("make link", step.target.c_str());
    ::close(directory);
  }

  void make_file(const MountStep& step) const {
    std::array<char, 256> leaf{};
    const int directory = parent_of(step, leaf);
    const int file =
        ::openat(directory, leaf.data(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, step.mode & 0777);
    if (file < 0 || ::write(file, step.source.data(), step.source.size()) != static_cast<ssize_t>(step.source.size())) {
      reporter_.fail("write", step.target.c_str());
    }
    ::close(file);
    ::close(directory);
  }

  void bind(const MountStep& step, int tree) const {
    mount_attr attributes{};
    attributes.attr_set = attributes_of(step.flags);
    attributes.propagation = MS_PRIVATE;  // what the host mounts there later stays outside
    if (::mount_setattr(tree, "", AT_EMPTY_PATH | AT_RECURSIVE, &attributes, sizeof attributes) != 0) {
      reporter_.fail("set mount flags of", step.source.c_str());
    }
    struct stat status{};
    if (::fstat(tree, &status) != 0) reporter_.fail("stat", step.source.c_str());
    attach(tree, step, S_ISDIR(status.st_mode));
  }

  // Mounts on the target, which is made when it is not there.
  void attach(int mount, const MountStep& step, bool is_directory) const {
    if (mount < 0) reporter_.fail("create the mount for", step.target.c_str());
    int target = open_target(root_, step.target.c_str(), O_PATH);
    if (target < 0 && errno == ENOENT) {
      if ((step.flags & MountStep::optional) != 0 && step.kind == MountStep::Kind::bind && step.source == "/dev/null") {
        ::close(mount);  // nothing to mask
        return;
      }
      std::array<char, 256> leaf{};
      const int directory = parent_of(step, leaf);
      const int made =
          is_directory ? ::mkdirat(directory, leaf.data(), 0755) : ::mknodat(directory, leaf.data(), S_IFREG | 0644, 0);
      if (made != 0) reporter_.fail("make the mount point", step.target.c_str());
      ::close(directory);
      target = open_target(root_, step.target.c_str(), O_PATH);
    }
    if (target < 0) reporter_.fail("open the mount point", step.target.c_str());
    if (::move_mount(mount, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) != 0) {
      reporter_.fail("mount", step.target.c_str());
    }
    ::close(target);
    ::close(mount);
  }

  // "/": this very mount becomes read-only. Elsewhere a read-only clone covers the target.
  void seal(const MountStep& step, const char* target) const {
    mount_attr attributes{};
    attributes.attr_set = MOUNT_ATTR_RDONLY;
    if (step.target == "/") {
      if (::mount_setattr(root_, "", AT_EMPTY_PATH, &attributes, sizeof attributes) != 0) reporter_.fail("seal", "/");
      return;
    }
    const int place = open_target(root_, target, O_PATH);
    if (place < 0) {
      if (errno == ENOENT && (step.flags & MountStep::optional) != 0) return;
      reporter_.fail("open for sealing", target);
    }
    const int clone = ::open_tree(place, "", clone_flags | AT_EMPTY_PATH);
    if (clone < 0 || ::mount_setattr(clone, "", AT_EMPTY_PATH | AT_RECURSIVE, &attributes, sizeof attributes) != 0 ||
        ::move_mount(clone, "", place, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) != 0) {
      reporter_.fail("seal", target);
    }
    ::close(clone);
    ::close(place);
  }

  // "TARGET/SOURCE", with an end at each slash when asked for it: nothing allocates here.
  struct Place {
    explicit Place(const MountStep& step) : base(step.target.size()) {
      std::snprintf(path.data(), path.size(), "%s%s%s", step.target.c_str(), step.source.empty() ? "" : "/",
                    step.source.c_str());
    }
    std::size_t base;
    std::array<char, 2100> path{};  // check() bounds both parts
  };

  // A folder cannot be listed or entered, a file not be opened: with nodev even the null device answers EACCES. The
  // folders above are pinned as in protect(): else the agent could move them, and the next one, for whom it is hidden
  // at its old path, would find it at another.
  void hide(const MountStep& step) const {
    Place place(step);
    const int there = open_target(root_, place.path.data(), O_PATH);
    if (there < 0) {
      if (errno == ENOENT || errno == ENOTDIR) return;
      if (errno == ELOOP) reporter_.fail("hide (a link leads there: name what it leads to)", place.path.data());
      reporter_.fail("hide", place.path.data());
    }
    ::close(there);
    if (!step.source.empty()) pin_above(place, "hide");
    const int target = open_inside(place, "hide");
    struct stat status{};
    if (::fstat(target, &status) != 0) reporter_.fail("hide", place.path.data());
    constexpr std::uint32_t flags = MountStep::read_only | MountStep::no_suid | MountStep::no_dev | MountStep::no_exec;
    int cover = -1;
    if (S_ISDIR(status.st_mode)) {
      cover = new_mount("tmpfs", "size=4k,nr_inodes=2,mode=0000", attributes_of(flags));
    } else {
      const int null = open_target(root_, "/dev/null", O_PATH);
      cover = null < 0 ? -1 : ::open_tree(null, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
      ::close(null);
      mount_attr attributes{};
      attributes.attr_set = attributes_of(flags);
      if (cover >= 0 && ::mount_setattr(cover, "", AT_EMPTY_PATH, &attributes, sizeof attributes) != 0)
        reporter_.fail("hide", place.path.data());
    }
    cover_with(cover, target, place);
  }

  // In another grant it covers what is there and is never made there; the folders above it are pinned as in protect().
  void grant(const MountStep& step) {
    if (next_grant_ >= grants_.size()) reporter_.fail("find what is granted at", step.target.c_str());
    const int mount = grants_[next_grant_++];
    set_flags(mount, step);
    if (!step.source.empty()) {
      Place place(step);
      pin_above(place, "mount on what is not there");
      cover_with(mount, open_inside(place, "mount on what is not there"), place);
      return;
    }
    struct statx status{};
    if (::statx(mount, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_TYPE, &status) != 0)
      reporter_.fail("look at", step.target.c_str());
    attach(mount, step, S_ISDIR(status.stx_mode));
  }

  // Read-only where it stands. The folders above it become mounts too: a mount cannot be renamed, so the agent cannot
  // move them away and put others, with other things in them, in their place.
  void protect(const MountStep& step) const {
    Place place(step);
    constexpr const char* missing = "protect what the workspace does not have";
    pin_above(place, missing);
    const int target = open_inside(place, missing);
    const int clone = ::open_tree(target, "", clone_flags | AT_EMPTY_PATH);
    mount_attr attributes{};
    attributes.attr_set = MOUNT_ATTR_RDONLY;
    if (clone < 0 || ::mount_setattr(clone, "", AT_EMPTY_PATH | AT_RECURSIVE, &attributes, sizeof attributes) != 0)
      reporter_.fail("protect", place.path.data());
    cover_with(clone, target, place);
  }

  void pin_above(Place& place, const char* missing) const {
    for (std::size_t at = place.base + 1; place.path[at] != '\0'; ++at) {
      if (place.path[at] != '/') continue;
      place.path[at] = '\0';
      pin(place, missing);
      place.path[at] = '/';
    }
  }

  void pin(const Place& place, const char* missing) const {
    const int target = open_inside(place, missing);
    struct statx status{};
    if (::statx(target, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_TYPE, &status) != 0)
      reporter_.fail("protect", place.path.data());
    if ((status.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0) {
      ::close(target);
      return;
    }
    cover_with(::open_tree(target, "", clone_flags | AT_EMPTY_PATH), target, place);
  }

  int open_inside(const Place& place, const char* missing) const {
    const int target = open_target(root_, place.path.data(), O_PATH);
    if (target < 0 && errno == ENOENT) reporter_.fail(missing, place.path.data());
    if (target < 0 && errno == ELOOP) reporter_.fail("mount (a link leads there)", place.path.data());
    if (target < 0) reporter_.fail("open", place.path.data());
    return target;
  }

  void cover_with(int mount, int target, const Place& place) const {
    if (mount < 0 || ::move_mount(mount, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) != 0)
      reporter_.fail("mount on", place.path.data());
    ::close(mount);
    ::close(target);
  }

  int root_;
  int workspace_;
  std::span<const int> grants_;
  std::size_t next_grant_{};
  const Reporter& reporter_;
};

}  // namespace

Result<UniqueFd> open_source(const MountStep& step) {
  UniqueFd tree(::open_tree(AT_FDCWD, step.source.c_str(), clone_flags));
  if (tree || (errno == ENOENT && (step.flags & MountStep::optional) != 0)) return tree;
  return fail_errno("open " + step.source + " for binding");
}

void build_root(const std::vector<MountStep>& steps, const RootParts& parts, const Reporter& reporter) {
  ::umask(0);
  // Who is not root of the host may mount a proc only where there is a whole one (user_namespaces(7)): for as long as
  // this takes there is the host's, where nobody looks for it.
  if (::move_mount(parts.host_proc, "", AT_FDCWD, "/proc", MOVE_MOUNT_F_EMPTY_PATH) != 0)
    reporter.fail("have a proc for the new one");
  const int root = new_root();
  if (root < 0) reporter.fail("create the root file system");
  // Not pivot_root(2): it looks at every process of the host. What is under the new root is an empty directory.
  if (::move_mount(root, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH) != 0) reporter.fail("mount the root file system");
  RootBuilder builder(root, parts.workspace, parts.grants, reporter);
  auto built = parts.built.begin();
  auto source = parts.sources.begin();
  for (std::size_t at = 0; at < steps.size(); ++at) {
    if (built != parts.built.end() && at == built->part.begin) {
      builder.put(built->part.folder.c_str(), built->tree.get());
      at = built->part.end - 1;
      ++built;
    } else if (steps[at].kind != MountStep::Kind::bind) {
      builder.execute(steps[at]);
    } else {
      if (source == parts.sources.end()) reporter.fail("find what is bound at", steps[at].target.c_str());
      builder.execute(steps[at], *source++);
    }
  }
  if (::fchdir(parts.host_proc) != 0 || ::umount2(".", MNT_DETACH) != 0) reporter.fail("take away the host's proc");
  if (::fchdir(root) != 0 || ::chroot(".") != 0) reporter.fail("change to the new root");
  ::close(root);
  ::umask(022);
}

void build_part(const std::vector<MountStep>& steps, const Workshop& workshop, const char* place,
                const Reporter& reporter) {
  ::umask(0);
  const int root = new_root();
  if (root < 0) reporter.fail("create the file system of", place);
  RootBuilder builder(root, -1, {}, reporter);
  // Sources are the host's, and only mounts of the own namespace can be cloned: all of them before it changes.
  std::vector<UniqueFd> sources;
  for (const auto& step : steps) {
    auto source = step.kind == MountStep::Kind::bind ? open_source(step) : UniqueFd();
    if (!source) {
      errno = source.error().number();
      reporter.fail("open for binding", step.source.c_str());
    }
    sources.push_back(std::move(*source));
  }
  if (!workshop.enter()) reporter.fail("enter the namespace for mounts");
  if (::move_mount(root, "", AT_FDCWD, place, MOVE_MOUNT_F_EMPTY_PATH) != 0) reporter.fail("mount", place);
  for (std::size_t at = 0; at < steps.size(); ++at) builder.execute(steps[at], sources[at].release());
  builder.execute({MountStep::Kind::seal, 0, 0, {}, "/", {}});
}

}  // namespace agentos::container
