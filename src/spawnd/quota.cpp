#include "spawnd/quota.hpp"

#include <linux/dqblk_xfs.h>
#include <linux/fs.h>
#include <linux/quota.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

namespace agentos::spawnd::quota {
namespace {

constexpr long quotactl_fd_call = 443;  // Linux 5.14; older headers lack it

// Projects of layers have numbers of this range, as uids of agents have. Administrators count theirs from 1
// (projid(5)).
constexpr std::uint32_t first_project = 0x70000000;
constexpr std::uint32_t projects = 0x10000000;
constexpr int tries_max = 64;

bool call(int folder, int command, std::uint32_t project, void* data) {
  const int with_type = static_cast<int>(QCMD(static_cast<unsigned>(command), PRJQUOTA));
  return ::syscall(quotactl_fd_call, folder, with_type, project, data) == 0;
}

bool is_enforced(int folder) {
  fs_quota_statv state{};
  state.qs_version = FS_QSTATV_VERSION1;
  return call(folder, Q_XGETQSTATV, 0, &state) && (state.qs_flags & FS_QUOTA_PDQ_ENFD) != 0;
}

Result<if_dqblk> record_of(int folder, std::uint32_t project) {
  if_dqblk record{};
  // ENOENT: xfs has none of a project that was never used.
  if (!call(folder, Q_GETQUOTA, project, &record) && errno != ENOENT) return fail_errno("read the quota of a layer");
  return record;
}

Result<fsxattr> attributes_of(int folder) {
  fsxattr attributes{};
  if (::ioctl(folder, FS_IOC_FSGETXATTR, &attributes) != 0) {
    // A file system that has no projects.
    if (errno != ENOTTY && errno != EOPNOTSUPP) return fail_errno("look at the project of a layer");
    attributes = {};
  }
  return attributes;
}

// The kernel's records are the table of what is taken: a layer that is being deleted still is. One thread takes, so two
// cannot take the same. Drawn by lot, as anybody may put files of their own into any project (there is no right to
// one): so nobody knows a number to fill up, nor fills up all that come.
Result<std::uint32_t> free_project(int folder) {
  for (int tries = 0; tries < tries_max; ++tries) {
    std::uint32_t lot{};
    if (::getrandom(&lot, sizeof lot, 0) != sizeof lot) return fail_errno("draw a project");
    const std::uint32_t project = first_project + lot % projects;
    const auto record = AGENTOS_TRY(record_of(folder, project));
    if (record.dqb_curspace == 0 && record.dqb_curinodes == 0 && record.dqb_bhardlimit == 0 &&
        record.dqb_ihardlimit == 0 && record.dqb_bsoftlimit == 0 && record.dqb_isoftlimit == 0) {
      return project;
    }
  }
  return fail(ErrorKind::exhausted, "no free project for the quota of a layer",
              "repquota -P lists what uses them: numbers from 1879048192 are for layers");
}

Result<> set(int folder, std::uint32_t project, const LayerSpace& most) {
  if_dqblk record{};
  record.dqb_bhardlimit = most.bytes / QIF_DQBLKSIZE;
  record.dqb_ihardlimit = most.inodes;
  record.dqb_valid = QIF_LIMITS;
  if (!call(folder, Q_SETQUOTA, project, &record)) return fail_errno("set the quota of a layer");
  return {};
}

bool is_of_a_layer(const fsxattr& attributes) {
  return (attributes.fsx_xflags & FS_XFLAG_PROJINHERIT) != 0 && attributes.fsx_projid >= first_project &&
         attributes.fsx_projid - first_project < projects;
}

}  // namespace

Result<> limit(int folder, const LayerSpace& most) {
  if (!is_enforced(folder)) {
    return fail(ErrorKind::unsupported, "this host cannot limit what an agent writes: no project quotas",
                "agentos doctor says what mends it");
  }
  auto attributes = AGENTOS_TRY(attributes_of(folder));
  attributes.fsx_projid = AGENTOS_TRY(free_project(folder));
  attributes.fsx_xflags |= FS_XFLAG_PROJINHERIT;
  // Before its limit: a project with a limit and without a folder would be taken for ever.
  if (::ioctl(folder, FS_IOC_FSSETXATTR, &attributes) != 0) return fail_errno("give a layer a project");
  return set(folder, attributes.fsx_projid, most);
}

Result<> read(int folder, LayerState& into) {
  const auto attributes = AGENTOS_TRY(attributes_of(folder));
  if (!is_of_a_layer(attributes)) return {};
  const auto record = AGENTOS_TRY(record_of(folder, attributes.fsx_projid));
  into.limit = {record.dqb_bhardlimit * QIF_DQBLKSIZE, record.dqb_ihardlimit};
  into.used = {record.dqb_curspace, record.dqb_curinodes};
  return {};
}

Result<> lift(int folder) {
  const auto attributes = AGENTOS_TRY(attributes_of(folder));
  return is_of_a_layer(attributes) ? set(folder, attributes.fsx_projid, {}) : Result<>{};
}

}  // namespace agentos::spawnd::quota
