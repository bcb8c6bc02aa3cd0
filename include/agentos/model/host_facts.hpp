#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "agentos/base/codec.hpp"
#include "agentos/base/result.hpp"

// Everything that planning needs to know about the machine, as data. Probed by spawnd when it starts: each fact by
// doing the thing, never from a version number.
namespace agentos {

struct HostFacts {
  std::string kernel;       // uname release, for people only
  std::string cgroup_root;  // where cgroup2 is mounted; empty: nowhere
  std::string slice;        // cgroup that holds the tenants of this spawnd (absolute path); agentosd sweeps below it
  std::vector<std::string> controllers;  // what agents' cgroups can use: cpu, memory, pids, io
  bool systemd{};                        // PID 1 is systemd, and tenants are its units
  bool cgroup_kill{}, cgroup_freeze{}, clone_into_cgroup{};
  bool user_namespace{};
  bool id_mapped_mounts{};       // on the file system of /
  std::uint32_t landlock_abi{};  // 0: absent
  bool seccomp_filter{};
  bool bpf_lsm{};
  bool bpf_cgroup{};
  bool meter{};          // what agents do is counted by BPF programs
  bool meter_scripts{};  // and of scripts the file is known
  bool swap_limits{};
  bool overlay{};                // overlayfs over id-mapped mounts: layers of workspaces
  bool layer_quota{};            // project quotas where layers are
  std::uint64_t memory_total{};  // bytes
  std::uint32_t cpus{};
  // Entries of the host's root that are symbolic links into /usr, as "bin -> usr/bin", and those that are directories.
  std::vector<std::string> root_links, root_directories;
  std::vector<std::string> etc_entries;  // what exists of the /etc names that programs need

  [[nodiscard]] bool has_controller(std::string_view name) const;
  [[nodiscard]] std::string encode() const;
  static Result<HostFacts> decode(std::string_view bytes);
};

}  // namespace agentos
