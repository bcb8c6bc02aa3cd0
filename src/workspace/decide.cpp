#include "workspace/decide.hpp"

#include <optional>
#include <unordered_map>

namespace agentos::workspace {
namespace {

Verdict of_its_own(const Entry& entry, const Selection& allowed, bool force) {
  const auto& change = entry.change;
  const bool may = change.protection.empty() || (!allowed.everything() && allowed.contains(change.path));
  if (change.what == What::same && change.obstacle == Obstacle::none) return Verdict::nothing;
  if (change.obstacle == Obstacle::special) return entry.selected ? Verdict::left_out : Verdict::keep;
  if (change.obstacle != Obstacle::none) return Verdict::unwanted;
  if (!may) return Verdict::guarded;
  if (change.conflict != Conflict::none && !force) return Verdict::conflict;
  return entry.selected ? Verdict::commit : Verdict::keep;
}

// Whether what is below this folder can be committed only when the folder itself is.
bool must_be_made(const Entry& entry) {
  return entry.change.after.kind == Kind::directory && entry.change.before.kind != Kind::directory;
}
// Whether it can be committed only when everything below it in the workspace is gone.
bool must_be_empty(const Entry& entry) {
  return entry.change.before.kind == Kind::directory && entry.change.after.kind != Kind::directory;
}

// A protected folder does no harm by itself: it is made for what is in it and allowed.
bool waits_for_content(const Entry& entry, Verdict verdict) {
  return verdict == Verdict::keep || (verdict == Verdict::guarded && entry.change.before.kind == Kind::none);
}

using Index = std::unordered_map<std::string_view, std::size_t>;

std::optional<std::size_t> above(const Index& index, std::string_view path) {
  const auto parent = parent_of(path);
  const auto found = parent.empty() ? index.end() : index.find(parent);
  return found == index.end() ? std::nullopt : std::optional(found->second);
}

}  // namespace

std::vector<Verdict> decide(const std::vector<Entry>& entries, const Selection& allowed, bool force) {
  std::vector<Verdict> verdicts;
  Index index;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    verdicts.push_back(of_its_own(entries[i], allowed, force));
    index.emplace(entries[i].change.path, i);
  }
  // Down: nothing is put into a folder that is held back.
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const auto parent = above(index, entries[i].change.path);
    if (!parent || !must_be_made(entries[*parent]) || is_held(verdicts[i])) continue;
    if (is_held(verdicts[*parent]) && !waits_for_content(entries[*parent], verdicts[*parent]))
      verdicts[i] = verdicts[*parent] == Verdict::conflict ? Verdict::conflict : Verdict::depends;
  }
  // Up: folders that are needed are made, and stay while they hold something.
  for (std::size_t i = entries.size(); i-- > 0;) {
    const auto parent = above(index, entries[i].change.path);
    if (!parent) continue;
    const bool goes_on = verdicts[i] == Verdict::commit;
    if (goes_on && must_be_made(entries[*parent]) && waits_for_content(entries[*parent], verdicts[*parent]))
      verdicts[*parent] = Verdict::commit;
    const bool stays = entries[i].change.what == What::deleted ? !goes_on : verdicts[i] == Verdict::depends;
    if (stays && must_be_empty(entries[*parent]) && verdicts[*parent] == Verdict::commit)
      verdicts[*parent] = Verdict::depends;
  }
  // What is not asked for is not told about.
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (!entries[i].selected && is_held(verdicts[i])) verdicts[i] = Verdict::keep;
  }
  return verdicts;
}

}  // namespace agentos::workspace
