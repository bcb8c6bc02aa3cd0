#include "sandbox/container/templates.hpp"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "sandbox/container/report.hpp"
#include "sandbox/container/root_fs.hpp"

namespace agentos::container {
namespace {

std::vector<MountStep> below(std::span<const MountStep> steps, const std::string& folder) {
  std::vector<MountStep> moved(steps.begin(), steps.end());
  for (auto& step : moved) step.target.erase(0, folder.size());
  return moved;
}

Result<> ended_well(pid_t pid, int report) {
  ChildReport said;
  const ssize_t count = ::read(report, &said, sizeof said);
  siginfo_t ended{};
  while (::waitid(P_PID, static_cast<id_t>(pid), &ended, WEXITED) != 0 && errno == EINTR) {
  }
  if (count == static_cast<ssize_t>(sizeof said)) {
    said.what.back() = '\0';
    return fail_errno(said.number, said.what.data());
  }
  if (ended.si_code != CLD_EXITED || ended.si_status != 0)
    return fail(ErrorKind::internal, "the process that builds a part of the root file system died");
  return {};
}

}  // namespace

std::vector<Templates::File> Templates::files_of(std::span<const MountStep> steps) {
  std::vector<File> files;
  for (const auto& step : steps) {
    if (step.kind != MountStep::Kind::bind) continue;
    File file{step.source};
    // Sources are the host's and root's own: check() lets no other be named.
    struct stat status{};
    if (::stat(step.source.c_str(), &status) == 0) {
      file.device = status.st_dev;
      file.inode = status.st_ino;
    }
    files.push_back(std::move(file));
  }
  return files;
}

Result<std::vector<BuiltPart>> Templates::parts(const std::vector<MountStep>& steps) {
  std::vector<BuiltPart> built;
  for (auto& found : static_parts(steps)) {
    auto tree = AGENTOS_TRY(part(std::span(steps).subspan(found.begin, found.end - found.begin), found.folder));
    built.push_back({std::move(found), std::move(tree)});
  }
  return built;
}

Result<UniqueFd> Templates::part(std::span<const MountStep> steps, const std::string& folder) {
  auto kept = std::ranges::find_if(kept_, [&](const Kept& one) { return std::ranges::equal(one.steps, steps); });
  if (kept != kept_.end() && kept->files != files_of(steps)) {
    drop(kept);
    kept = kept_.end();
  }
  if (kept == kept_.end()) {
    AGENTOS_TRY(build(steps, folder));
    kept = kept_.begin();
  }
  kept_.splice(kept_.begin(), kept_, kept);
  AGENTOS_TRY(workshop_.enter());
  UniqueFd tree(::open_tree(kept->root.get(), "", AT_EMPTY_PATH | AT_RECURSIVE | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC));
  const int number = errno;
  workshop_.return_home();
  if (!tree) return fail_errno(number, "copy the mounts of " + folder);
  return tree;
}

// In a process of its own, because what goes wrong there ends it.
Result<> Templates::build(std::span<const MountStep> steps, const std::string& folder) {
  if (kept_.size() >= kept_max) drop(std::prev(kept_.end()));
  Kept made{.steps = {steps.begin(), steps.end()},
            .files = files_of(steps),
            .place = "/part-" + std::to_string(next_++),
            .root = {}};
  const auto moved = below(steps, folder);
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return fail_errno("pipe");
  const UniqueFd read(ends[0]);
  UniqueFd write(ends[1]);
  AGENTOS_TRY(workshop_.enter());
  const bool placed = ::mkdir(made.place.c_str(), 0700) == 0;
  workshop_.return_home();
  if (!placed) return fail_errno("make a place for " + folder);
  kept_.push_front(std::move(made));
  const Kept& kept = kept_.front();
  const pid_t pid = ::fork();
  const int fork_failed = errno;
  if (pid == 0) {
    build_part(moved, workshop_, kept.place.c_str(), Reporter(write.get()));
    ::_exit(0);
  }
  write.reset();
  auto built = pid < 0 ? fail_errno(fork_failed, "fork") : ended_well(pid, read.get());
  if (built) {
    AGENTOS_TRY(workshop_.enter());
    kept_.front().root.reset(::open(kept.place.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    const int number = errno;
    workshop_.return_home();
    if (!kept.root) built = fail_errno(number, "open " + kept.place);
  }
  if (!built) {
    drop(kept_.begin());
    return std::unexpected(std::move(built).error().within("build " + folder));
  }
  return {};
}

void Templates::drop(std::list<Kept>::iterator kept) {
  kept->root.reset();
  if (workshop_.enter()) {
    ::umount2(kept->place.c_str(), MNT_DETACH | UMOUNT_NOFOLLOW);
    ::rmdir(kept->place.c_str());
    workshop_.return_home();
  }
  kept_.erase(kept);
}

}  // namespace agentos::container
