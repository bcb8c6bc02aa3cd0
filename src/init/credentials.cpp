#include "credentials.hpp"

#include <grp.h>
#include <linux/capability.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace agentos::init {
namespace {

using CapabilitySets = std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3>;

__user_cap_header_struct capability_header() {
  return {.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
}

// Of the sets effective, permitted and inheritable; on failure: as if there were some.
bool has_capability() {
  auto header = capability_header();
  CapabilitySets sets{};
  if (::syscall(SYS_capget, &header, sets.data()) != 0) return true;
  for (const auto& set : sets) {
    if ((set.effective | set.permitted | set.inheritable) != 0) return true;
  }
  return false;
}

// Calls visit(number) for each capability of the bounding set until it returns other than 0.
template <class F>
int for_bounding_set(F visit) {
  for (unsigned long number = 0; number < 64; ++number) {
    const int present = ::prctl(PR_CAPBSET_READ, number, 0, 0, 0);
    if (present < 0) break;  // past the last one this kernel has
    if (const int result = present == 1 ? visit(number) : 0; result != 0) return result;
  }
  return 0;
}

bool only_group(std::uint32_t gid) {
  std::array<gid_t, 64> groups{};
  const int count = ::getgroups(groups.size(), groups.data());
  if (count < 0) return false;
  for (int i = 0; i < count; ++i) {
    if (groups[static_cast<std::size_t>(i)] != gid) return false;
  }
  return true;
}

// Whether nothing of init is left. A call that succeeded without doing its work would leave a hostile program with
// rights over init, so the result is read back.
bool is_agent(const Credentials& agent) {
  std::array<uid_t, 3> uids{};
  std::array<gid_t, 3> gids{};
  if (::getresuid(&uids[0], &uids[1], &uids[2]) != 0 || ::getresgid(&gids[0], &gids[1], &gids[2]) != 0) return false;
  for (std::size_t i = 0; i < 3; ++i) {
    if (uids[i] != agent.uid || gids[i] != agent.gid) return false;
  }
  const uid_t no_id = static_cast<uid_t>(-1);  // changes nothing, tells the present one
  if (static_cast<uid_t>(::setfsuid(no_id)) != agent.uid || static_cast<gid_t>(::setfsgid(no_id)) != agent.gid)
    return false;
  if (!only_group(agent.gid) || (!agent.unprivileged && ::getgroups(0, nullptr) != 0)) return false;
  if (has_capability() || ::prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1) return false;
  // Without any capability and with no_new_privs the bounding set gives nothing to anybody.
  return agent.unprivileged || for_bounding_set([](unsigned long) { return 1; }) == 0;
}

}  // namespace

Result<Credentials> Credentials::of_agent(std::uint32_t uid, std::uint32_t gid) {
  const auto no_id = static_cast<std::uint32_t>(-1);
  if (uid == 0 || gid == 0 || uid == no_id || gid == no_id)
    return fail(ErrorKind::invalid, "an agent cannot have this uid or gid");
  Credentials agent{.uid = uid, .gid = gid};
  agent.unprivileged =
      ::getuid() == uid && ::geteuid() == uid && ::getgid() == gid && ::getegid() == gid && !has_capability();
  return agent;
}

int become(const Credentials& agent) {
  for (const auto& [resource, most] : agent.limits) {
    const auto which = static_cast<__rlimit_resource_t>(resource);
    rlimit limit{};
    if (::getrlimit(which, &limit) != 0) return errno;
    limit.rlim_cur = limit.rlim_max = std::min<rlim_t>(most, limit.rlim_max);
    if (::setrlimit(which, &limit) != 0) return errno;
  }
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return errno;
  // The bounding set first: it takes CAP_SETPCAP, which setresuid takes away.
  if (!agent.unprivileged) {
    const int failed = for_bounding_set(
        [](unsigned long number) { return ::prctl(PR_CAPBSET_DROP, number, 0, 0, 0) == 0 ? 0 : errno; });
    if (failed != 0) return failed;
  }
  if (::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0) return errno;
  if (::setgroups(0, nullptr) != 0 && !(agent.unprivileged && only_group(agent.gid))) return errno;
  if (::setresgid(agent.gid, agent.gid, agent.gid) != 0 || ::setresuid(agent.uid, agent.uid, agent.uid) != 0)
    return errno;
  // Init is not dumpable, but a change of uid sets what fs.suid_dumpable says. Other programs of the agent, with whom
  // this process now shares its uid, must not read the copy of init's memory that it still has.
  if (::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) return errno;
  auto header = capability_header();
  const CapabilitySets none{};
  if (::syscall(SYS_capset, &header, none.data()) != 0) return errno;
  return is_agent(agent) ? 0 : EPERM;
}

FilesOfAgent::FilesOfAgent(const Credentials& agent)
    : uid_(static_cast<std::uint32_t>(::setfsuid(agent.uid))), gid_(static_cast<std::uint32_t>(::setfsgid(agent.gid))) {
  const auto no_id = static_cast<uid_t>(-1);
  ok_ = static_cast<uid_t>(::setfsuid(no_id)) == agent.uid && static_cast<gid_t>(::setfsgid(no_id)) == agent.gid;
}

FilesOfAgent::~FilesOfAgent() {
  ::setfsgid(gid_);
  ::setfsuid(uid_);
}

}  // namespace agentos::init
