#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include <cerrno>

#include "workspace/tree.hpp"

namespace agentos::workspace {
namespace {

// Folders deeper than this are first moved up, so that neither the stack nor the descriptors grow with what an agent
// made.
constexpr std::size_t open_at_once = 64;

class Removal {
 public:
  explicit Removal(int top) : top_(top) {}

  // Everything in `directory`, which is `depth` below the top.
  Result<> empty(int directory, std::size_t depth) {
    for (const auto& name : AGENTOS_TRY(names_in(directory))) AGENTOS_TRY(remove(directory, name, depth));
    return {};
  }

  Result<> remove(int parent, const std::string& name, std::size_t depth) {
    if (::unlinkat(parent, name.c_str(), 0) == 0 || errno == ENOENT) return {};
    if (errno != EISDIR && errno != EPERM) return fail_errno("remove " + name);
    if (::unlinkat(parent, name.c_str(), AT_REMOVEDIR) == 0 || errno == ENOENT) return {};
    if (errno != ENOTEMPTY && errno != EEXIST) return fail_errno("remove " + name);
    if (depth >= open_at_once) return move_up(parent, name);
    const auto folder = AGENTOS_TRY(open(parent, name));
    AGENTOS_TRY(empty(folder.get(), depth + 1));
    if (::unlinkat(parent, name.c_str(), AT_REMOVEDIR) != 0 && errno != ENOENT) return fail_errno("remove " + name);
    return {};
  }

  [[nodiscard]] bool moved() const { return moved_ > 0; }
  void start_again() { moved_ = 0; }

  static Result<UniqueFd> open(int parent, const std::string& name) {
    // A folder must be readable to be listed, and writable to be emptied; root needs neither.
    if (::geteuid() != 0 && !add_owner_rights(parent, name, 0700)) return fail_errno("make " + name + " writable");
    return open_folder(parent, name);
  }

 private:
  Result<> move_up(int parent, const std::string& name) {
    if (::geteuid() != 0 && !add_owner_rights(parent, name, 0700)) return fail_errno("make " + name + " writable");
    for (;;) {
      const std::string to = ".agentos-removed-" + std::to_string(++moved_);
      if (::renameat2(parent, name.c_str(), top_, to.c_str(), RENAME_NOREPLACE) == 0 || errno == ENOENT) return {};
      if (errno != EEXIST) return fail_errno("remove " + name);
    }
  }

  int top_;
  std::size_t moved_{};
};

}  // namespace

Result<> remove_tree(int parent, const std::string& name) {
  if (::unlinkat(parent, name.c_str(), 0) == 0 || errno == ENOENT) return {};
  if (errno != EISDIR && errno != EPERM) return fail_errno("remove " + name);
  const auto top = AGENTOS_TRY(Removal::open(parent, name));
  Removal removal(top.get());
  // What was moved up is in the top folder now, at most 64 folders less deep each time.
  do {
    removal.start_again();
    AGENTOS_TRY(removal.empty(top.get(), 0));
  } while (removal.moved());
  if (::unlinkat(parent, name.c_str(), AT_REMOVEDIR) != 0 && errno != ENOENT) return fail_errno("remove " + name);
  return {};
}

}  // namespace agentos::workspace
