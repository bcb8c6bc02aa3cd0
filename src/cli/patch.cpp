#include "cli/patch.hpp"

#include <array>
#include <cstdio>
#include <optional>

#include "agentos/base/text.hpp"
#include "cli/layer.hpp"
#include "workspace/changes.hpp"
#include "workspace/text_diff.hpp"

namespace agentos::cli {
namespace {

using workspace::Change;
using workspace::Kind;
using workspace::Side;

bool known_to_git(Kind kind) {
  return kind == Kind::file || kind == Kind::symlink;
}

std::string git_mode(const Side& side) {
  if (side.kind == Kind::symlink) return "120000";
  std::array<char, 16> text{};
  std::snprintf(text.data(), text.size(), "100%03o", workspace::kept_mode(side.kind, side.mode));
  return text.data();
}

// The name in a "---" or "+++" line: git ends one with a space in it by a tab.
std::string header_name(const char* prefix, const std::string& path) {
  const auto name = quoted(prefix + path);
  return name.find(' ') == std::string::npos ? name : name + "\t";
}

class Telling {
 public:
  Telling(const workspace::Layer& layer, const Change& change) : layer_(layer), change_(change) {}

  Patch tell() {
    for (const auto& words :
         {change_.protection.empty() ? std::string() : "protected: " + std::string(change_.protection),
          in_front("conflict: ", words_of(change_.conflict)), words_of(change_.obstacle)}) {
      if (!words.empty()) note(words);
    }
    if (change_.privileged) note("its setuid, setgid or sticky bit will be left out");
    if (change_.leads_out) note("a link that leads out of the workspace");
    const Side none;
    const bool was = known_to_git(change_.before.kind), is = known_to_git(change_.after.kind);
    if (change_.only_times()) {
      note("only its time of change differs");
    } else if (was && is && change_.before.kind == change_.after.kind) {
      part(change_.before, change_.after);
    } else {
      // A file that became a link is told as one removed and one made.
      if (was) part(change_.before, none);
      if (!was && change_.before.kind != Kind::none && change_.before.kind != change_.after.kind)
        note("removed: " + std::string(name(change_.before.kind)));
      if (is) part(none, change_.after);
      if (!is && change_.after.kind != Kind::none) note_other();
    }
    return std::move(patch_);
  }

 private:
  static std::string in_front(const char* what, std::string words) { return words.empty() ? words : what + words; }

  void note(const std::string& words) { patch_.text += "# " + quoted(change_.path) + ": " + words + "\n"; }

  void note_other() {
    const std::string kind(name(change_.after.kind));
    const bool is_new = change_.before.kind != change_.after.kind;
    std::string words = is_new ? "new " + kind : kind + ": differs in";
    if (!is_new && change_.mode) words += " mode";
    if (!is_new && change_.xattrs) words += " attributes";
    note(words);
  }

  void part(const Side& before, const Side& after) {
    const auto both = quoted("a/" + change_.path) + " " + quoted("b/" + change_.path);
    std::string header = "diff --git " + both + "\n";
    if (before.kind == Kind::none) {
      header += "new file mode " + git_mode(after) + "\n";
    } else if (after.kind == Kind::none) {
      header += "deleted file mode " + git_mode(before) + "\n";
    } else if (git_mode(before) != git_mode(after)) {
      header += "old mode " + git_mode(before) + "\nnew mode " + git_mode(after) + "\n";
    }
    if (change_.xattrs) note("differs in attributes");
    if (change_.links) note("is another name of a file that is one with it");
    const auto old_text = content(layer_.lower, before);
    const auto new_text = content(layer_.upper, after);
    if (change_.binary && before.kind != Kind::symlink && after.kind != Kind::symlink) {
      if (before.kind != Kind::none && after.kind != Kind::none && !change_.content) {
        patch_.text += header;
        return;
      }
      const auto from = before.kind == Kind::none ? "/dev/null" : quoted("a/" + change_.path);
      const auto to = after.kind == Kind::none ? "/dev/null" : quoted("b/" + change_.path);
      patch_.text += header + "Binary files " + from + " and " + to + " differ\n";
      return;
    }
    const auto diff =
        old_text && new_text
            ? workspace::diff_text(*old_text, *new_text)
            : Result<workspace::TextDiff>(std::unexpected(old_text ? new_text.error() : old_text.error()));
    if (!diff) {
      note("differs, " + format_bytes(before.size) + " before, " + format_bytes(after.size) +
           " after: " + diff.error().message());
      return;
    }
    patch_.counted = true;
    patch_.insertions += diff->insertions;
    patch_.deletions += diff->deletions;
    patch_.text += header;
    if (diff->hunks.empty()) return;
    patch_.text += "--- " + (before.kind == Kind::none ? "/dev/null" : header_name("a/", change_.path)) + "\n";
    patch_.text += "+++ " + (after.kind == Kind::none ? "/dev/null" : header_name("b/", change_.path)) + "\n";
    patch_.text += diff->hunks;
  }

  [[nodiscard]] Result<std::string> content(int root, const Side& side) const {
    if (side.kind == Kind::none || (change_.binary && side.kind == Kind::file)) return std::string();
    if (side.size > workspace::diff_bytes_max)
      return fail(ErrorKind::exhausted, "larger than " + format_bytes(workspace::diff_bytes_max));
    return workspace::content_of(root, change_.path, side.kind, workspace::diff_bytes_max);
  }

  const workspace::Layer& layer_;
  const Change& change_;
  Patch patch_;
};

}  // namespace

Patch patch_of(const workspace::Layer& layer, const Change& change) {
  return Telling(layer, change).tell();
}

std::string quoted(std::string_view path) {
  const bool plain = path.find_first_of("\"\\") == std::string_view::npos && printable(path) == path;
  if (plain) return std::string(path);
  std::string result = "\"";
  for (const char c : path) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      result += {'\\', c};
    } else if (byte >= 0x20 && byte < 0x7F) {
      result += c;
    } else {
      std::array<char, 8> octal{};
      std::snprintf(octal.data(), octal.size(), "\\%03o", byte);
      result += octal.data();
    }
  }
  return result + "\"";
}

std::string for_terminal(std::string_view patch, bool colour) {
  std::string result;
  while (!patch.empty()) {
    const auto line = patch.substr(0, patch.find('\n'));
    patch.remove_prefix(std::min(patch.size(), line.size() + 1));
    const bool header = line.starts_with("diff ") || line.starts_with("--- ") || line.starts_with("+++ ");
    const char* start = !colour                 ? ""
                        : header                ? "\x1b[1m"
                        : line.starts_with('+') ? "\x1b[32m"
                        : line.starts_with('-') ? "\x1b[31m"
                        : line.starts_with('@') ? "\x1b[36m"
                        : line.starts_with('#') ? "\x1b[33m"
                                                : "";
    result += start + printable(line, true) + (*start == '\0' ? "" : "\x1b[m") + "\n";
  }
  return result;
}

}  // namespace agentos::cli
