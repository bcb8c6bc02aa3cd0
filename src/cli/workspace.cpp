#include "cli/workspace.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>

namespace agentos::cli {

Result<Workspace> open_workspace(const std::string& argument) {
  std::string path = argument;
  std::optional<WorkspaceMode> mode;
  if (const auto colon = argument.rfind(':'); colon != std::string::npos) {
    mode = workspace_mode_named(argument.substr(colon + 1));
    if (mode) path.resize(colon);
  }
  const std::string wanted = path.empty() ? "." : path;
  const std::string shown = path.empty() ? "(the current folder)" : path;
  UniqueFd fd(::open(wanted.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd) {
    switch (errno) {
      case ENOENT:
        return fail(ErrorKind::not_found, "workspace " + shown + " does not exist",
                    "make it first, or name another with --workspace DIR[:overlay|bind|ro|empty]");
      case ENOTDIR:
        return fail(ErrorKind::invalid, "workspace " + shown + " is not a folder",
                    "name the folder that the file is in");
      case EACCES:
        return fail(ErrorKind::forbidden, "workspace " + shown + ": you may not read it",
                    "an agent can be given only what you may open yourself");
      default:
        return fail_errno("open workspace " + shown);
    }
  }
  struct stat status{};
  if (::fstat(fd.get(), &status) != 0) return fail_errno("workspace " + shown);
  if (status.st_nlink == 0)
    return fail(ErrorKind::not_found, "workspace " + shown + " has been deleted", "change to a folder that exists");
  std::array<char, PATH_MAX> target{};
  const std::string link = "/proc/self/fd/" + std::to_string(fd.get());
  const ssize_t size = ::readlink(link.c_str(), target.data(), target.size());
  if (size < 0) return fail_errno("path of workspace " + shown);
  std::string real(target.data(), static_cast<std::size_t>(size));
  if (!real.starts_with('/')) return fail(ErrorKind::invalid, "workspace " + shown + " cannot be reached by a path");
  return Workspace{std::move(fd), std::move(real), mode};
}

}  // namespace agentos::cli
