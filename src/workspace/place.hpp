#pragma once

#include <string>

#include "agentos/base/fd.hpp"
#include "agentos/base/result.hpp"
#include "workspace/walk.hpp"

// Putting one path of the layer into the workspace: made under a temporary name or none in the same folder, then put in
// its place in one step.
namespace agentos::workspace {

struct Place {
  int lower{-1}, upper{-1};  // the folders it is in; upper is -1 where the layer has none
  std::string name;
  std::string temporary;
};

// Whether the workspace still has what `entry` says: nothing, or the very file that was compared. Else: conflict.
// `linked`: its change time does not count, because a link to it was made or removed by this commit.
[[nodiscard]] Result<> check_unchanged(const Place& place, const Entry& entry, bool linked);

// A file, link or fifo takes the place of what is there, which must be as `entry` says. A folder is replaced only when
// it is empty.
[[nodiscard]] Result<> place_entry(const Place& place, const Entry& entry);
// The first half of it, for a file: whole, but without a name yet and not yet on the disk. Nothing: the file system has
// no such files.
[[nodiscard]] Result<UniqueFd> make_unnamed(const Place& place, const Entry& entry);
// The second half.
[[nodiscard]] Result<> place_unnamed(const Place& place, const Entry& entry, int file);
// The same by a further link to what `to_folder` has under `to_name`. false: that is not `inode`, nothing was done.
[[nodiscard]] Result<bool> place_link(const Place& place, const Entry& entry, int to_folder, const std::string& to_name,
                                      ino_t inode);
// An empty folder, which only the owner may enter until finish_folder has given it its mode.
[[nodiscard]] Result<> place_folder(const Place& place, const Entry& entry);
[[nodiscard]] Result<> remove_entry(const Place& place, const Entry& entry);

// What a folder gets when all that is in it is done. `whole`: attributes and mode too, not only times.
[[nodiscard]] Result<> finish_folder(int lower, int upper, const Entry& entry, bool whole, bool times);

}  // namespace agentos::workspace
