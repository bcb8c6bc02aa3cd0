#include "daemon/privileges.hpp"

#include <grp.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace agentos::daemon {

Result<> become(const std::string& user, const std::vector<std::string>& folders) {
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return fail_errno("give up privileges");
  const uid_t self = ::geteuid();
  if (user.empty()) {
    if (self != 0 && ::getuid() != 0) return {};
    return fail(ErrorKind::forbidden, "agentosd does not run as root",
                "start it by its unit (systemctl start agentosd), or give --user agentos");
  }
  const passwd* entry = ::getpwnam(user.c_str());
  if (entry == nullptr || entry->pw_uid == 0) {
    return fail(ErrorKind::not_found, "--user: no user '" + user + "' to become",
                "create it: useradd --system --no-create-home agentos");
  }
  if (self == entry->pw_uid) return {};
  if (self != 0) return fail(ErrorKind::forbidden, "only root can become user '" + user + "'");
  const uid_t uid = entry->pw_uid;
  const gid_t gid = entry->pw_gid;
  for (const auto& folder : folders) {
    if (::mkdir(folder.c_str(), 0755) == 0) {
      if (::lchown(folder.c_str(), uid, gid) != 0) return fail_errno("give " + folder + " to " + user);
    } else if (errno != EEXIST) {
      return fail_errno("create " + folder);
    }
  }
  if (::setgroups(1, &gid) != 0 || ::setresgid(gid, gid, gid) != 0 || ::setresuid(uid, uid, uid) != 0) {
    return fail_errno("become user " + user);
  }
  // Leaving uid 0 emptied every capability set; if it could be entered again, it was not left.
  if (::setuid(0) == 0 || ::getuid() != uid || ::geteuid() != uid || ::getegid() != gid) {
    return fail(ErrorKind::internal, "root was not given up");
  }
  return {};
}

}  // namespace agentos::daemon
