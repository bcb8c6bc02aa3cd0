#include "daemon/grants.hpp"

#include <fcntl.h>
#include <pwd.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include <boost/json/object.hpp>

#include "agentos/base/text.hpp"
#include "policy/grants.hpp"

namespace agentos::daemon {
namespace {

std::string place_of(const policy::Stated<policy::Grant>& grant) {
  return grant.origin.text() + ": " + policy::key_of(grant.value.access) + ": '" + printable(grant.value.path) + "'";
}

// The kernel's name for it must be the one in the policy: so no link of anybody leads elsewhere.
Result<> check(const policy::Stated<policy::Grant>& grant, int fd) {
  const int flags = ::fcntl(fd, F_GETFL);
  if (flags < 0 || (flags & O_PATH) == 0)
    return fail(ErrorKind::invalid, place_of(grant) + ": its descriptor was not opened with O_PATH");
  std::array<char, 4096> target{};
  const std::string link = "/proc/self/fd/" + std::to_string(fd);
  const ssize_t size = ::readlink(link.c_str(), target.data(), target.size());
  if (size < 0) return fail_errno("look at what is granted");
  const std::string actual(target.data(), static_cast<std::size_t>(size));
  if (actual == grant.value.path) return {};
  return fail(ErrorKind::invalid, place_of(grant) + ": what was opened is '" + printable(actual) + "'",
              "name it in the policy by the path without symbolic links, and try again if it was moved just now");
}

}  // namespace

std::optional<std::string> home_of(uid_t uid) {
  passwd record{};
  passwd* found = nullptr;
  std::string buffer(4096, '\0');
  int error = 0;
  while ((error = ::getpwuid_r(uid, &record, buffer.data(), buffer.size(), &found)) == ERANGE &&
         buffer.size() < (1U << 20U)) {
    buffer.resize(buffer.size() * 2);
  }
  if (error != 0 || found == nullptr || found->pw_dir == nullptr) return std::nullopt;
  return std::string(found->pw_dir);
}

boost::json::array grants_json(const policy::Policy& policy) {
  boost::json::array list;
  for (const auto& [grant, origin] : policy.grants.value_or(policy::Grants())) {
    list.push_back(boost::json::object{{"path", grant.path},
                                       {"key", policy::key_of(grant.access)},
                                       {"write", grant.access == policy::Access::write},
                                       {"optional", grant.optional},
                                       {"at", origin.text()}});
  }
  return list;
}

Result<std::vector<UniqueFd>> take_grants(policy::Policy& policy, const std::vector<std::string>& paths,
                                          std::vector<UniqueFd> fds) {
  if (paths.size() != fds.size()) {
    return fail(ErrorKind::invalid, std::to_string(fds.size()) + " descriptors came with the request for " +
                                        std::to_string(paths.size()) + " paths that are granted");
  }
  constexpr const char* again = "the policy has changed meanwhile: try again";
  policy::Grants given;
  std::size_t next = 0;
  for (auto& grant : policy.grants.value_or(policy::Grants())) {
    if (next < paths.size() && paths[next] == grant.value.path) {
      AGENTOS_TRY(check(grant, fds[next].get()));
      ++next;
      grant.value.optional = false;
      given.push_back(std::move(grant));
    } else if (!grant.value.optional) {
      return fail(ErrorKind::conflict, place_of(grant) + " was not opened", again);
    }
  }
  if (next < paths.size()) {
    return fail(ErrorKind::conflict, "'" + printable(paths[next].substr(0, 512)) + "' is not granted, or not there",
                again);
  }
  policy.grants = std::move(given);
  return fds;
}

}  // namespace agentos::daemon
