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

  // Into its mount namespace, where "/" is empty but for the mounts kept there.
  [[nodiscard]] Result<> enter() const;
  // Into another one, that holds nothing but a read-only "/" with a folder "proc": whoever is cloned there gets a copy
  // of that, and never sees a mount of the host or of another agent.
  [[nodiscard]] Result<> enter_empty() const;
  void return_home() const;  // from either

 private:
  Workshop(UniqueFd home, UniqueFd root) : home_(std::move(home)), root_(std::move(root)) {}
  [[nodiscard]] Result<UniqueFd> make(Result<> (*furnish)()) const;
  [[nodiscard]] Result<UniqueFd> assemble(const UniqueFd& lower, const UniqueFd& layer) const;

  UniqueFd home_, inside_, empty_;  // mount namespaces: the one of this process, the workshop, the empty one
  UniqueFd root_;                   // root directory of this process
};

}  // namespace agentos::container
