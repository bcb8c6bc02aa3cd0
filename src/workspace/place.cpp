#include "workspace/place.hpp"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "workspace/content.hpp"
#include "workspace/tree.hpp"

namespace agentos::workspace {
namespace {

Error changed(const Place& place) {
  return {ErrorKind::conflict, place.name + " changed in the workspace at this moment",
          "look at 'agentos diff' again, then commit again"};
}

std::array<timespec, 2> times_of(const Entry& entry) {
  return {entry.upper.st_atim, entry.upper.st_mtim};
}

void remove_temporary(const Place& place) {
  // Its failure is told by whoever finds the name taken.
  if (::unlinkat(place.lower, place.temporary.c_str(), 0) != 0)
    ::unlinkat(place.lower, place.temporary.c_str(), AT_REMOVEDIR);
}

// Everything of the file but its name.
Result<> fill_file(const Place& place, const Entry& entry, int to) {
  auto from = open_file(place.upper, place.name);
  if (!from && from.error().kind() == ErrorKind::forbidden && add_owner_rights(place.upper, place.name, 0400)) {
    from = open_file(place.upper, place.name);
    if (from && ::fchmod(from->get(), entry.change.after.mode) != 0) return fail_errno("put back the mode");
  }
  if (!from) return std::unexpected(from.error());
  struct stat status{};
  if (::fstat(from->get(), &status) != 0) return fail_errno("look at " + place.name);
  if (status.st_ino != entry.upper.st_ino) return fail(ErrorKind::conflict, place.name + " changed in the layer");
  AGENTOS_TRY(copy_content(from->get(), to));
  const auto attributes = AGENTOS_TRY(attributes_of(from->get()));
  AGENTOS_TRY(set_attributes(to, attributes));
  if (::fchmod(to, kept_mode(Kind::file, entry.change.after.mode)) != 0) return fail_errno("set mode");
  if (::futimens(to, times_of(entry).data()) != 0) return fail_errno("set times");
  return {};
}

Result<> make_file(const Place& place, const Entry& entry) {
  const UniqueFd to(
      ::openat(place.lower, place.temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!to) return fail_errno("make a temporary file beside " + place.name);
  AGENTOS_TRY(fill_file(place, entry, to.get()));
  if (::fsync(to.get()) != 0) return fail_errno("write to disk");
  return {};
}

Result<> make_symlink(const Place& place, const Entry& entry) {
  const auto target = AGENTOS_TRY(link_target(place.upper, place.name));
  if (::symlinkat(target.c_str(), place.lower, place.temporary.c_str()) != 0) return fail_errno("make a link");
  if (::utimensat(place.lower, place.temporary.c_str(), times_of(entry).data(), AT_SYMLINK_NOFOLLOW) != 0)
    return fail_errno("set times");
  return {};
}

Result<> make_fifo(const Place& place, const Entry& entry) {
  if (::mknodat(place.lower, place.temporary.c_str(), S_IFIFO, 0) != 0) return fail_errno("make a fifo");
  if (!add_owner_rights(place.lower, place.temporary, kept_mode(Kind::fifo, entry.change.after.mode)))
    return fail_errno("set mode");
  if (::utimensat(place.lower, place.temporary.c_str(), times_of(entry).data(), AT_SYMLINK_NOFOLLOW) != 0)
    return fail_errno("set times");
  return {};
}

// The temporary takes the place of what `entry` says is there.
Result<> publish(const Place& place, const Entry& entry) {
  const char* from = place.temporary.c_str();
  const char* to = place.name.c_str();
  const Kind before = entry.change.before.kind;
  const Kind after = entry.change.after.kind;
  if (before == Kind::none) {
    if (::renameat2(place.lower, from, place.lower, to, RENAME_NOREPLACE) == 0) return {};
    if (errno == EEXIST) return std::unexpected(changed(place));
    return fail_errno("put " + place.name + " in its place");
  }
  const bool one_is_folder = before == Kind::directory || after == Kind::directory;
  if (::renameat2(place.lower, from, place.lower, to, one_is_folder ? RENAME_EXCHANGE : 0) != 0)
    return fail_errno("put " + place.name + " in its place");
  if (!one_is_folder) {
    // rename(2) of a name onto another of the same file does nothing.
    remove_temporary(place);
    return {};
  }
  if (::unlinkat(place.lower, from, before == Kind::directory ? AT_REMOVEDIR : 0) == 0) return {};
  const int number = errno;
  // Somebody has put something into it: back.
  if (::renameat2(place.lower, from, place.lower, to, RENAME_EXCHANGE) != 0)
    return fail_errno("put " + place.name + " back");
  if (number == ENOTEMPTY || number == EEXIST) return std::unexpected(changed(place));
  return fail_errno(number, "remove the old " + place.name);
}

}  // namespace

Result<> check_unchanged(const Place& place, const Entry& entry, bool linked) {
  const auto now = AGENTOS_TRY(look(place.lower, place.name));
  const auto& then = entry.lower;
  if (entry.change.before.kind == Kind::none) {
    if (now) return std::unexpected(changed(place));
    return {};
  }
  if (!now || now->st_ino != then.st_ino || now->st_dev != then.st_dev || kind_of(*now) != entry.change.before.kind)
    return std::unexpected(changed(place));
  // What is in a folder is checked piece by piece.
  if (entry.change.before.kind == Kind::directory) return {};
  if (now->st_size != then.st_size || !same_time(now->st_mtim, then.st_mtim) ||
      (!linked && !same_time(now->st_ctim, then.st_ctim))) {
    return std::unexpected(changed(place));
  }
  return {};
}

Result<> place_entry(const Place& place, const Entry& entry) {
  const Kind kind = entry.change.after.kind;
  auto done = kind == Kind::file      ? make_file(place, entry)
              : kind == Kind::symlink ? make_symlink(place, entry)
                                      : make_fifo(place, entry);
  if (done) done = publish(place, entry);
  if (!done) remove_temporary(place);
  return done;
}

Result<UniqueFd> make_unnamed(const Place& place, const Entry& entry) {
  UniqueFd to(::openat(place.lower, ".", O_WRONLY | O_TMPFILE | O_CLOEXEC, 0600));
  // EISDIR: by a file system that does not know of it.
  if (!to && (errno == EOPNOTSUPP || errno == EISDIR)) return to;
  if (!to) return fail_errno("make a file beside " + place.name);
  AGENTOS_TRY(fill_file(place, entry, to.get()));
  return to;
}

Result<> place_unnamed(const Place& place, const Entry& entry, int file) {
  const std::string self = "/proc/self/fd/" + std::to_string(file);
  const bool free = entry.change.before.kind == Kind::none;
  const auto& name = free ? place.name : place.temporary;
  if (::linkat(AT_FDCWD, self.c_str(), place.lower, name.c_str(), AT_SYMLINK_FOLLOW) != 0) {
    if (free && errno == EEXIST) return std::unexpected(changed(place));
    return fail_errno("put " + place.name + " in its place");
  }
  if (free) return {};
  auto done = publish(place, entry);
  if (!done) remove_temporary(place);
  return done;
}

Result<bool> place_link(const Place& place, const Entry& entry, int to_folder, const std::string& to_name,
                        ino_t inode) {
  if (::linkat(to_folder, to_name.c_str(), place.lower, place.temporary.c_str(), 0) != 0) return false;
  const auto made = look(place.lower, place.temporary);
  if (!made || !*made || (*made)->st_ino != inode) {
    remove_temporary(place);
    return false;
  }
  const auto done = publish(place, entry);
  if (!done) {
    remove_temporary(place);
    return std::unexpected(done.error());
  }
  return true;
}

Result<> place_folder(const Place& place, const Entry& entry) {
  const bool free = entry.change.before.kind == Kind::none;
  const auto& name = free ? place.name : place.temporary;
  if (::mkdirat(place.lower, name.c_str(), 0700) != 0) {
    if (free && errno == EEXIST) return std::unexpected(changed(place));
    return fail_errno("make folder " + place.name);
  }
  if (free) return {};
  const auto done = publish(place, entry);
  if (!done) remove_temporary(place);
  return done;
}

Result<> remove_entry(const Place& place, const Entry& entry) {
  const bool is_folder = entry.change.before.kind == Kind::directory;
  if (::unlinkat(place.lower, place.name.c_str(), is_folder ? AT_REMOVEDIR : 0) == 0 || errno == ENOENT) return {};
  if (errno == ENOTEMPTY || errno == EEXIST) return std::unexpected(changed(place));
  return fail_errno("remove " + place.name);
}

Result<> finish_folder(int lower, int upper, const Entry& entry, bool whole, bool times) {
  if (whole) {
    // Attributes are set by who may write, whoever owns the folder.
    if (::fchmod(lower, kept_mode(Kind::directory, entry.change.after.mode) | 0300U) != 0)
      return fail_errno("set mode");
    const auto attributes = AGENTOS_TRY(attributes_of(upper));
    AGENTOS_TRY(set_attributes(lower, attributes));
    if (::fchmod(lower, kept_mode(Kind::directory, entry.change.after.mode)) != 0) return fail_errno("set mode");
  }
  if (times && ::futimens(lower, times_of(entry).data()) != 0) return fail_errno("set times");
  return {};
}

}  // namespace agentos::workspace
