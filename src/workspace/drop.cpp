#include "workspace/drop.hpp"

#include <fcntl.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>
#include <set>
#include <string_view>
#include <unordered_set>

#include "workspace/tree.hpp"

namespace agentos::workspace {
namespace {

using Paths = std::unordered_set<std::string_view>;

// Which entries may leave the layer, apart from what is still in a folder.
std::vector<bool> may_leave(const std::vector<Entry>& entries, const std::vector<bool>& done) {
  std::set<std::size_t> hidden, linked;  // opaque folders and files with several names that are not done
  const auto group_of = [&](std::size_t i) { return entries[i].linked_to == no_entry ? i : entries[i].linked_to; };
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (done[i]) continue;
    if (entries[i].hidden_by != no_entry) hidden.insert(entries[i].hidden_by);
    if (entries[i].in_upper) linked.insert(group_of(i));
  }
  std::vector<bool> may(entries.size());
  for (std::size_t i = 0; i < entries.size(); ++i) {
    may[i] = done[i] && entries[i].in_upper && !hidden.contains(entries[i].hidden_by) && !linked.contains(group_of(i));
  }
  return may;
}

// From here on the workspace's is seen through it; what is in both is the same. The innermost first.
Result<> uncover(const Layer& layer, const std::vector<Entry>& entries, const std::vector<bool>& may) {
  for (std::size_t i = entries.size(); i-- > 0;) {
    if (!entries[i].opaque || !may[i]) continue;
    const auto folder = AGENTOS_TRY(open_folder_at(layer.upper, entries[i].change.path));
    if (::fremovexattr(folder.get(), "user.overlay.opaque") != 0 && errno != ENODATA)
      return fail_errno("drop folder " + entries[i].change.path + " from the layer");
  }
  return {};
}

}  // namespace

std::vector<bool> complete_folders(const std::vector<Entry>& entries, const std::vector<bool>& done) {
  std::vector<bool> complete(entries.size());
  Paths open;
  for (std::size_t i = entries.size(); i-- > 0;) {
    const std::string_view path = entries[i].change.path;
    complete[i] = done[i] && !open.contains(path);
    if (!complete[i]) open.insert(parent_of(path));
  }
  return complete;
}

Result<> drop(const Layer& layer, const std::vector<Entry>& entries, const std::vector<bool>& done) {
  const auto may = may_leave(entries, done);
  AGENTOS_TRY(uncover(layer, entries, may));
  Paths still_used;
  UniqueFd folder;
  std::string_view entered;
  for (std::size_t i = entries.size(); i-- > 0;) {
    const auto& change = entries[i].change;
    if (!entries[i].in_upper) continue;
    const std::string_view path = change.path;
    const auto parent = parent_of(path);
    if (!may[i] || still_used.contains(path)) {
      still_used.insert(parent);
      continue;
    }
    if (!folder || parent != entered) {
      folder = AGENTOS_TRY(open_folder_at(layer.upper, parent));
      entered = parent;
      AGENTOS_TRY(remember_times(folder.get()));
    }
    const int flags = !entries[i].whiteout && change.after.kind == Kind::directory ? AT_REMOVEDIR : 0;
    if (::unlinkat(folder.get(), std::string(name_of(path)).c_str(), flags) != 0 && errno != ENOENT)
      return fail_errno("drop " + change.path + " from the layer");
  }
  return {};
}

}  // namespace agentos::workspace
