#pragma once

#include "agentos/base/fd.hpp"
#include "agentos/base/result.hpp"

namespace agentos::container {

// A mount namespace of root's own that holds nothing, in which the overlays of workspaces are put together: before
// Linux 6.15 overlayfs takes layers from mounts that are attached only, and where they are attached nobody must see
// them.
//
// Why the overlay is mounted by root and not by the root of the sandbox: only who has CAP_DAC_READ_SEARCH on the host
// gets inode numbers that stay when a file is first written to, and without them git and others take two names of one
// file for two files. What root's rights reach in it is bounded by the id-mapped mounts below: files of others than the
// caller and the agent have no owner there, so no capability counts for them (capabilities(7), user_namespaces(7)).
// Marks of overlayfs are user.overlay.*, for the caller to read; the agent can make none (overlayfs keeps its own under
// another name), and neither redirects nor metadata-only copies are followed with them. A caller can write them in a
// layer of its own: user.overlay.origin shows it the inode number of a file it names by handle, and no more.
class Workshop {
 public:
  static Result<Workshop> create();

  // A detached, writable mount: `layer` (id-mapped, with `upper` and `work`) over `lower` (id-mapped), or over nothing
  // where that is empty. Both are used up. nosuid, nodev.
  [[nodiscard]] Result<UniqueFd> overlay(UniqueFd lower, UniqueFd layer) const;

  // Into its mount namespace, where "/" is empty but for the mounts kept there; and back.
  [[nodiscard]] Result<> enter() const;
  void return_home() const;

 private:
  Workshop(UniqueFd home, UniqueFd inside, UniqueFd root)
      : home_(std::move(home)), inside_(std::move(inside)), root_(std::move(root)) {}
  [[nodiscard]] Result<UniqueFd> assemble(const UniqueFd& lower, const UniqueFd& layer) const;

  UniqueFd home_, inside_;  // mount namespaces: the one of this process, and the workshop
  UniqueFd root_;           // root directory of this process
};

}  // namespace agentos::container
