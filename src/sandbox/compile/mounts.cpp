#include "sandbox/compile/mounts.hpp"

#include <algorithm>
#include <array>
#include <set>
#include <string_view>

#include "agentos/model/places.hpp"
#include "policy/grants.hpp"
#include "sandbox/compile/etc_entries.hpp"

namespace agentos::sandbox {
namespace {

using Kind = MountStep::Kind;

constexpr std::uint32_t plain = MountStep::no_suid | MountStep::no_dev;
constexpr std::uint32_t data_only = plain | MountStep::no_exec;
constexpr std::uint32_t read_only = MountStep::read_only;
constexpr std::uint32_t optional = MountStep::optional;

// Entries of / that distributions keep or link into /usr.
constexpr auto root_entries = std::to_array<std::string_view>({"bin", "sbin", "lib", "lib32", "lib64", "libx32"});

class Steps {
 public:
  // What is added until the next call is the same for every agent of this host, or not.
  void share(bool shared) { shared_ = shared ? MountStep::shared : 0U; }
  void bind(const std::string& path, std::uint32_t flags) { add({Kind::bind, flags, 0755, path, path, {}}); }
  // With nodev even this null device answers EACCES: a program learns that it was refused.
  void mask(const std::string& target) {
    add({Kind::bind, data_only | read_only | optional, 0755, "/dev/null", target, {}});
  }
  void seal(const std::string& target, std::uint32_t flags = 0) { add({Kind::seal, flags, 0755, {}, target, {}}); }
  void link(const std::string& target, const std::string& to) { add({Kind::symlink, 0, 0755, to, target, {}}); }
  void file(const std::string& target, const std::string& content) { add({Kind::file, 0, 0644, content, target, {}}); }
  void directory(const std::string& target) { add({Kind::directory, 0, 0755, {}, target, {}}); }
  void tmpfs(const std::string& target, const std::string& options, std::uint32_t flags) {
    add({Kind::tmpfs, flags, 0755, {}, target, options});
  }
  void add(MountStep step) {
    step.flags |= shared_;
    steps_.push_back(std::move(step));
  }
  [[nodiscard]] std::vector<MountStep> take() && { return std::move(steps_); }

 private:
  std::uint32_t shared_{};
  std::vector<MountStep> steps_;
};

void add_programs(Steps& to, const HostFacts& facts) {
  to.bind("/usr", plain | read_only);
  for (const auto entry : root_entries) {
    const std::string name(entry);
    const auto links_into_usr = [&](const std::string& link) {
      return link.starts_with(name + " -> usr/") || link.starts_with(name + " -> /usr/");
    };
    if (const auto link = std::ranges::find_if(facts.root_links, links_into_usr); link != facts.root_links.end()) {
      to.link("/" + name, link->substr(name.size() + 4));
    } else if (std::ranges::find(facts.root_directories, name) != facts.root_directories.end()) {
      to.bind("/" + name, plain | read_only);
    }
  }
}

// /etc, /dev and /sys are the same for every agent, so spawnd builds each of them once: what is an agent's own is
// behind a link, and what is mounted in them later finds its folder there.
void add_etc(Steps& to, const HostFacts& facts) {
  to.share(true);
  for (const auto& entry : facts.etc_entries) {
    if (is_etc_entry(entry)) to.bind("/etc/" + entry, data_only | read_only | optional);
  }
  to.file("/etc/passwd",
          "root:x:0:0:root:/:/bin/sh\nagent:x:1000:1000:agent:/home/agent:/bin/bash\nnobody:x:65534:65534:nobody:/:/"
          "bin/false\n");
  to.file("/etc/group", "root:x:0:\ntty:x:5:\nagent:x:1000:\nnogroup:x:65534:\n");
  for (const char* name : {"hostname", "hosts"})
    to.link(std::string("/etc/") + name, std::string("../run/agentos/") + name);
  to.file("/etc/nsswitch.conf",
          "passwd: files\ngroup: files\nshadow: files\nhosts: files dns\nnetworks: files\nprotocols: files\nservices: "
          "files\n");
  to.file("/etc/resolv.conf", "# no name server is reachable from here\n");
  to.link("/etc/mtab", "../proc/self/mounts");
  to.share(false);
}

void add_names(Steps& to, const std::string& hostname) {
  to.file("/run/agentos/hostname", hostname + "\n");
  to.file("/run/agentos/hosts", "127.0.0.1 localhost\n::1 localhost ip6-localhost\n127.0.1.1 " + hostname + "\n");
}

void add_proc(Steps& to) {
  to.add({Kind::proc, data_only, 0755, {}, "/proc", {}});
  // Kernel memory and addresses, keys, what other processes of the host do. Some exist only on some kernels.
  for (const char* name :
       {"kcore", "kallsyms", "keys", "timer_list", "sched_debug", "sysrq-trigger", "latency_stats"}) {
    to.mask(std::string("/proc/") + name);
  }
  // pressure: who writes there lets the kernel watch the whole host for them, with a thread of its own.
  for (const char* name : {"sys", "irq", "bus", "fs", "pressure"}) to.seal(std::string("/proc/") + name, optional);
}

void add_dev(Steps& to) {
  to.share(true);
  for (const char* name : {"null", "zero", "full", "random", "urandom", "tty"}) {
    to.bind(std::string("/dev/") + name, MountStep::no_suid | MountStep::no_exec);
  }
  to.link("/dev/ptmx", "pts/ptmx");
  to.link("/dev/fd", "/proc/self/fd");
  to.link("/dev/stdin", "/proc/self/fd/0");
  to.link("/dev/stdout", "/proc/self/fd/1");
  to.link("/dev/stderr", "/proc/self/fd/2");
  for (const char* name : {"pts", "shm"}) to.directory(std::string("/dev/") + name);
  to.share(false);
  // max: the host's ptys are one pool (kernel.pty.max), and an agent must not drain it. 5 is tty in every distribution.
  to.add({Kind::devpts,
          MountStep::no_suid | MountStep::no_exec,
          0755,
          {},
          "/dev/pts",
          "ptmxmode=0666,mode=0620,gid=5,max=256"});
}

void add_sys(Steps& to) {
  to.share(true);
  for (const char* path :
       {"/sys/devices/system/cpu", "/sys/devices/system/node", "/sys/kernel/mm/transparent_hugepage"}) {
    to.bind(path, data_only | read_only | optional);
  }
  to.directory("/sys/fs/cgroup");
  to.share(false);
  to.add({Kind::cgroup2, data_only | read_only, 0755, {}, "/sys/fs/cgroup", {}});
}

// What tmpfs holds is memory of the host. Where the memory controller counts it against the agent these sizes matter
// little; elsewhere they are all that bounds it: together 5/8 of what there is. Inodes cost about 1 KiB of the kernel's
// memory each: one for 8 KiB of size is enough for a node_modules of 100,000 files on a machine with 4 GiB.
std::string tmpfs_options(std::uint64_t memory, std::uint64_t divisor, const char* rest) {
  constexpr std::uint64_t page = 4096;
  constexpr std::uint64_t least = 16U << 20U;
  constexpr std::uint64_t bytes_an_inode = 8192;
  constexpr std::uint64_t most_inodes = 1U << 20U;
  const std::uint64_t size = std::max(memory / divisor / page * page, least);
  return "size=" + std::to_string(size) + ",nr_inodes=" + std::to_string(std::min(size / bytes_an_inode, most_inodes)) +
         rest;
}

void add_scratch(Steps& to, std::uint64_t memory) {
  to.tmpfs("/tmp", tmpfs_options(memory, 4, ",mode=1777"), plain);
  to.tmpfs("/var/tmp", tmpfs_options(memory, 16, ",mode=1777"), plain);
  to.tmpfs("/dev/shm", tmpfs_options(memory, 16, ",mode=1777"), data_only);
  const std::string owner = std::to_string(agent_uid);
  to.tmpfs(agent_home, tmpfs_options(memory, 4, (",mode=0700,uid=" + owner + ",gid=" + owner).c_str()), plain);
}

// What was written with '~' is looked for below $HOME, which is the agent's own: there is a link to it.
void add_links(Steps& to, const policy::Grants& grants) {
  std::set<std::string> made;
  for (const auto& [grant, origin] : grants) {
    if (grant.link.empty()) continue;
    const std::string link = agent_home + grant.link.substr(1);
    const auto is_there = [&](const auto& other) {
      return is_within(link, other.value.path) || is_within(other.value.path, link) ||
             (!other.value.link.empty() && other.value.link != grant.link && is_within(grant.link, other.value.link));
    };
    if (std::ranges::any_of(grants, is_there)) continue;
    for (auto slash = link.find('/', std::string_view(agent_home).size() + 1); slash != std::string::npos;
         slash = link.find('/', slash + 1)) {
      const auto folder = link.substr(0, slash);
      if (made.insert(folder).second) to.add({Kind::directory, MountStep::of_agent, 0755, {}, folder, {}});
    }
    to.link(link, grant.path);
  }
}

// In their order folders come before what is in them, so that the narrower lies on top.
void add_grants(Steps& to, const policy::Grants& grants) {
  for (const auto& [grant, origin] : grants) {
    const auto flags =
        plain | (grant.access == policy::Access::read ? read_only : 0U) | (grant.optional ? optional : 0U);
    if (const auto* outer = policy::outer_grant(grants, grant)) {
      const auto& base = outer->value.path;
      to.add({Kind::grant, flags, 0755, grant.path.substr(base.size() + 1), base, {}});
    } else {
      to.add({Kind::grant, flags, 0755, {}, grant.path, {}});
    }
  }
}

// What the policy takes away of what is there by now. Hiding comes last, so that it hides what is protected too.
void add_narrowing(Steps& to, const SandboxRequest& request) {
  const auto in_workspace = [&](Kind kind, const std::string& path) {
    if (request.workspace_mode == WorkspaceMode::empty) return;      // there is nothing of the caller's
    to.add({kind, 0, 0755, path.substr(2), request.workspace, {}});  // without "./"
  };
  const auto grants = request.policy.grants.value_or(policy::Grants());
  for (const auto& path : request.policy.read_only) in_workspace(Kind::protect, path.value);
  for (const auto& path : request.policy.hidden) {
    if (!path.value.starts_with('/')) {
      in_workspace(Kind::hide, path.value);
    } else if (is_within(path.value, request.workspace)) {
      in_workspace(Kind::hide, "." + path.value.substr(request.workspace.size()));
    } else if (is_of_the_system(path.value)) {
      to.add({Kind::hide, 0, 0755, {}, path.value, {}});
    } else if (const auto* grant = policy::grant_of(grants, path.value)) {
      const auto& base = grant->value.path;
      to.add({Kind::hide, 0, 0755, path.value.substr(base.size() + 1), base, {}});
    }  // of all else there is nothing to see
  }
}

}  // namespace

std::vector<MountStep> mount_steps(const SandboxRequest& request, const HostFacts& facts, const std::string& hostname) {
  Steps steps;
  add_programs(steps, facts);
  add_etc(steps, facts);
  add_names(steps, hostname);
  add_proc(steps);
  add_dev(steps);
  add_sys(steps);
  const std::uint64_t memory = std::min(facts.memory_total, request.limits.memory_max.value_or(facts.memory_total));
  add_scratch(steps, memory);
  const auto grants = request.policy.grants.value_or(policy::Grants());
  add_links(steps, grants);
  add_grants(steps, grants);
  // Last but the seal: spawnd makes nothing beneath what is the agent's.
  const auto flags = request.workspace_mode == WorkspaceMode::read_only ? plain | read_only : plain;
  steps.add({Kind::workspace, flags, 0755, {}, request.workspace, {}});
  add_narrowing(steps, request);
  steps.seal("/");
  return std::move(steps).take();
}

}  // namespace agentos::sandbox
