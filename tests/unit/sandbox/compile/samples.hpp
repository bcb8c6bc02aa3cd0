#pragma once

#include "sandbox/compile/compile.hpp"

// Requests and hosts for tests.
namespace agentos::sandbox {

inline SandboxRequest sample_request() {
  SandboxRequest request;
  request.agent = "a01hzx3kq9v5m";
  request.name = "fix_tests";
  request.tenant = "default";
  request.caller_uid = 1000;
  request.caller_gid = 1000;
  request.workspace = "/home/alice/project";
  request.workspace_mode = WorkspaceMode::overlay;
  return request;
}

// A Debian 13 machine with systemd: everything is there.
inline HostFacts full_host() {
  HostFacts facts;
  facts.kernel = "6.12.0";
  facts.cgroup_root = "/sys/fs/cgroup";
  facts.slice = "/sys/fs/cgroup/agentos.slice";
  facts.controllers = {"cpu", "io", "memory", "pids"};
  facts.systemd = facts.cgroup_kill = facts.cgroup_freeze = facts.clone_into_cgroup = facts.user_namespace = true;
  facts.id_mapped_mounts = facts.seccomp_filter = facts.bpf_lsm = facts.bpf_cgroup = facts.swap_limits = facts.overlay =
      facts.layer_quota = true;
  facts.landlock_abi = 6;
  facts.memory_total = 8ULL << 30U;
  facts.cpus = 4;
  facts.root_links = {"bin -> usr/bin", "sbin -> usr/sbin", "lib -> usr/lib", "lib64 -> usr/lib64"};
  facts.etc_entries = {"alternatives", "java-17-openjdk", "ld.so.cache", "localtime", "ssl/certs"};
  return facts;
}

// Hybrid cgroups without controllers, Landlock of Linux 5.13, a root without merged /usr.
inline HostFacts bare_host() {
  HostFacts facts = full_host();
  facts.cgroup_root = "/sys/fs/cgroup/unified";
  facts.slice = "/sys/fs/cgroup/unified/agentos.slice";
  facts.controllers.clear();
  facts.systemd = facts.bpf_lsm = facts.swap_limits = facts.layer_quota = false;
  facts.landlock_abi = 1;
  facts.root_links = {"lib64 -> /usr/lib64"};
  facts.root_directories = {"bin", "lib", "sbin"};
  facts.etc_entries = {"ld.so.cache"};
  return facts;
}

}  // namespace agentos::sandbox
