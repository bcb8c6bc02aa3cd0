#include "spawnd/probe.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <sstream>
#include <string>

#include "os/cgroup.hpp"
#include "os/file.hpp"
#include "sandbox/compile/etc_entries.hpp"

namespace agentos::spawnd {
namespace {

// The first mount of type cgroup2 (proc(5), /proc/PID/mountinfo: field 5 is the mount point, the type follows " - ").
std::string find_cgroup_root() {
  const auto mounts = os::read_file(AT_FDCWD, "/proc/self/mountinfo");
  if (!mounts) return {};
  std::istringstream lines(*mounts);
  for (std::string line; std::getline(lines, line);) {
    if (line.find(" - cgroup2 ") == std::string::npos) continue;
    std::istringstream fields(line);
    std::string field;
    for (int i = 0; i < 5; ++i) fields >> field;
    return field;
  }
  return {};
}

std::vector<std::string> usable_controllers(const os::Cgroup& cgroup) {
  std::vector<std::string> usable;
  const auto available = cgroup.read("cgroup.controllers");
  if (!available) return usable;
  std::istringstream words(*available);
  for (std::string word; words >> word;) {
    if (word == "cpu" || word == "memory" || word == "pids" || word == "io") usable.push_back(word);
  }
  return usable;
}

void probe_cgroups(HostFacts& facts, const std::string& slice) {
  facts.cgroup_root = find_cgroup_root();
  if (facts.cgroup_root.empty()) return;
  const auto root = os::Cgroup::open(facts.cgroup_root);
  if (!root) return;
  facts.controllers = usable_controllers(*root);
  // A child of the root to look at: the root itself has neither cgroup.kill nor cgroup.freeze.
  const std::string sample = "agentos-probe-" + std::to_string(::getpid());
  const auto child = root->create_child(sample);
  const auto probed = child ? root->child(sample) : root->child(slice);
  if (probed) {
    facts.cgroup_kill = probed->has("cgroup.kill");
    facts.cgroup_freeze = probed->has("cgroup.freeze");
    facts.clone_into_cgroup = kernel::clone_into_cgroup(facts.cgroup_root + "/" + sample);
    facts.swap_limits = probed->has("memory.swap.max");
  }
  [[maybe_unused]] const auto removed = root->remove_child(sample);
  facts.slice = facts.cgroup_root + "/" + slice;
}

void probe_root(HostFacts& facts) {
  for (const char* name : {"bin", "sbin", "lib", "lib32", "lib64", "libx32"}) {
    const std::string path = std::string("/") + name;
    std::error_code error;
    if (const auto target = std::filesystem::read_symlink(path, error); !error) {
      facts.root_links.push_back(std::string(name) + " -> " + target.string());
    } else if (std::filesystem::is_directory(path, error)) {
      facts.root_directories.emplace_back(name);
    }
  }
  std::error_code error;
  for (const auto& entry : sandbox::etc_entries) {
    if (std::filesystem::exists(std::filesystem::path("/etc") / entry, error)) facts.etc_entries.emplace_back(entry);
  }
  for (const auto& entry : std::filesystem::directory_iterator("/etc", error)) {
    const std::string name = entry.path().filename();
    const bool listed = std::ranges::find(sandbox::etc_entries, name) != sandbox::etc_entries.end();
    if (!listed && sandbox::is_etc_entry(name)) facts.etc_entries.push_back(name);
  }
  std::ranges::sort(facts.etc_entries);
}

// Whether `works` with a layer of a moment's.
bool probe_layer(Layers& layers, const container::Workshop& workshop, const LayerSpace& most,
                 bool (*works)(int layer, const container::Workshop&)) {
  const std::string name = "probe";  // no agent's id
  const UniqueFd lower(::open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
  [[maybe_unused]] const auto left = layers.remove(name);  // by a spawnd that was killed
  const auto layer = layers.create(name, 0, 0, lower.get(), most);
  const bool did = layer && works(layer->get(), workshop);
  [[maybe_unused]] const auto removed = layers.remove(name);
  return did;
}

}  // namespace

HostFacts probe(const std::string& slice, Layers& layers, const container::Workshop& workshop) {
  HostFacts facts;
  utsname name{};
  if (::uname(&name) == 0) facts.kernel = name.release;
  // sd_booted(3): this directory exists exactly where systemd is PID 1.
  struct stat status{};
  facts.systemd = ::lstat("/run/systemd/system", &status) == 0 && S_ISDIR(status.st_mode);
  probe_cgroups(facts, slice);
  probe_root(facts);
  facts.user_namespace = kernel::user_namespace();
  facts.id_mapped_mounts = kernel::id_mapped_mounts();
  facts.overlay = probe_layer(layers, workshop, {}, kernel::overlay);
  facts.layer_quota = probe_layer(layers, workshop, least_layer, kernel::layer_quota);
  facts.landlock_abi = kernel::landlock_abi();
  facts.seccomp_filter = kernel::seccomp_filter();
  facts.bpf_cgroup = kernel::bpf_cgroup();
  const auto modules = os::read_file(AT_FDCWD, "/sys/kernel/security/lsm", 4096);
  facts.bpf_lsm = modules && modules->find("bpf") != std::string::npos;
  struct sysinfo system{};
  if (::sysinfo(&system) == 0) facts.memory_total = static_cast<std::uint64_t>(system.totalram) * system.mem_unit;
  facts.cpus = static_cast<std::uint32_t>(::sysconf(_SC_NPROCESSORS_ONLN));
  return facts;
}

}  // namespace agentos::spawnd
