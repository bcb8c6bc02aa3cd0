#include "spawnd/layers.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <functional>
#include <memory>
#include <string_view>

#include "agentos/base/text.hpp"
#include "os/file.hpp"
#include "spawnd/quota.hpp"

namespace agentos::spawnd {
namespace {

constexpr int folder = O_RDONLY | O_DIRECTORY;
constexpr std::size_t removed_max = 256;

Result<UniqueFd> make_private(int parent, const std::string& name) {
  if (::mkdirat(parent, name.c_str(), 0700) != 0 && errno != EEXIST) return fail_errno("create " + name);
  UniqueFd made(::openat(parent, name.c_str(), folder | O_NOFOLLOW | O_CLOEXEC));
  if (!made) return fail_errno("open " + name);
  if (::fchown(made.get(), 0, 0) != 0 || ::fchmod(made.get(), 0700) != 0)
    return fail_errno("close " + name + " to others");
  return made;
}

Result<> make_owned(int parent, const char* name, mode_t mode, uid_t uid, gid_t gid) {
  // Owner before mode: chown clears bits.
  if (::mkdirat(parent, name, 0700) != 0 || ::fchownat(parent, name, uid, gid, AT_SYMLINK_NOFOLLOW) != 0 ||
      ::fchmodat(parent, name, mode, 0) != 0) {
    return fail_errno(std::string("create the layer's ") + name);
  }
  return {};
}

// Until `visit` answers false.
Result<> each_entry(UniqueFd directory, const std::function<bool(std::string_view)>& visit) {
  const auto close = [](DIR* open) { ::closedir(open); };
  const std::unique_ptr<DIR, decltype(close)> entries(::fdopendir(directory.get()));
  if (!entries) return fail_errno("read a layer");
  static_cast<void>(directory.release());
  errno = 0;
  while (const dirent* entry = ::readdir(entries.get())) {
    const std::string_view name = entry->d_name;
    if (name != "." && name != ".." && !visit(name)) return {};
  }
  return errno == 0 ? Result<>() : fail_errno("read a layer");
}

// Removes a layer in which nothing was left: whether it did. What lies in `work` overlayfs has made (the mark of its
// option volatile). The folders on these paths are spawnd's, below one that is closed to everybody else.
bool remove_empty(int parent, const std::string& agent) {
  ::unlinkat(parent, (agent + "/work/work/incompat/volatile/dirty").c_str(), 0);
  for (const char* name :
       {"/upper", "/work/work/incompat/volatile", "/work/work/incompat", "/work/work", "/work", ""}) {
    if (::unlinkat(parent, (agent + name).c_str(), AT_REMOVEDIR) != 0 && errno != ENOENT) return false;
  }
  return true;
}

Result<> check_name(const std::string& agent) {
  return is_name(agent) ? Result<>{} : fail(ErrorKind::invalid, "agent is not a name");
}

}  // namespace

Result<Layers> Layers::open(const std::string& state_dir) {
  const auto state = AGENTOS_TRY(make_private(AT_FDCWD, state_dir));
  auto layers = AGENTOS_TRY(make_private(state.get(), "layers"));
  auto trash = AGENTOS_TRY(make_private(state.get(), "trash"));
  return Layers(std::move(layers), std::move(trash));
}

Result<UniqueFd> Layers::create(const std::string& agent, uid_t uid, gid_t gid, int lower,
                                const LayerSpace& most) const {
  AGENTOS_TRY(check_name(agent));
  struct statx workspace{};
  // Never asks a file system that a user serves.
  if (::statx(lower, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_MODE, &workspace) != 0) {
    return fail_errno("look at the workspace");
  }
  if (::mkdirat(layers_.get(), agent.c_str(), 0700) != 0) return fail_errno("create the layer of " + agent);
  const auto fill = [&]() -> Result<UniqueFd> {
    auto layer = AGENTOS_TRY(os::open_beneath(layers_.get(), agent, folder));
    // Nobody is its owner in the id-mapped mount, root neither, so passing through is for all; `layers` is not.
    if (::fchmod(layer.get(), 0711) != 0) return fail_errno("open the layer to its mount");
    if (most != LayerSpace{}) AGENTOS_TRY(quota::limit(layer.get(), most));
    AGENTOS_TRY(make_owned(layer.get(), "upper", workspace.stx_mode & 0777U, uid, gid));
    AGENTOS_TRY(make_owned(layer.get(), "work", 0700, uid, gid));
    return layer;
  };
  auto layer = fill();
  if (!layer) {
    [[maybe_unused]] const auto lifted = lift(agent);
    remove_empty(layers_.get(), agent);
  }
  return layer;
}

Result<UniqueFd> Layers::open_for(const std::string& agent, uid_t user) const {
  AGENTOS_TRY(check_name(agent));
  const auto layer = os::open_beneath(layers_.get(), agent, folder);
  if (!layer && layer.error().kind() == ErrorKind::not_found) {
    return fail(ErrorKind::not_found, "agent " + agent + " has no layer");
  }
  if (!layer) return std::unexpected(layer.error());
  struct stat work{};
  if (::fstatat(layer->get(), "work", &work, AT_SYMLINK_NOFOLLOW) != 0)
    return fail_errno("look at the layer of " + agent);
  if (user != 0 && user != work.st_uid)
    return fail(ErrorKind::forbidden, "the layer of " + agent + " is another user's");
  return os::open_beneath(layer->get(), "upper", folder);
}

Result<LayerState> Layers::look(const std::string& agent) const {
  LayerState state{.empty = true, .limit = {}, .used = {}};
  auto upper = AGENTOS_TRY(open_for(agent, 0));
  AGENTOS_TRY(each_entry(std::move(upper), [&](std::string_view) { return state.empty = false; }));
  const auto layer = AGENTOS_TRY(os::open_beneath(layers_.get(), agent, folder));
  AGENTOS_TRY(quota::read(layer.get(), state));
  return state;
}

Result<> Layers::lift(const std::string& agent) const {
  const auto layer = AGENTOS_TRY(os::open_beneath(layers_.get(), agent, folder));
  return quota::lift(layer.get());
}

Result<std::vector<std::string>> Layers::list(const std::string& after, std::size_t most) const {
  std::vector<std::string> found;
  auto layers = AGENTOS_TRY(os::open_beneath(layers_.get(), ".", folder));
  AGENTOS_TRY(each_entry(std::move(layers), [&](std::string_view name) {
    if (name > after) found.emplace_back(name);
    return true;
  }));
  std::ranges::sort(found);
  found.resize(std::min(found.size(), most));
  return found;
}

Result<> Layers::remove(const std::string& agent) {
  AGENTOS_TRY(check_name(agent));
  // Before it is out of sight: what a crash leaves here is removed again.
  if (auto lifted = lift(agent); !lifted) return lifted.error().kind() == ErrorKind::not_found ? Result<>{} : lifted;
  std::string name = agent;  // an earlier one of this name may still be on its way
  while (::renameat(layers_.get(), agent.c_str(), trash_.get(), name.c_str()) != 0) {
    if (errno == ENOENT) return {};
    if (errno != ENOTEMPTY && errno != EEXIST) return fail_errno("remove the layer of " + agent);
    name += '+';
  }
  removed_.push_back(std::move(name));
  if (removed_.size() > removed_max) delete_one();
  return {};
}

void Layers::delete_one() {
  const std::string agent = std::move(removed_.back());
  removed_.pop_back();
  if (!remove_empty(trash_.get(), agent)) empty_trash();
}

// A layer may hold millions of files, nested as deep as its agent liked, and this process must not wait for their end:
// find(1) deletes without following links, at any depth, and ends by itself.
void Layers::empty_trash() {
  if (deleting_ != 0) {
    more_ = true;
    return;
  }
  more_ = false;
  deleting_ = ::fork();
  if (deleting_ != 0) {
    if (deleting_ < 0) deleting_ = 0;  // tried again with the next one
    return;
  }
  if (::fchdir(trash_.get()) != 0) ::_exit(1);
  const int null = ::open("/dev/null", O_RDWR);
  for (int fd = 0; fd <= 2; ++fd) ::dup2(null, fd);
  ::close_range(3, ~0U, 0);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::execl("/usr/bin/find", "find", ".", "-xdev", "-mindepth", "1", "-delete", nullptr);
  ::_exit(127);
}

void Layers::child_ended(pid_t pid) {
  if (pid != deleting_) return;
  deleting_ = 0;
  if (more_) empty_trash();
}

}  // namespace agentos::spawnd
