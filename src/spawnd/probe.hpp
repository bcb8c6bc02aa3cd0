#pragma once

#include <string>

#include "agentos/model/host_facts.hpp"
#include "sandbox/container/workshop.hpp"
#include "spawnd/layers.hpp"

namespace agentos::spawnd {

// What this host can enforce, found by doing each thing once. `slice` is the cgroup that holds the tenants; where there
// is no systemd it is made here. `layers` holds one for a moment.
[[nodiscard]] HostFacts probe(const std::string& slice, Layers& layers, const container::Workshop& workshop);

// One thing each, true when it works.
namespace kernel {
[[nodiscard]] bool user_namespace();
[[nodiscard]] bool clone_into_cgroup(const std::string& cgroup);
[[nodiscard]] bool id_mapped_mounts();
// `layer` is a directory with `upper` and `work`, for the second one with a limit of least_layer.
[[nodiscard]] bool overlay(int layer, const container::Workshop& workshop);
[[nodiscard]] bool layer_quota(int layer, const container::Workshop& workshop);
[[nodiscard]] std::uint32_t landlock_abi();  // 0: absent
[[nodiscard]] bool seccomp_filter();
[[nodiscard]] bool bpf_cgroup();
}  // namespace kernel

}  // namespace agentos::spawnd
