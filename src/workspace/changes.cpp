#include "workspace/changes.hpp"

#include "os/file.hpp"
#include "workspace/content.hpp"
#include "workspace/tree.hpp"
#include "workspace/walk.hpp"

namespace agentos::workspace {
namespace {

bool is_binary(int root, const std::string& path) {
  const auto folder = open_folder_at(root, parent_of(path));
  const auto file = folder ? open_file(folder->get(), std::string(name_of(path))) : Result<UniqueFd>();
  return file && *file && looks_binary(file->get()).value_or(false);
}

}  // namespace

Result<std::vector<Change>> changes(const Layer& layer, const Selection& selection) {
  std::vector<Change> changes;
  for (auto& entry : AGENTOS_TRY(walk(layer, selection, Access::look))) {
    auto& change = entry.change;
    if (!entry.selected || change.what == What::same) continue;
    change.binary = (change.before.kind == Kind::file && is_binary(layer.lower, change.path)) ||
                    (change.after.kind == Kind::file && is_binary(layer.upper, change.path));
    changes.push_back(std::move(change));
  }
  return changes;
}

Result<std::string> content_of(int root, const std::string& path, Kind kind, std::size_t limit) {
  const auto folder = AGENTOS_TRY(open_folder_at(root, parent_of(path)));
  const std::string name(name_of(path));
  if (kind == Kind::symlink) return link_target(folder.get(), name);
  const auto file = AGENTOS_TRY(open_file(folder.get(), name));
  return os::read_all(file.get(), limit);
}

}  // namespace agentos::workspace
