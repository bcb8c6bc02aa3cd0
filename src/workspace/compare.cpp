#include "workspace/compare.hpp"

#include "workspace/content.hpp"
#include "workspace/tree.hpp"

namespace agentos::workspace {
namespace {

// Bits that are left out are no difference once the rest is committed.
bool mode_differs(const Change& change) {
  return change.after.mode != change.before.mode &&
         kept_mode(change.after.kind, change.after.mode) != change.before.mode;
}

void conclude(Change& change) {
  const bool differs = change.before.kind != change.after.kind || change.content || change.mode || change.times ||
                       change.xattrs || change.links;
  change.what = differs ? What::modified : What::same;
}

}  // namespace

Result<> compare_folders(Entry& entry, int upper, int lower) {
  auto& change = entry.change;
  change.mode = mode_differs(change);
  change.xattrs = AGENTOS_TRY(attributes_of(upper)) != AGENTOS_TRY(attributes_of(lower));
  conclude(change);
  return {};
}

Result<> compare_files(Entry& entry, int upper_parent, int lower_parent, const std::string& name) {
  auto& change = entry.change;
  if (change.before.kind == change.after.kind) {
    change.times = !same_time(entry.upper.st_mtim, entry.lower.st_mtim);
    change.mode = change.after.kind != Kind::symlink && mode_differs(change);
    if (change.after.kind == Kind::symlink)
      change.content = AGENTOS_TRY(link_target(upper_parent, name)) != AGENTOS_TRY(link_target(lower_parent, name));
    if (change.after.kind == Kind::file) {
      const auto upper = AGENTOS_TRY(open_file(upper_parent, name));
      const auto lower = AGENTOS_TRY(open_file(lower_parent, name));
      change.content = !AGENTOS_TRY(same_content(upper.get(), lower.get()));
      change.xattrs = AGENTOS_TRY(attributes_of(upper.get())) != AGENTOS_TRY(attributes_of(lower.get()));
    }
  }
  conclude(change);
  return {};
}

}  // namespace agentos::workspace
