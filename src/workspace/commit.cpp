#include "workspace/commit.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <set>

#include "workspace/drop.hpp"
#include "workspace/place.hpp"
#include "workspace/tree.hpp"

namespace agentos::workspace {
namespace {

constexpr std::size_t few_max = 8;

// How many files wait for the disk together: each has a descriptor.
std::size_t files_at_once() {
  rlimit limit{};
  return ::getrlimit(RLIMIT_NOFILE, &limit) == 0 ? std::clamp<std::size_t>(limit.rlim_cur / 2, 1, 512) : 1;
}

class Committing {
 public:
  Committing(const Layer& layer, const std::vector<Entry>& entries, const std::vector<Verdict>& verdicts)
      : layer_(layer), entries_(entries), verdicts_(verdicts), failures_(entries.size()) {
    for (std::size_t i = 0; i < entries.size(); ++i) {
      if (verdicts[i] == Verdict::nothing) note_in_place(i, entries[i].lower.st_ino);
    }
  }
  ~Committing() { put_modes_back(); }
  Committing(const Committing&) = delete;
  Committing& operator=(const Committing&) = delete;

  // Only what stops everything is an error.
  Result<> run() {
    // Forwards, so that a folder is there before what is in it; then backwards, so that it is empty before it goes.
    for (std::size_t i = 0; i < entries_.size(); ++i) {
      if (verdicts_[i] == Verdict::commit && !waits(entries_[i])) AGENTOS_TRY(attempt(i));
    }
    AGENTOS_TRY(place_made());
    for (std::size_t i = entries_.size(); i-- > 0;) {
      if (verdicts_[i] == Verdict::commit && waits(entries_[i])) AGENTOS_TRY(attempt(i));
    }
    put_modes_back();
    auto done = what_is_done();
    AGENTOS_TRY(finish_folders(done));
    return drop(layer_, entries_, done);
  }

  [[nodiscard]] std::vector<std::optional<Error>> take_failures() { return std::move(failures_); }

 private:
  static bool waits(const Entry& entry) {
    return entry.change.what == What::deleted ||
           (entry.change.before.kind == Kind::directory && entry.change.after.kind != Kind::directory);
  }

  Result<> attempt(std::size_t i) {
    auto done = judge(i, apply(i));
    if (!done) AGENTOS_TRY(place_made());  // what there was room for
    return done;
  }
  Result<> judge(std::size_t i, Result<> done) {
    if (done) return {};
    if (done.error().kind() == ErrorKind::exhausted)
      return std::unexpected(std::move(done).error().within("commit " + entries_[i].change.path));
    failures_[i] = std::move(done).error();
    return {};
  }

  // Where the path is, once it is as it was when it was compared.
  Result<Place> place_of(const Entry& entry) {
    AGENTOS_TRY(enter(parent_of(entry.change.path)));
    Place place{.lower = lower_.get(),
                .upper = upper_.get(),
                .name = std::string(name_of(entry.change.path)),
                .temporary = temporary_name(layer_)};
    AGENTOS_TRY(check_unchanged(place, entry, linked_.contains(entry.lower.st_ino)));
    return place;
  }

  // A disk takes as long to be sure of one file as of many. So files are made without a name first, and get their names
  // when all of them are on it: after a loss of power as after a crash each path is old or new. Names of one file are
  // made one after the other, as each needs the first.
  Result<bool> make_for_later(std::size_t i, const Place& place) {
    const auto& entry = entries_[i];
    if (entry.change.after.kind != Kind::file || entry.upper.st_nlink > 1) return false;
    auto file = AGENTOS_TRY(make_unnamed(place, entry));
    if (!file) return false;
    made_.emplace_back(i, std::move(file));
    if (made_.size() >= at_once_) AGENTOS_TRY(place_made());
    return true;
  }

  Result<> place_made() {
    const auto made = std::move(made_);
    made_.clear();
    if (made.empty()) return {};
    // syncfs(2) writes what others have to write too: not for a few.
    const bool few = made.size() <= few_max;
    for (std::size_t at = 0; at < (few ? made.size() : 1); ++at) {
      const int file = made[at].second.get();
      if ((few ? ::fsync(file) : ::syncfs(file)) != 0) return fail_errno("write to disk");
    }
    for (const auto& [i, file] : made) AGENTOS_TRY(judge(i, place_one(entries_[i], file.get())));
    return {};
  }

  Result<> place_one(const Entry& entry, int file) {
    const auto place = AGENTOS_TRY(place_of(entry));
    AGENTOS_TRY(place_unnamed(place, entry, file));
    note_replaced(entry);
    return {};
  }

  Result<> apply(std::size_t i) {
    const auto& entry = entries_[i];
    const bool is_folder = entry.change.after.kind == Kind::directory;
    if (is_folder && entry.change.before.kind == Kind::directory) return {};  // its mode and times come last
    const auto place = AGENTOS_TRY(place_of(entry));
    if (!waits(entry) && AGENTOS_TRY(make_for_later(i, place))) return {};
    if (entry.change.what == What::deleted) {
      AGENTOS_TRY(remove_entry(place, entry));
    } else if (is_folder) {
      AGENTOS_TRY(place_folder(place, entry));
    } else if (!AGENTOS_TRY(try_link(i, place))) {
      AGENTOS_TRY(place_entry(place, entry));
      if (entry.upper.st_nlink > 1) {
        if (const auto made = AGENTOS_TRY(look(place.lower, place.name))) note_in_place(i, made->st_ino);
      }
    }
    note_replaced(entry);
    return {};
  }

  // Another name of the file that was replaced sees its number of links, and so its change time, change.
  void note_replaced(const Entry& entry) {
    if (entry.change.before.kind == Kind::file && entry.lower.st_nlink > 1) linked_.insert(entry.lower.st_ino);
  }

  // Hard links of one another in the layer become so in the workspace.
  Result<bool> try_link(std::size_t i, const Place& place) {
    const auto found = in_place_.find(group_of(i));
    if (found == in_place_.end()) return false;
    const auto& [path, inode] = found->second;
    const auto folder = open_folder_at(layer_.lower, parent_of(path));
    if (!folder) return false;
    linked_.insert(inode);
    return place_link(place, entries_[i], folder->get(), std::string(name_of(path)), inode);
  }

  [[nodiscard]] std::size_t group_of(std::size_t i) const {
    return entries_[i].linked_to == no_entry ? i : entries_[i].linked_to;
  }
  void note_in_place(std::size_t i, ino_t inode) {
    const bool may_be_linked = entries_[i].in_upper && entries_[i].upper.st_nlink > 1;
    if (may_be_linked && entries_[i].change.after.kind != Kind::directory)
      in_place_.try_emplace(group_of(i), entries_[i].change.path, inode);
  }

  // Opens the folders that a path is in, and sees to it that the workspace's can be written.
  Result<> enter(std::string_view path) {
    if (lower_ && path == entered_) return {};
    lower_ = AGENTOS_TRY(open_folder_at(layer_.lower, path));
    auto upper = open_folder_at(layer_.upper, path);
    upper_ = upper ? std::move(*upper) : UniqueFd();
    entered_ = path;
    struct stat status{};
    if (::fstat(lower_.get(), &status) != 0) return fail_errno("look at folder " + entered_);
    if ((status.st_mode & 0300U) != 0300U && status.st_uid == ::geteuid() && ::geteuid() != 0) {
      if (::fchmod(lower_.get(), (status.st_mode & 07777U) | 0700U) != 0) return fail_errno("make folder writable");
      widened_.try_emplace(entered_, status);
    }
    // Failing costs no more than a conflict told too many.
    if (written_.insert(entered_).second && upper_)
      ::fsetxattr(upper_.get(), (std::string("user.overlay.") + written_mark).c_str(), "y", 1, 0);
    return {};
  }

  void put_modes_back() {
    for (auto widened = widened_.rbegin(); widened != widened_.rend(); ++widened) {
      const auto folder = open_folder_at(layer_.lower, widened->first);
      struct stat now{};
      const bool same = folder && ::fstat(folder->get(), &now) == 0 && now.st_ino == widened->second.st_ino;
      if (same) ::fchmod(folder->get(), widened->second.st_mode & 07777U);
    }
    widened_.clear();
  }

  [[nodiscard]] std::vector<bool> what_is_done() const {
    std::vector<bool> done(entries_.size());
    for (std::size_t i = 0; i < entries_.size(); ++i) {
      const bool wanted =
          verdicts_[i] == Verdict::nothing || verdicts_[i] == Verdict::commit || verdicts_[i] == Verdict::left_out;
      done[i] = wanted && !failures_[i];
    }
    return done;
  }

  // Attributes, modes and times of folders, from the deepest up: each is then no more written to. Then to disk.
  Result<> finish_folders(std::vector<bool>& done) {
    const auto complete = complete_folders(entries_, done);
    for (std::size_t i = entries_.size(); i-- > 0;) {
      const auto& entry = entries_[i];
      if (entry.change.after.kind != Kind::directory || !done[i]) continue;
      const auto lower = open_folder_at(layer_.lower, entry.change.path);
      const auto upper = open_folder_at(layer_.upper, entry.change.path);
      const bool whole = verdicts_[i] == Verdict::commit;
      const auto finished = !lower   ? std::unexpected(lower.error())
                            : !upper ? std::unexpected(upper.error())
                                     : finish_folder(lower->get(), upper->get(), entry, whole, whole || complete[i]);
      done[i] = finished.has_value();
      if (!finished && whole) failures_[i] = finished.error();
      if (finished && (whole || complete[i])) written_.insert(entry.change.path);
    }
    // Nothing is dropped from the layer before it would survive a loss of power in the workspace.
    for (const auto& path : written_) {
      const auto folder = open_folder_at(layer_.lower, path);
      if (folder && ::fsync(folder->get()) != 0) return fail_errno("write folder " + path + " to disk");
    }
    return {};
  }

  const Layer& layer_;
  const std::vector<Entry>& entries_;
  const std::vector<Verdict>& verdicts_;
  std::vector<std::optional<Error>> failures_;
  const std::size_t at_once_{files_at_once()};
  std::vector<std::pair<std::size_t, UniqueFd>> made_;             // entries whose files wait for the disk
  std::map<std::size_t, std::pair<std::string, ino_t>> in_place_;  // by group: one name of it in the workspace
  std::set<ino_t> linked_;  // of the workspace: number of links changed by this commit
  std::string entered_;
  UniqueFd lower_, upper_;
  std::map<std::string, struct stat> widened_;  // as they were before
  std::set<std::string> written_;               // folders
};

}  // namespace

Result<UniqueFd> lock_layer(const Layer& layer) {
  // Opened anew: a descriptor that came from elsewhere may share its lock with others.
  UniqueFd fd(::openat(layer.upper, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd) return fail_errno("open the agent's layer");
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) == 0) return fd;
  if (errno != EWOULDBLOCK) return fail_errno("lock the agent's layer");
  return fail(ErrorKind::conflict, "another commit or discard of this agent's changes is at work",
              "wait until it has ended");
}

Result<std::vector<Outcome>> commit(const Layer& layer, const CommitRequest& request) {
  UniqueFd lock;
  if (!request.dry_run) lock = AGENTOS_TRY(lock_layer(layer));
  auto entries = AGENTOS_TRY(walk(layer, request.selection, request.dry_run ? Access::look : Access::write));
  const auto verdicts = decide(entries, request.allowed, request.force);
  std::vector<std::optional<Error>> failures(entries.size());
  if (!request.dry_run) {
    Committing committing(layer, entries, verdicts);
    AGENTOS_TRY(committing.run());
    failures = committing.take_failures();
  }
  std::vector<Outcome> outcomes;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (verdicts[i] == Verdict::keep || verdicts[i] == Verdict::nothing) continue;
    outcomes.push_back({std::move(entries[i].change), verdicts[i], std::move(failures[i])});
  }
  return outcomes;
}

}  // namespace agentos::workspace
