#pragma once

#include <sys/types.h>

#include <cstddef>
#include <list>
#include <span>
#include <string>
#include <vector>

#include "agentos/base/fd.hpp"
#include "agentos/base/result.hpp"
#include "agentos/model/plan.hpp"
#include "sandbox/container/workshop.hpp"

namespace agentos::container {

// Steps [begin, end) of a plan, all `shared`, build what lies below one folder of the root (/etc, /dev, /sys): links,
// files, and mounts of the host's files.
struct StaticPart {
  std::string folder;
  std::size_t begin{}, end{};
};

// Those of `steps` that can be built once: at least two steps in a row, and no later step makes anything below the
// folder.
[[nodiscard]] std::vector<StaticPart> static_parts(const std::vector<MountStep>& steps);

// A part as it is mounted: `tree` takes the place of its steps.
struct BuiltPart {
  StaticPart part;
  UniqueFd tree;  // detached mount with all that is mounted below it, read-only
};

// Static parts that were built before, kept in the workshop. Forty mounts an agent are most of what a start takes; a
// copy of a tree of mounts is one system call. A kept part serves those whose steps are the same to the byte, for as
// long as the host has the same files at the same paths.
class Templates {
 public:
  static constexpr std::size_t kept_max = 16;

  explicit Templates(const Workshop& workshop) : workshop_(workshop) {}

  [[nodiscard]] Result<std::vector<BuiltPart>> parts(const std::vector<MountStep>& steps);

 private:
  struct File {
    std::string path;
    dev_t device{};
    ino_t inode{};  // 0: there is none
    bool operator==(const File&) const = default;
  };
  struct Kept {
    std::vector<MountStep> steps;
    std::vector<File> files;
    std::string place;  // in the workshop
    UniqueFd root;
  };

  static std::vector<File> files_of(std::span<const MountStep> steps);
  [[nodiscard]] Result<UniqueFd> part(std::span<const MountStep> steps, const std::string& folder);
  [[nodiscard]] Result<> build(std::span<const MountStep> steps, const std::string& folder);
  void drop(std::list<Kept>::iterator kept);

  const Workshop& workshop_;
  std::list<Kept> kept_;  // last used first
  unsigned next_{};
};

}  // namespace agentos::container
