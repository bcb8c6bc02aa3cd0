#include "workspace/discard.hpp"

#include <fcntl.h>
#include <stdio.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "workspace/commit.hpp"
#include "workspace/tree.hpp"

namespace agentos::workspace {
namespace {

constexpr mode_t whiteout_mode = S_IFCHR;

bool is_whiteout(const struct stat& status) {
  return S_ISCHR(status.st_mode) && status.st_rdev == 0;
}

// The overlay's own way to say that a path is deleted. Making one takes no privilege (Linux 5.8).
Result<> make_whiteout(int folder, const std::string& name) {
  if (::mknodat(folder, name.c_str(), whiteout_mode, 0) != 0 && errno != EEXIST) return fail_errno("hide " + name);
  return {};
}

// What the folder hides as a whole it hides piece by piece from here on, so that one piece can be shown again.
Result<> hide_by_piece(int upper, int lower) {
  for (const auto& name : AGENTOS_TRY(names_in(lower))) {
    const auto in_upper = AGENTOS_TRY(look(upper, name));
    if (!in_upper) {
      AGENTOS_TRY(make_whiteout(upper, name));
      continue;
    }
    const auto in_lower = AGENTOS_TRY(look(lower, name));
    if (!S_ISDIR(in_upper->st_mode) || !in_lower || !S_ISDIR(in_lower->st_mode)) continue;
    const auto folder = AGENTOS_TRY(open_folder(upper, name));
    if (::fsetxattr(folder.get(), "user.overlay.opaque", "y", 1, 0) != 0) return fail_errno("hide what is in " + name);
  }
  if (::fremovexattr(upper, "user.overlay.opaque") != 0 && errno != ENODATA) return fail_errno("show a folder again");
  return {};
}

// A deleted folder becomes one in which everything is deleted.
Result<> replace_whiteout(const Layer& layer, int upper, int lower, const std::string& name) {
  const auto below = AGENTOS_TRY(open_folder(lower, name));
  struct stat status{};
  if (::fstat(below.get(), &status) != 0) return fail_errno("look at folder " + name);
  const auto temporary = temporary_name(layer);
  AGENTOS_TRY(remove_tree(upper, temporary));
  if (::mkdirat(upper, temporary.c_str(), 0700) != 0) return fail_errno("show folder " + name + " again");
  const auto folder = AGENTOS_TRY(open_folder(upper, temporary));
  AGENTOS_TRY(hide_by_piece(folder.get(), below.get()));
  const auto attributes = AGENTOS_TRY(attributes_of(below.get()));
  AGENTOS_TRY(set_attributes(folder.get(), attributes));
  const timespec times[2] = {status.st_atim, status.st_mtim};
  if (::fchmod(folder.get(), status.st_mode & 07777U) != 0 || ::futimens(folder.get(), times) != 0 ||
      ::renameat2(upper, temporary.c_str(), upper, name.c_str(), RENAME_EXCHANGE) != 0) {
    return fail_errno("show folder " + name + " again");
  }
  return remove_tree(upper, temporary);
}

class Discarding {
 public:
  Discarding(const Layer& layer, std::string path) : layer_(layer), path_(std::move(path)) {}

  Result<> run() {
    upper_ = AGENTOS_TRY(open_folder_at(layer_.upper, ""));
    lower_ = AGENTOS_TRY(open_folder_at(layer_.lower, ""));
    std::string_view rest = path_;
    for (auto slash = rest.find('/'); slash != std::string_view::npos; slash = rest.find('/')) {
      AGENTOS_TRY(enter(std::string(rest.substr(0, slash))));
      rest.remove_prefix(slash + 1);
    }
    const std::string name(rest);
    if (!AGENTOS_TRY(look(upper_.get(), name))) {
      if (!hides_ || !lower_) return nothing();
      // Only deleted because the folder hides it; the others stay so.
      AGENTOS_TRY(hide_by_piece(upper_.get(), lower_.get()));
      if (::unlinkat(upper_.get(), name.c_str(), 0) != 0 && errno != ENOENT)
        return fail_errno("show " + name + " again");
      return {};
    }
    AGENTOS_TRY(remember_times(upper_.get()));
    if (hides_ && lower_) AGENTOS_TRY(hide_by_piece(upper_.get(), lower_.get()));
    return remove_tree(upper_.get(), name);
  }

 private:
  [[nodiscard]] Result<> nothing() const { return fail(ErrorKind::not_found, "the agent changed nothing at " + path_); }

  Result<> enter(const std::string& name) {
    const auto upper = AGENTOS_TRY(look(upper_.get(), name));
    const auto lower = lower_ ? AGENTOS_TRY(look(lower_.get(), name)) : std::optional<struct stat>();
    const bool lower_is_folder = lower && S_ISDIR(lower->st_mode);
    if (upper && !S_ISDIR(upper->st_mode) && !(is_whiteout(*upper) && lower_is_folder)) return nothing();
    if (!upper && !(hides_ && lower_is_folder)) return nothing();
    // What an opaque folder hides of it must first be hidden by the folders on the way.
    if (hides_ && lower_) AGENTOS_TRY(hide_by_piece(upper_.get(), lower_.get()));
    if (!upper || is_whiteout(*upper)) AGENTOS_TRY(replace_whiteout(layer_, upper_.get(), lower_.get(), name));
    const auto now = AGENTOS_TRY(look(upper_.get(), name));
    if (!now) return nothing();
    std::uint32_t mode = 0;
    auto next = AGENTOS_TRY(open_layer_folder(upper_.get(), name, *now, mode, true));
    UniqueFd below;
    if (lower_is_folder) below = AGENTOS_TRY(open_folder(lower_.get(), name));
    hides_ = overlay_mark(next.get(), "opaque") == "y";
    upper_ = std::move(next);
    lower_ = std::move(below);
    return {};
  }

  const Layer& layer_;
  std::string path_;
  UniqueFd upper_, lower_;
  bool hides_{};  // upper_ is opaque
};

}  // namespace

Result<> discard(const Layer& layer, const Selection& selection) {
  const auto lock = AGENTOS_TRY(lock_layer(layer));
  if (selection.everything()) {
    for (const auto& name : AGENTOS_TRY(names_in(layer.upper))) AGENTOS_TRY(remove_tree(layer.upper, name));
    return {};
  }
  for (const auto& path : selection.paths()) AGENTOS_TRY(Discarding(layer, path).run());
  return {};
}

}  // namespace agentos::workspace
