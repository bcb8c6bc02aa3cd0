#include "cli/grants.hpp"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include <boost/json/array.hpp>

#include "agentos/base/text.hpp"
#include "cli/agent_view.hpp"

namespace agentos::cli {
namespace {

UniqueFd open_plainly(const std::string& path) {
  open_how how{};
  how.flags = O_PATH | O_CLOEXEC;
  how.resolve = RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
  return UniqueFd(static_cast<int>(::syscall(SYS_openat2, AT_FDCWD, path.c_str(), &how, sizeof how)));
}

Error not_opened(const std::string& path) {
  const int number = errno;
  switch (number) {
    case ENOENT:
    case ENOTDIR:
      return {ErrorKind::not_found, "is not there", "make it, or have the policy say '" + path + "?'"};
    case ELOOP: {
      std::error_code error;
      const auto real = std::filesystem::weakly_canonical(path, error);
      return {ErrorKind::invalid, "is reached by a symbolic link",
              "have the policy name what it leads to" + (error ? std::string() : ": " + real.string())};
    }
    case EACCES:
      return {ErrorKind::forbidden, "cannot be reached by you",
              "an agent can be given only what you may open yourself"};
    default:
      return Error::from_errno(number, "cannot be opened");
  }
}

// What the agent would find that it cannot use: better said now. What it may do is the kernel's to say, then.
Result<> check(int fd, bool write) {
  struct stat status{};
  if (::fstat(fd, &status) != 0) return fail_errno("cannot be looked at");
  const bool folder = S_ISDIR(status.st_mode);
  if (!folder && !S_ISREG(status.st_mode))
    return fail(ErrorKind::invalid, "is neither a folder nor a regular file", "name one, or the folder it is in");
  const int wanted = R_OK | (folder ? X_OK : 0);
  if (::faccessat(fd, "", wanted, AT_EMPTY_PATH | AT_EACCESS) != 0) {
    return fail(ErrorKind::forbidden, "may not be read by you",
                "an agent can be given only what you may open yourself");
  }
  if (!write) return {};
  if (status.st_uid != ::geteuid()) {
    return fail(ErrorKind::forbidden, "belongs to another user, and an agent writes only what is yours",
                "have the policy name it in read_only");
  }
  if (::faccessat(fd, "", W_OK, AT_EMPTY_PATH | AT_EACCESS) != 0)
    return fail(ErrorKind::forbidden, "may not be written by you", "have the policy name it in read_only");
  return {};
}

}  // namespace

Result<OpenedGrants> open_grants(const boost::json::value& asked) {
  OpenedGrants opened;
  if (!asked.is_array()) return opened;
  for (const auto& one : asked.get_array()) {
    const AgentView grant(one);
    const auto path = grant.text("path");
    auto fd = open_plainly(path);
    const auto usable = fd ? check(fd.get(), grant.flag("write")) : std::unexpected(not_opened(path));
    if (usable) {
      opened.paths.push_back(path);
      opened.fds.push_back(std::move(fd));
      continue;
    }
    const auto& error = usable.error();
    const auto what = grant.text("at") + ": " + grant.text("key") + ": '" + printable(path) + "' " + error.message();
    if (!grant.flag("optional")) return fail(error.kind(), what, error.hint());
    if (error.kind() != ErrorKind::not_found) opened.notes.push_back("left out: " + what);
  }
  return opened;
}

}  // namespace agentos::cli
