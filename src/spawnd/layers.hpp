#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "agentos/base/fd.hpp"
#include "agentos/base/result.hpp"
#include "agentos/model/workspace.hpp"

namespace agentos::spawnd {

// What agents wrote over their workspaces, until their callers have committed or discarded it:
//   <state>/layers/AGENT/{upper,work}   the two directories of overlayfs, in the caller's name and on its disk quota
//   <state>/trash/AGENT                 what is being deleted
// A layer with a limit is a project of the file system's quotas, from AGENT on.
// Everything down to AGENT is root's, and `layers` and `trash` are closed to all others (0700): neither a caller nor an
// agent can put another file or a link where root looks for `upper`, and what is in it is only listed and deleted, by a
// process of its own.
class Layers {
 public:
  // Makes the folders. `state_dir` must be on a file system that users cannot change.
  static Result<Layers> open(const std::string& state_dir);

  // A new layer for `lower`, whose mode the agent sees on its workspace. Its root is the caller's, whoever owns
  // `lower`: in a folder of another's there may be folders of the caller's. The descriptor is of AGENT. exists: it has
  // one. unsupported: `most` limits it, and this host cannot.
  [[nodiscard]] Result<UniqueFd> create(const std::string& agent, uid_t uid, gid_t gid, int lower,
                                        const LayerSpace& most) const;
  // `upper`, for reading, for somebody who may have it: whose layer it is, or root.
  [[nodiscard]] Result<UniqueFd> open_for(const std::string& agent, uid_t user) const;
  [[nodiscard]] Result<LayerState> look(const std::string& agent) const;
  // The agents that have one, in order: those behind `after`, `most` of them.
  [[nodiscard]] Result<std::vector<std::string>> list(const std::string& after, std::size_t most) const;
  // At once out of sight; deleted later, by delete_one(). Of one that is not there: done.
  [[nodiscard]] Result<> remove(const std::string& agent);
  // Whether there is something to delete, for when there is time; many of them must not wait for that.
  [[nodiscard]] bool has_removed() const { return !removed_.empty(); }
  void delete_one();

  // Deletes what an earlier spawnd could not.
  void empty_trash();
  // To be told of every child that has ended.
  void child_ended(pid_t pid);

 private:
  Layers(UniqueFd layers, UniqueFd trash) : layers_(std::move(layers)), trash_(std::move(trash)) {}

  [[nodiscard]] Result<> lift(const std::string& agent) const;

  UniqueFd layers_, trash_;
  std::vector<std::string> removed_;  // in the trash, at most removed_max
  pid_t deleting_{};
  bool more_{};  // came since `deleting_` began
};

}  // namespace agentos::spawnd
