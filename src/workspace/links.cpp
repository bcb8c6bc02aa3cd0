#include "workspace/links.hpp"

#include <algorithm>
#include <map>
#include <utility>

namespace agentos::workspace {

void link_entries(std::vector<Entry>& entries) {
  struct Group {
    std::size_t first;
    std::size_t in_place{no_entry};  // the first that is as in the workspace
  };
  std::map<std::pair<dev_t, ino_t>, Group> groups;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    auto& entry = entries[i];
    const bool is_linked =
        entry.in_upper && !entry.whiteout && entry.upper.st_nlink > 1 && entry.change.after.kind != Kind::directory;
    if (!is_linked) continue;
    const auto [found, is_first] = groups.try_emplace({entry.upper.st_dev, entry.upper.st_ino}, Group{i});
    if (!is_first) entry.linked_to = found->second.first;
    if (entry.change.what != What::same) continue;
    auto& in_place = found->second.in_place;
    if (in_place == no_entry) {
      in_place = i;
    } else if (entries[in_place].lower.st_ino != entry.lower.st_ino) {
      entry.change.links = true;
      entry.change.what = What::modified;
    }
  }
}

void find_gone(std::vector<Entry>& entries) {
  std::size_t renamed_away = 0;
  std::size_t without_origin = 0;
  for (const auto& entry : entries) {
    if (entry.whiteout && entry.change.before.kind == Kind::file) ++renamed_away;
    const bool is_file = entry.change.after.kind == Kind::file;
    if (entry.copied_up && is_file && entry.change.what == What::added && entry.linked_to == no_entry) ++without_origin;
  }
  for (auto& entry : entries) {
    if (!entry.may_be_gone || entry.change.what != What::added) continue;
    // A folder cannot be renamed by the agent.
    const bool is_folder = entry.change.after.kind == Kind::directory;
    const bool is_link = entry.linked_to != no_entry || entry.upper.st_nlink > 1;
    if (is_folder || (!is_link && without_origin > renamed_away)) entry.change.conflict = Conflict::gone;
  }
}

}  // namespace agentos::workspace
