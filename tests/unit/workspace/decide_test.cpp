#include "workspace/decide.hpp"

#include <gmock/gmock.h>

namespace agentos::workspace {
namespace {

using ::testing::ElementsAre;

Entry entry(std::string path, What what, Kind before, Kind after) {
  Entry entry;
  entry.change.path = std::move(path);
  entry.change.what = what;
  entry.change.before.kind = before;
  entry.change.after.kind = after;
  entry.selected = true;
  entry.in_upper = true;
  return entry;
}
Entry added(std::string path, Kind kind = Kind::file) {
  return entry(std::move(path), What::added, Kind::none, kind);
}
Entry deleted(std::string path, Kind kind = Kind::file) {
  return entry(std::move(path), What::deleted, kind, Kind::none);
}

std::vector<Verdict> decided(const std::vector<Entry>& entries, bool force = false,
                             const std::vector<std::string>& allowed = {}) {
  return decide(entries, Selection::parse(allowed, "/w").value(), force);
}

TEST(Decide, the_zero_entry_is_nothing) {
  EXPECT_THAT(decided({Entry{}}), ElementsAre(Verdict::nothing));
}

TEST(Decide, what_is_not_asked_for_stays) {
  auto other = added("b");
  other.selected = false;
  EXPECT_THAT(decided({added("a"), other}), ElementsAre(Verdict::commit, Verdict::keep));
}

TEST(Decide, a_folder_that_is_needed_is_made) {
  auto folder = added("d", Kind::directory);
  folder.selected = false;
  EXPECT_THAT(decided({folder, added("d/a")}), ElementsAre(Verdict::commit, Verdict::commit));
}

TEST(Decide, a_conflict_holds_back_but_for_force) {
  auto file = entry("a", What::modified, Kind::file, Kind::file);
  file.change.conflict = Conflict::changed;
  EXPECT_THAT(decided({file}), ElementsAre(Verdict::conflict));
  EXPECT_THAT(decided({file}, true), ElementsAre(Verdict::commit));
}

TEST(Decide, what_is_below_a_folder_that_is_gone_is_held_back) {
  auto folder = added("d", Kind::directory);
  folder.change.conflict = Conflict::gone;
  EXPECT_THAT(decided({folder, added("d/e", Kind::directory), added("d/e/a")}),
              ElementsAre(Verdict::conflict, Verdict::conflict, Verdict::conflict));
  EXPECT_THAT(decided({folder, added("d/a")}, true), ElementsAre(Verdict::commit, Verdict::commit));
}

TEST(Decide, protected_paths_need_to_be_named) {
  auto file = added(".envrc");
  file.change.protection = "reason";
  EXPECT_THAT(decided({file}), ElementsAre(Verdict::guarded));
  EXPECT_THAT(decided({file}, true), ElementsAre(Verdict::guarded)) << "force is for conflicts";
  EXPECT_THAT(decided({file}, false, {"other"}), ElementsAre(Verdict::guarded));
  EXPECT_THAT(decided({file}, false, {".envrc"}), ElementsAre(Verdict::commit));
}

TEST(Decide, a_protected_folder_is_made_for_what_is_allowed_in_it) {
  auto folder = added(".claude", Kind::directory);
  auto one = added(".claude/one"), two = added(".claude/two");
  for (auto* entry : {&folder, &one, &two}) entry->change.protection = "reason";
  EXPECT_THAT(decided({folder, one, two}), ElementsAre(Verdict::guarded, Verdict::guarded, Verdict::guarded));
  EXPECT_THAT(decided({folder, one, two}, false, {".claude/one"}),
              ElementsAre(Verdict::commit, Verdict::commit, Verdict::guarded));
}

TEST(Decide, a_folder_stays_while_something_in_it_does) {
  auto kept = deleted("d/.envrc");
  kept.change.protection = "reason";
  EXPECT_THAT(decided({deleted("d", Kind::directory), kept, deleted("d/b")}),
              ElementsAre(Verdict::depends, Verdict::guarded, Verdict::commit));
  auto replaced = entry("d", What::modified, Kind::directory, Kind::file);
  EXPECT_THAT(decided({replaced, kept, deleted("d/b")}),
              ElementsAre(Verdict::depends, Verdict::guarded, Verdict::commit));
}

TEST(Decide, what_cannot_be_committed) {
  auto socket = added("s", Kind::special);
  socket.change.obstacle = Obstacle::special;
  auto deep = added("deep");
  deep.change.obstacle = Obstacle::too_deep;
  EXPECT_THAT(decided({deep, socket}, true), ElementsAre(Verdict::unwanted, Verdict::left_out));
}

}  // namespace
}  // namespace agentos::workspace
