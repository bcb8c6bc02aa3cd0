// Acts as an agent does to files: many random operations that follow from a seed alone, so that they are the same in an
// overlay and in a plain folder; and tells what a tree holds.
//   agent operations SEED COUNT overlay|folder   prints what each came to, then "--", then the tree
//   agent tree [plain]            "plain": without times
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <map>
#include <random>
#include <string>
#include <vector>

namespace {

std::vector<std::string> names_in(const std::string& folder) {
  std::vector<std::string> names;
  DIR* listing = ::opendir(folder.c_str());
  if (listing == nullptr) return names;
  while (const dirent* entry = ::readdir(listing)) {
    const std::string name = entry->d_name;
    if (name != "." && name != "..") names.push_back(name);
  }
  ::closedir(listing);
  std::ranges::sort(names);
  return names;
}

std::map<std::string, std::string> attributes_of(const std::string& path) {
  std::map<std::string, std::string> attributes;
  std::array<char, 4096> list{}, value{};
  const ssize_t size = ::llistxattr(path.c_str(), list.data(), list.size());
  for (ssize_t at = 0; at < size; at += static_cast<ssize_t>(std::strlen(list.data() + at)) + 1) {
    const std::string name = list.data() + at;
    const ssize_t got = ::lgetxattr(path.c_str(), name.c_str(), value.data(), value.size());
    if (got >= 0 && name.starts_with("user."))
      attributes[name] = std::string(value.data(), static_cast<std::size_t>(got));
  }
  return attributes;
}

std::string content_of(const std::string& path) {
  std::string content;
  const int fd = ::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  std::array<char, 65536> buffer{};
  for (ssize_t count = 0; fd >= 0 && (count = ::read(fd, buffer.data(), buffer.size())) > 0;)
    content.append(buffer.data(), static_cast<std::size_t>(count));
  if (fd >= 0) ::close(fd);
  return content;
}

// --- what a tree holds

std::map<ino_t, std::string> first_names;

void print_tree(const std::string& folder, bool times) {
  for (const auto& name : names_in(folder)) {
    const std::string path = folder == "." ? name : folder + "/" + name;
    struct stat status{};
    if (::lstat(path.c_str(), &status) != 0) continue;
    std::printf("%s %o", path.c_str(), status.st_mode);
    if (S_ISREG(status.st_mode)) {
      const auto content = content_of(path);
      std::printf(" %zu %zx", content.size(), std::hash<std::string>()(content));
    }
    if (S_ISLNK(status.st_mode)) {
      std::array<char, 4096> target{};
      if (::readlink(path.c_str(), target.data(), target.size() - 1) > 0) std::printf(" -> %s", target.data());
    }
    for (const auto& [key, value] : attributes_of(path)) std::printf(" %s=%s", key.c_str(), value.c_str());
    if (!S_ISDIR(status.st_mode) && status.st_nlink > 1) {
      const auto [first, is_first] = first_names.try_emplace(status.st_ino, path);
      std::printf(" is %s", first->second.c_str());
    }
    if (times) std::printf(" @%ld.%09ld", status.st_mtim.tv_sec, status.st_mtim.tv_nsec);
    std::printf("\n");
    if (S_ISDIR(status.st_mode)) print_tree(path, times);
  }
}

// --- operations

int error_of(int result) {
  return result < 0 ? errno : 0;
}

bool is_folder(const std::string& path) {
  struct stat status{};
  return ::lstat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}
bool exists(const std::string& path) {
  struct stat status{};
  return ::lstat(path.c_str(), &status) == 0;
}

void remove_tree(const std::string& path) {
  if (is_folder(path)) {
    ::chmod(path.c_str(), 0700);
    for (const auto& name : names_in(path)) remove_tree(path + "/" + name);
    ::rmdir(path.c_str());
  } else {
    ::unlink(path.c_str());
  }
}

void copy_tree(const std::string& from, const std::string& to) {
  struct stat status{};
  if (::lstat(from.c_str(), &status) != 0) return;
  if (S_ISDIR(status.st_mode)) {
    ::chmod(from.c_str(), 0700);
    ::mkdir(to.c_str(), 0700);
    for (const auto& name : names_in(from)) copy_tree(from + "/" + name, to + "/" + name);
  } else if (S_ISLNK(status.st_mode)) {
    std::array<char, 4096> target{};
    if (::readlink(from.c_str(), target.data(), target.size() - 1) <= 0 || ::symlink(target.data(), to.c_str()) != 0)
      std::abort();
    return;
  } else if (S_ISREG(status.st_mode)) {
    const auto content = content_of(from);
    const int fd = ::open(to.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (::write(fd, content.data(), content.size()) < 0) std::abort();
    ::close(fd);
  } else {
    ::mkfifo(to.c_str(), 0600);
  }
  for (const auto& [key, value] : attributes_of(from))
    ::setxattr(to.c_str(), key.c_str(), value.data(), value.size(), 0);
  ::chmod(to.c_str(), status.st_mode & 07777U);
  const timespec times[2] = {status.st_mtim, status.st_mtim};
  ::utimensat(AT_FDCWD, to.c_str(), times, 0);
}

struct Moment {
  long long seconds;
  unsigned nanoseconds;
  auto operator<=>(const Moment&) const = default;
};

Moment born(const std::string& path) {
  struct statx status{};
  ::statx(AT_FDCWD, path.c_str(), AT_SYMLINK_NOFOLLOW, STATX_BTIME, &status);
  return {status.stx_btime.tv_sec, status.stx_btime.tv_nsec};
}

Moment newest_folder(const std::string& folder) {
  Moment newest = born(folder);
  for (const auto& name : names_in(folder)) {
    if (is_folder(folder + "/" + name)) newest = std::max(newest, newest_folder(folder + "/" + name));
  }
  return newest;
}

class Operations {
 public:
  Operations(std::uint64_t seed, bool overlay) : random_(seed), overlay_(overlay), newest_(newest_folder(".")) {
    // Folders made from here on are younger than those that were there.
    for (bool younger = false; !younger;) {
      ::mkdir("probe", 0700);
      younger = born("probe") > newest_;
      ::rmdir("probe");
    }
  }

  void run(int count) {
    for (int i = 0; i < count; ++i) {
      const auto [what, error] = step();
      std::printf("%d %s %s\n", i, what.c_str(), error == 0 ? "" : ::strerrorname_np(error));
    }
  }

 private:
  std::size_t pick(std::size_t below) { return random_() % below; }
  std::string path() {
    static constexpr std::array names{"a", "b", "c", "d", "e", "f.txt", "g", "h h"};
    std::string path = names[pick(names.size())];
    for (std::size_t depth = pick(4); depth > 0; --depth) path += std::string("/") + names[pick(names.size())];
    return path;
  }
  std::string bytes() { return std::string(pick(3000), static_cast<char>('a' + pick(26))); }

  int write_file(const std::string& path, int flags) {
    const auto content = bytes();
    const int fd = ::open(path.c_str(), O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | flags, 0644);
    if (fd < 0) return errno;
    if ((flags & O_APPEND) == 0) ::lseek(fd, static_cast<off_t>(pick(5000)), SEEK_SET);
    if (::write(fd, content.data(), content.size()) < 0) std::abort();
    ::close(fd);
    return 0;
  }

  // As mv(1) does it. A folder that was there before the agent cannot be renamed in an overlay (EXDEV), so it is
  // copied and removed; outside an overlay the same is done to the same folders.
  int move(const std::string& from, const std::string& to) {
    if (!is_folder(from)) return error_of(::rename(from.c_str(), to.c_str()));
    if (to == from || to.starts_with(from + "/")) return EINVAL;
    if (exists(to)) return EEXIST;
    const auto parent_of = [](const std::string& path) {
      const auto slash = path.rfind('/');
      return slash == std::string::npos ? "." : path.substr(0, slash);
    };
    if (!is_folder(parent_of(to))) return ENOENT;
    for (const auto& folder : {from, parent_of(from), parent_of(to)}) {
      if (::access(folder.c_str(), W_OK | X_OK) != 0) return EACCES;
    }
    const bool was_there = !overlay_ && born(from) <= newest_;
    const int error = was_there ? EXDEV : error_of(::rename(from.c_str(), to.c_str()));
    if (error != EXDEV) return error;
    copy_tree(from, to);
    remove_tree(from);
    return 0;
  }

  std::pair<std::string, int> step() {
    const auto kind = pick(100);
    const auto at = path();
    const auto other = path();
    const auto number = std::to_string(pick(3));
    static constexpr std::array<mode_t, 6> file_modes{0644, 0600, 0755, 0444, 0400, 0640};
    static constexpr std::array<mode_t, 6> folder_modes{0755, 0700, 0775, 0555, 0500, 01777};
    if (kind < 21) return {"create " + at, write_file(at, O_CREAT | O_TRUNC)};
    if (kind < 28) return {"append " + at, write_file(at, O_APPEND)};
    if (kind < 33) return {"write " + at, write_file(at, 0)};
    if (kind < 37) return {"truncate " + at, error_of(::truncate(at.c_str(), static_cast<off_t>(pick(4000))))};
    if (kind < 54) return {"mkdir " + at, error_of(::mkdir(at.c_str(), 0755))};
    if (kind < 64) return {"move " + at + " " + other, move(at, other)};
    if (kind < 69) return {"link " + at + " " + other, error_of(::link(at.c_str(), other.c_str()))};
    if (kind < 74) return {"symlink " + at, error_of(::symlink(other.c_str(), at.c_str()))};
    if (kind < 82) {
      struct stat status{};
      if (::lstat(at.c_str(), &status) != 0 || S_ISLNK(status.st_mode)) return {"chmod " + at, ENOENT};
      // An overlay may go on judging by the old mode where the file is opened by another of its names.
      if (!S_ISDIR(status.st_mode) && status.st_nlink > 1) return {"chmod " + at, EMLINK};
      const auto which = pick(6);
      return {"chmod " + at, error_of(::chmod(at.c_str(), is_folder(at) ? folder_modes[which] : file_modes[which]))};
    }
    if (kind < 87) return {"unlink " + at, error_of(::unlink(at.c_str()))};
    if (kind < 89) return {"rmdir " + at, error_of(::rmdir(at.c_str()))};
    if (kind < 90) {
      remove_tree(at);
      return {"remove " + at, 0};
    }
    if (kind < 94)
      return {"attribute " + at, error_of(::lsetxattr(at.c_str(), ("user.k" + number).c_str(), "value", 5, 0))};
    if (kind < 95) return {"no attribute " + at, error_of(::lremovexattr(at.c_str(), ("user.k" + number).c_str()))};
    if (kind < 98) {
      const timespec times[2] = {{static_cast<time_t>(pick(2000000000)), 5},
                                 {static_cast<time_t>(pick(2000000000)), 7}};
      return {"times " + at, error_of(::utimensat(AT_FDCWD, at.c_str(), times, AT_SYMLINK_NOFOLLOW))};
    }
    if (kind < 99) return {"fifo " + at, error_of(::mkfifo(at.c_str(), 0644))};
    if (is_folder(at) || is_folder(other)) return {"exchange", EISDIR};
    return {"exchange " + at + " " + other,
            error_of(::renameat2(AT_FDCWD, at.c_str(), AT_FDCWD, other.c_str(), RENAME_EXCHANGE))};
  }

  std::mt19937_64 random_;
  bool overlay_;
  Moment newest_;
};

}  // namespace

int main(int count, char** arguments) {
  const std::vector<std::string> words(arguments, arguments + count);
  if (count == 5 && words[1] == "operations") {
    Operations(std::stoull(words[2]), words[4] == "overlay").run(std::atoi(words[3].c_str()));
    std::printf("--\n");
    print_tree(".", true);
  } else if (count >= 2 && words[1] == "tree") {
    print_tree(".", count == 2);
  } else {
    return 2;
  }
  return std::fflush(stdout) == 0 ? 0 : 1;
}
