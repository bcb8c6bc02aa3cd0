#include "agentos/model/host_facts.hpp"

#include <algorithm>

namespace agentos {

bool HostFacts::has_controller(std::string_view controller) const {
  return std::ranges::find(controllers, controller) != controllers.end();
}

std::string HostFacts::encode() const {
  Writer to;
  to.put(kernel);
  to.put(cgroup_root);
  to.put(slice);
  to.put(controllers);
  for (const bool fact :
       {systemd, cgroup_kill, cgroup_freeze, clone_into_cgroup, user_namespace, id_mapped_mounts, seccomp_filter,
        bpf_lsm, bpf_cgroup, swap_limits, overlay, layer_quota, meter, meter_scripts}) {
    to.put(fact);
  }
  to.put(landlock_abi);
  to.put(memory_total);
  to.put(cpus);
  to.put(root_links);
  to.put(root_directories);
  to.put(etc_entries);
  return std::move(to).take();
}

Result<HostFacts> HostFacts::decode(std::string_view bytes) {
  Reader from(bytes);
  HostFacts facts;
  facts.kernel = from.get_string();
  facts.cgroup_root = from.get_string();
  facts.slice = from.get_string();
  facts.controllers = from.get_strings();
  for (bool* fact :
       {&facts.systemd, &facts.cgroup_kill, &facts.cgroup_freeze, &facts.clone_into_cgroup, &facts.user_namespace,
        &facts.id_mapped_mounts, &facts.seccomp_filter, &facts.bpf_lsm, &facts.bpf_cgroup, &facts.swap_limits,
        &facts.overlay, &facts.layer_quota, &facts.meter, &facts.meter_scripts}) {
    *fact = from.get_bool();
  }
  facts.landlock_abi = from.get<std::uint32_t>();
  facts.memory_total = from.get<std::uint64_t>();
  facts.cpus = from.get<std::uint32_t>();
  facts.root_links = from.get_strings();
  facts.root_directories = from.get_strings();
  facts.etc_entries = from.get_strings();
  if (!from.finished()) return fail(ErrorKind::invalid, "malformed host facts");
  return facts;
}

}  // namespace agentos
