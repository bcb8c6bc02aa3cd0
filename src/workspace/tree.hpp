#pragma once

#include <sys/stat.h>

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agentos/base/fd.hpp"
#include "agentos/base/result.hpp"
#include "workspace/change.hpp"

// Small steps on one entry of an open directory. None follows a link; a name is one path component.
namespace agentos::workspace {

// nullopt: there is none.
[[nodiscard]] Result<std::optional<struct stat>> look(int directory, const std::string& name);
[[nodiscard]] Kind kind_of(const struct stat& status);
[[nodiscard]] Side side_of(const struct stat& status);
[[nodiscard]] constexpr bool same_time(const timespec& a, const timespec& b) {
  return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}
// At or after; `time` is that of an agent's start.
[[nodiscard]] bool since(const timespec& at, TimePoint time);

[[nodiscard]] Result<UniqueFd> open_folder(int parent, const std::string& name);
// A regular file for reading; anything else that stands there by now is ErrorKind::conflict.
[[nodiscard]] Result<UniqueFd> open_file(int parent, const std::string& name);
[[nodiscard]] Result<std::string> link_target(int parent, const std::string& name);
// "a/b/c" from `root`, which stays below it and follows no link; "": root itself.
[[nodiscard]] Result<UniqueFd> open_folder_at(int root, std::string_view path);
// Sorted, without "." and "..".
[[nodiscard]] Result<std::vector<std::string>> names_in(int directory);

// A file or folder's own attributes as commit keeps them: user.* but not the overlay's user.overlay.*, and access
// control lists. A file system without attributes has none.
using Attributes = std::map<std::string, std::string>;
[[nodiscard]] Result<Attributes> attributes_of(int fd);
// Makes them these, and no others of those kinds.
[[nodiscard]] Result<> set_attributes(int fd, const Attributes& wanted);
// The overlay's own "user.overlay.NAME"; nullopt: not set.
[[nodiscard]] std::optional<std::string> overlay_mark(int fd, const char* name);

// Gives the owner these rights to what `name` is now, without following it, and puts others back never. 0: it cannot.
[[nodiscard]] bool add_owner_rights(int parent, const std::string& name, unsigned rights);

// A folder of the layer. `status` is what look() found; `mode` becomes what the agent gave it, also where it was
// widened earlier. `widen`: gives the owner every right to it first, and remembers its mode in attributes that agents
// cannot set.
[[nodiscard]] Result<UniqueFd> open_layer_folder(int parent, const std::string& name, const struct stat& status,
                                                 std::uint32_t& mode, bool widen);

// Writes down the times of a folder of the layer, where that has not been done, before the first is taken out of it.
[[nodiscard]] Result<> remember_times(int folder);
// Puts those into `status`, where they were written down.
void recall_times(int folder, struct stat& status);

// Removes what is there, with everything in it, however deep; nothing there is well. Folders whose modes forbid it are
// made writable.
[[nodiscard]] Result<> remove_tree(int parent, const std::string& name);

}  // namespace agentos::workspace
