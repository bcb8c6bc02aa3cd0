#include "workspace/walk.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <set>

#include "workspace/compare.hpp"
#include "workspace/links.hpp"
#include "workspace/protected.hpp"
#include "workspace/tree.hpp"

namespace agentos::workspace {
namespace {

// A pair of folders of the same path. `lower` is -1 where the workspace has none.
struct Folder {
  int upper{-1}, lower{-1};
  std::string path;
  std::size_t depth{};
  std::size_t hidden_by{no_entry};
  bool whiteouts_by_mark{};  // files with user.overlay.whiteout count as whiteouts (Linux 6.7)

  [[nodiscard]] std::string child(const std::string& name) const { return path.empty() ? name : path + "/" + name; }
  [[nodiscard]] bool merged() const { return lower >= 0 && hidden_by == no_entry; }
};

class Walk {
 public:
  Walk(const Layer& layer, const Selection& selection, Access access)
      : layer_(layer), selection_(selection), access_(access), temporary_(temporary_name(layer)) {}

  Result<std::vector<Entry>> run() {
    Folder root;
    root.upper = layer_.upper;
    root.lower = layer_.lower;
    root.whiteouts_by_mark = overlay_mark(layer_.upper, "opaque") == "x";
    if (access_ == Access::write) AGENTOS_TRY(remove_leftover(layer_.lower));
    AGENTOS_TRY(visit(root));
    link_entries(entries_);
    find_gone(entries_);
    return std::move(entries_);
  }

 private:
  Result<> visit(const Folder& folder) {
    auto names = AGENTOS_TRY(names_in(folder.upper));
    const std::set<std::string, std::less<>> upper(names.begin(), names.end());
    if (folder.hidden_by != no_entry && folder.lower >= 0) {
      for (auto& name : AGENTOS_TRY(names_in(folder.lower))) {
        if (!upper.contains(name) && name != temporary_) names.push_back(std::move(name));
      }
      std::ranges::sort(names);
    }
    for (const auto& name : names) {
      if (upper.contains(name)) {
        AGENTOS_TRY(visit_upper(folder, name));
      } else {
        AGENTOS_TRY(visit_vanishing(folder.lower, name, folder.child(name), folder.depth, folder.hidden_by));
      }
    }
    return {};
  }

  // Adds the entry, and says where it is.
  Result<std::size_t> add(Entry entry) {
    if (entries_.size() >= max_entries) {
      return fail(ErrorKind::exhausted, "the layer has more than " + std::to_string(max_entries) + " changed paths",
                  "discard folders that are not wanted first");
    }
    auto& change = entry.change;
    entry.selected = selection_.contains(change.path);
    change.protection = protection_of(change.path, change.after.kind);
    change.privileged = change.what != What::deleted && change.after.kind != Kind::symlink &&
                        kept_mode(change.after.kind, change.after.mode) != change.after.mode;
    entries_.push_back(std::move(entry));
    return entries_.size() - 1;
  }

  Result<> visit_upper(const Folder& folder, const std::string& name) {
    const auto upper = AGENTOS_TRY(look(folder.upper, name));
    if (!upper) return {};  // gone since it was listed
    Entry entry;
    entry.change.path = folder.child(name);
    entry.in_upper = true;
    entry.upper = *upper;
    entry.hidden_by = folder.hidden_by;
    const auto lower = folder.lower < 0 ? std::optional<struct stat>() : AGENTOS_TRY(look(folder.lower, name));
    if (lower) {
      entry.lower = *lower;
      entry.change.before = side_of(*lower);
    }
    if (is_whiteout(folder, name, *upper)) return visit_whiteout(folder, name, std::move(entry));
    entry.change.after = side_of(*upper);
    entry.change.what = lower ? What::modified : What::added;
    if (name == temporary_) entry.change.obstacle = Obstacle::reserved;
    if (entry.change.after.kind == Kind::special) entry.change.obstacle = Obstacle::special;
    if (entry.change.after.kind == Kind::directory && entry.change.obstacle == Obstacle::none)
      return visit_folder(folder, name, std::move(entry));
    if (entry.change.obstacle == Obstacle::none) look_closer(folder, name, entry);
    const bool replaces_folder = entry.change.before.kind == Kind::directory && entry.change.obstacle == Obstacle::none;
    const auto path = entry.change.path;
    const auto at = AGENTOS_TRY(add(std::move(entry)));
    if (!replaces_folder) return {};
    return visit_below_vanishing(folder.lower, name, path, folder.depth, folder.hidden_by, at);
  }

  // What a commit that was interrupted left in a folder of the workspace: never more than a file or an empty folder.
  [[nodiscard]] Result<> remove_leftover(int folder) const {
    if (::unlinkat(folder, temporary_.c_str(), 0) == 0 || errno == ENOENT) return {};
    if ((errno == EISDIR || errno == EPERM) && ::unlinkat(folder, temporary_.c_str(), AT_REMOVEDIR) == 0) return {};
    if (errno != ENOTEMPTY && errno != EEXIST) return fail_errno("remove " + temporary_);
    return fail(ErrorKind::conflict, "the workspace has a folder " + temporary_ + ", and something in it",
                "commit uses this name: look at what is in the folder and move it away");
  }

  bool is_whiteout(const Folder& folder, const std::string& name, const struct stat& upper) const {
    if (S_ISCHR(upper.st_mode) && upper.st_rdev == 0) return true;
    if (!folder.whiteouts_by_mark || !S_ISREG(upper.st_mode) || upper.st_size != 0) return false;
    const auto fd = open_file(folder.upper, name);
    return fd && overlay_mark(fd->get(), "whiteout").has_value();
  }

  Result<> visit_whiteout(const Folder& folder, const std::string& name, Entry entry) {
    entry.whiteout = true;
    const bool is_there = entry.change.before.kind != Kind::none;
    entry.change.what = is_there ? What::deleted : What::same;
    const bool is_folder = entry.change.before.kind == Kind::directory;
    if (is_there && changed_since(entry)) entry.change.conflict = Conflict::changed;
    const auto path = entry.change.path;
    const auto at = AGENTOS_TRY(add(std::move(entry)));
    return is_folder ? visit_below_vanishing(folder.lower, name, path, folder.depth, folder.hidden_by, at) : Result<>();
  }

  // Compares a file, link or fifo. What cannot be read is said to be so.
  void look_closer(const Folder& folder, const std::string& name, Entry& entry) {
    const bool is_file = entry.change.after.kind == Kind::file;
    if (entry.change.after.kind == Kind::symlink) {
      const auto target = link_target(folder.upper, name);
      entry.change.leads_out = !target || leads_out(entry.change.path, *target);
    }
    entry.selected = selection_.contains(entry.change.path);
    if (is_file && entry.selected) {
      auto fd = open_file(folder.upper, name);
      if (!fd && fd.error().kind() == ErrorKind::forbidden && access_ == Access::write &&
          add_owner_rights(folder.upper, name, 0400)) {
        fd = open_file(folder.upper, name);
        // Readable by the descriptor from here on; the mode is put back at once.
        if (fd && ::fchmod(fd->get(), entry.upper.st_mode & 07777U) != 0) entry.change.obstacle = Obstacle::unreadable;
      }
      if (!fd) {
        entry.change.obstacle = Obstacle::unreadable;
        return;
      }
      entry.copied_up = overlay_mark(fd->get(), "origin").has_value();
      entry.may_be_gone = may_be_gone(folder, entry);
      if (overlay_mark(fd->get(), "metacopy") || overlay_mark(fd->get(), "redirect"))
        entry.change.obstacle = Obstacle::foreign;
    }
    if (entry.change.what == What::added || !entry.selected) return;
    if (!compare_files(entry, folder.upper, folder.lower, name)) {
      entry.change.content = true;
      entry.change.obstacle = Obstacle::unreadable;
    }
    if (entry.change.what != What::same && changed_since(entry)) entry.change.conflict = Conflict::changed;
  }

  Result<> visit_folder(const Folder& folder, const std::string& name, Entry entry) {
    auto& change = entry.change;
    auto upper = folder.depth < max_depth
                     ? open_layer_folder(folder.upper, name, entry.upper, change.after.mode, access_ == Access::write)
                     : Result<UniqueFd>();
    if (!upper || !*upper) {
      change.obstacle = folder.depth < max_depth ? Obstacle::unreadable : Obstacle::too_deep;
      AGENTOS_TRY(add(std::move(entry)));
      return {};
    }
    Folder next;
    next.upper = upper->get();
    recall_times(next.upper, entry.upper);
    next.path = change.path;
    next.depth = folder.depth + 1;
    const auto opaque = overlay_mark(next.upper, "opaque");
    entry.opaque = opaque == "y";
    next.whiteouts_by_mark = opaque == "x";
    entry.copied_up = overlay_mark(next.upper, "origin").has_value();
    entry.may_be_gone = may_be_gone(folder, entry);
    if (overlay_mark(next.upper, "redirect")) change.obstacle = Obstacle::foreign;
    UniqueFd lower;
    if (change.before.kind == Kind::directory) {
      if (auto opened = open_folder(folder.lower, name)) lower = std::move(*opened);
      if (!lower || !compare_folders(entry, next.upper, lower.get())) change.obstacle = Obstacle::unreadable;
      if (lower && access_ == Access::write) AGENTOS_TRY(remove_leftover(lower.get()));
    } else if (change.before.kind != Kind::none && changed_since(entry)) {
      change.conflict = Conflict::changed;
    }
    next.lower = lower.get();
    if (entry.opaque && entry.hidden_by == no_entry) entry.hidden_by = entries_.size();
    next.hidden_by = entry.hidden_by;
    const bool passable = change.obstacle == Obstacle::none;
    AGENTOS_TRY(add(std::move(entry)));
    return passable ? visit(next) : Result<>();
  }

  // Whether what is in the workspace is newer than the agent. What is made and removed in a folder sets both its times
  // to the same moment; another ctime means that it was moved there or that its mode or attributes were changed.
  [[nodiscard]] bool changed_since(const Entry& entry) const {
    const bool is_folder = entry.change.before.kind == Kind::directory;
    const bool touched = !is_folder || !same_time(entry.lower.st_ctim, entry.lower.st_mtim);
    return touched && since(entry.lower.st_ctim, layer_.started);
  }

  [[nodiscard]] bool may_be_gone(const Folder& folder, const Entry& entry) const {
    if (!entry.copied_up || entry.change.what != What::added || !folder.merged()) return false;
    if (entry.change.after.kind == Kind::directory) return true;
    struct stat status{};
    return ::fstat(folder.lower, &status) == 0 && since(status.st_mtim, layer_.started) &&
           !overlay_mark(folder.upper, written_mark);
  }

  Result<> visit_vanishing(int parent, const std::string& name, const std::string& path, std::size_t depth,
                           std::size_t hidden_by, Conflict above = Conflict::none) {
    const auto lower = AGENTOS_TRY(look(parent, name));
    if (!lower) return {};
    Entry entry;
    entry.change.path = path;
    entry.change.what = What::deleted;
    entry.change.before = side_of(*lower);
    entry.lower = *lower;
    entry.hidden_by = hidden_by;
    if (changed_since(entry)) entry.change.conflict = Conflict::changed;
    if (above != Conflict::none) entry.change.conflict = above;
    const bool is_folder = entry.change.before.kind == Kind::directory;
    const auto at = AGENTOS_TRY(add(std::move(entry)));
    return is_folder ? visit_below_vanishing(parent, name, path, depth, hidden_by, at) : Result<>();
  }

  Result<> visit_below_vanishing(int parent, const std::string& name, const std::string& path, std::size_t depth,
                                 std::size_t hidden_by, std::size_t at) {
    auto folder = depth < max_depth ? open_folder(parent, name) : Result<UniqueFd>();
    auto names = folder && *folder ? names_in(folder->get()) : Result<std::vector<std::string>>();
    if (!folder || !*folder || !names) {
      entries_[at].change.obstacle = depth < max_depth ? Obstacle::unreadable : Obstacle::too_deep;
      return {};
    }
    const auto above = entries_[at].change.conflict;
    for (const auto& child : *names) {
      if (child == temporary_) continue;
      const auto below = Folder{.path = path}.child(child);
      AGENTOS_TRY(visit_vanishing(folder->get(), child, below, depth + 1, hidden_by, above));
    }
    return {};
  }

  const Layer& layer_;
  const Selection& selection_;
  Access access_;
  std::string temporary_;
  std::vector<Entry> entries_;
};

}  // namespace

std::string temporary_name(const Layer& layer) {
  return ".agentos-commit-" + layer.agent;
}

Result<std::vector<Entry>> walk(const Layer& layer, const Selection& selection, Access access) {
  return Walk(layer, selection, access).run();
}

}  // namespace agentos::workspace
