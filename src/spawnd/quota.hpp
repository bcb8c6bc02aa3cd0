#pragma once

#include "agentos/base/result.hpp"
#include "agentos/model/workspace.hpp"

// Project quotas (quotactl(2), PRJQUOTA) of the file system that layers are on: ext4 and xfs. The kernel's own records
// are the only ones: a layer's folder carries the number of its project, and who makes something in it passes it on.
// A limit does not hold who has CAP_SYS_RESOURCE: neither agents nor overlayfs do, which writes for them with what root
// had when it mounted, less that capability (ovl_fill_super in fs/overlayfs/super.c). The probe tries it.
namespace agentos::spawnd::quota {

// Gives the empty folder a project of its own that may hold so much. unsupported: quotas are not enforced there.
[[nodiscard]] Result<> limit(int folder, const LayerSpace& most);
// Of a folder without a project: nothing.
[[nodiscard]] Result<> read(int folder, LayerState& into);
// The project may be another's as soon as nothing is in it any more. Of a folder without a project: done.
[[nodiscard]] Result<> lift(int folder);

}  // namespace agentos::spawnd::quota
