#include "spawnd/meter.hpp"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <type_traits>
#include <utility>
#include <vector>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "agentos/meter.h"
#include "bpf/network.skel.h"
#include "bpf/process.skel.h"

namespace agentos::spawnd {
namespace {

static_assert(std::has_unique_object_representations_v<agentos_account>);
static_assert(std::has_unique_object_representations_v<agentos_event>);
static_assert(std::has_unique_object_representations_v<agentos_exec>);
static_assert(std::has_unique_object_representations_v<agentos_exit>);
static_assert(std::has_unique_object_representations_v<agentos_connect>);

// Usually root's alone: systemd mounts it so, and so is it mounted here.
constexpr const char* bpf_root = "/sys/fs/bpf";

Result<> mount_bpf_root() {
  struct statfs status{};
  if (::statfs(bpf_root, &status) == 0 && status.f_type == BPF_FS_MAGIC) return {};
  if (::mount("bpf", bpf_root, "bpf", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=700") != 0)
    return fail_errno("mount bpf at " + std::string(bpf_root));
  return {};
}

// A folder of ours. Where the file system above is open to others, somebody may have made it before, to have us use
// programs and maps of theirs: one that is not root's alone is refused.
Result<> make_folder(const std::string& path) {
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) return fail_errno("make " + path);
  struct stat status{};
  if (::lstat(path.c_str(), &status) != 0) return fail_errno("look at " + path);
  if (!S_ISDIR(status.st_mode) || status.st_uid != 0 || (status.st_mode & 077) != 0)
    return fail(ErrorKind::forbidden, path + " is not a folder of root alone", "remove it and restart agentos-spawnd");
  return {};
}

void remove_folder(const std::string& path) {
  std::error_code error;
  std::filesystem::remove_all(path, error);
}

// Names in that file system have no dots.
std::string folder_name(std::string slice) {
  std::ranges::replace_if(slice, [](char letter) { return letter == '.' || letter == '/'; }, '_');
  return slice;
}

template <class T>
struct Skeleton {
  T* object{};
  void (*destroy)(T*){};
  Skeleton(T* opened, void (*how)(T*)) : object(opened), destroy(how) {}
  Skeleton(Skeleton&& other) noexcept : object(std::exchange(other.object, nullptr)), destroy(other.destroy) {}
  Skeleton& operator=(Skeleton&& other) noexcept {
    std::swap(object, other.object);
    std::swap(destroy, other.destroy);
    return *this;
  }
  ~Skeleton() { destroy(object); }
};
using Process = Skeleton<process_bpf>;
using Network = Skeleton<network_bpf>;

template <class T>
Result<> load(T& skeleton, int (*loads)(decltype(skeleton.object)), const std::string& maps, std::uint32_t level) {
  if (skeleton.object == nullptr) return fail_errno("open a BPF program");
  auto& object = *skeleton.object;
  object.rodata->agent_level = level;
  const std::array shared{std::pair{object.maps.agents, "agents"}, std::pair{object.maps.accounts, "accounts"},
                          std::pair{object.maps.events, "events"}};
  for (const auto& [map, name] : shared) ::bpf_map__set_pin_path(map, (maps + "/" + name).c_str());
  if (const int error = loads(&object); error != 0)
    return std::unexpected(Error::from_errno(-error, "load a BPF program"));
  return {};
}

Result<> pin(::bpf_program* program, ::bpf_link* link, const std::string& folder) {
  const std::string name = ::bpf_program__name(program);
  if (link == nullptr) return fail_errno("attach BPF program " + name);
  const int error = ::bpf_link__pin(link, (folder + "/" + name).c_str());
  ::bpf_link__destroy(link);  // the pin holds it
  if (error != 0) return std::unexpected(Error::from_errno(-error, "pin BPF program " + name));
  return {};
}

Result<UniqueFd> open_pin(const std::string& path, std::uint32_t flags) {
  LIBBPF_OPTS(bpf_obj_get_opts, options, .file_flags = flags);
  UniqueFd fd(::bpf_obj_get_opts(path.c_str(), &options));
  if (!fd) return fail_errno("open " + path);
  return fd;
}

// The numbers of levels that BPF sees are the host's.
bool first_cgroup_namespace() {
  struct stat status{};
  constexpr ino_t first = 0xEFFFFFFB;  // PROC_CGROUP_INIT_INO
  return ::stat("/proc/self/ns/cgroup", &status) == 0 && status.st_ino == first;
}

std::string build_name() {
  std::size_t size{};
  const auto bytes_of = [&](const void* elf) { return std::string_view(static_cast<const char*>(elf), size); };
  std::size_t hash = std::hash<std::string_view>()(bytes_of(process_bpf__elf_bytes(&size)));
  hash = hash * 31 + std::hash<std::string_view>()(bytes_of(network_bpf__elf_bytes(&size)));
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "programs_%016zx", hash);
  return text.data();
}

}  // namespace

//   /sys/fs/bpf/agentos_slice/maps_1/{agents,accounts,events}
//                             programs_HASH/forked ...   links of the tracing programs, made by one rename
//                             network_HASH/sent ...      links to the slice's cgroup, made when there is one
struct Meter::State {
  std::string slice;  // absolute path of its cgroup
  std::uint32_t level{};
  std::string folder, maps, programs, network;
  UniqueFd agents, accounts;

  Result<> attach_tracing();
  Result<> attach_network();
};

Meter::Meter(std::unique_ptr<State> state) : state_(std::move(state)) {}
Meter::Meter(Meter&&) noexcept = default;
Meter& Meter::operator=(Meter&&) noexcept = default;
Meter::~Meter() = default;

// Programs of another build go first: for a moment nothing is counted, and never anything twice.
Result<> Meter::State::attach_tracing() {
  const std::string fresh = folder + "/new";
  std::vector<std::string> others;
  std::error_code error;
  for (std::filesystem::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    const std::string path = at->path().string();
    if (path != maps && path != programs && path != network) others.push_back(path);
  }
  if (error) return fail_errno(error.value(), "read " + folder);
  for (const auto& path : others) remove_folder(path);
  if (::access(programs.c_str(), F_OK) == 0) return {};
  AGENTOS_TRY(make_folder(fresh));
  const auto try_with = [&](bool scripts) -> Result<Process> {
    Process process(process_bpf__open(), process_bpf__destroy);
    if (process.object != nullptr) ::bpf_program__set_autoload(process.object->progs.asked_for, scripts);
    AGENTOS_TRY(load(process, process_bpf__load, maps, level));
    return process;
  };
  auto process = try_with(true);
  const bool scripts = process.has_value();
  if (!scripts) process = try_with(false);
  if (!process) return std::unexpected(std::move(process).error());
  const auto& programs_of = process->object->progs;
  for (auto* program : {programs_of.forked, programs_of.executed, programs_of.ended, programs_of.asked_for}) {
    if (program == programs_of.asked_for && !scripts) continue;
    AGENTOS_TRY(pin(program, ::bpf_program__attach(program), fresh));
  }
  if (::rename(fresh.c_str(), programs.c_str()) != 0) return fail_errno("rename " + fresh);
  return {};
}

// The cgroup may be another one than before: systemd removes a slice that has nothing in it.
Result<> Meter::State::attach_network() {
  const auto cgroup = AGENTOS_TRY(os::Cgroup::open(slice));
  const auto id = AGENTOS_TRY(cgroup.id());
  if (const auto link = open_pin(network + "/sent", 0)) {
    bpf_link_info info{};
    std::uint32_t size = sizeof info;
    if (::bpf_obj_get_info_by_fd(link->get(), &info, &size) == 0 && info.cgroup.cgroup_id == id) return {};
  }
  remove_folder(network);
  Network loaded(network_bpf__open(), network_bpf__destroy);
  AGENTOS_TRY(load(loaded, network_bpf__load, maps, level));
  AGENTOS_TRY(make_folder(network));
  const auto& of = loaded.object->progs;
  // The one that is looked for above comes last: what is there is whole.
  for (auto* program : {of.connect4, of.connect6, of.sendmsg4, of.sendmsg6, of.received, of.sent}) {
    AGENTOS_TRY(pin(program, ::bpf_program__attach_cgroup(program, cgroup.fd()), network));
  }
  return {};
}

Result<Meter> Meter::open(const std::string& cgroup_root, const std::string& slice) {
  ::libbpf_set_print(nullptr);
  if (!first_cgroup_namespace()) return fail(ErrorKind::unsupported, "agents are not counted in a cgroup namespace");
  auto state = std::make_unique<State>();
  state->slice = cgroup_root + "/" + slice;
  state->level = 3 + static_cast<std::uint32_t>(std::ranges::count(slice, '/'));
  state->folder = std::string(bpf_root) + "/" + folder_name(slice);
  state->maps = state->folder + "/maps_" + std::to_string(AGENTOS_METER_LAYOUT);
  const std::string build = build_name();
  state->programs = state->folder + "/" + build;
  state->network = state->folder + "/network" + build.substr(build.find('_'));
  AGENTOS_TRY(mount_bpf_root());
  AGENTOS_TRY(make_folder(state->folder));
  AGENTOS_TRY(make_folder(state->maps));
  AGENTOS_TRY(state->attach_tracing());
  state->agents = AGENTOS_TRY(open_pin(state->maps + "/agents", 0));
  state->accounts = AGENTOS_TRY(open_pin(state->maps + "/accounts", 0));
  return Meter(std::move(state));
}

Result<> Meter::begin(std::uint32_t row, const os::Cgroup& agent) {
  AGENTOS_TRY(state_->attach_network());
  agentos_account account{};
  account.cgroup = AGENTOS_TRY(agent.id());
  agentos_account known{};
  if (::bpf_map_lookup_elem(state_->accounts.get(), &row, &known) == 0 && known.cgroup == account.cgroup) {
    std::uint32_t counted{};
    if (::bpf_map_lookup_elem(state_->agents.get(), &account.cgroup, &counted) == 0 && counted == row) return {};
  }
  if (::bpf_map_update_elem(state_->accounts.get(), &row, &account, BPF_ANY) != 0 ||
      ::bpf_map_update_elem(state_->agents.get(), &account.cgroup, &row, BPF_ANY) != 0) {
    return fail_errno("begin to count what an agent does");
  }
  return {};
}

Result<> Meter::adopt(const std::vector<Tenants::Adopted>& agents) {
  std::vector<std::uint64_t> there;
  for (const auto& agent : agents) {
    AGENTOS_TRY(begin(agent.range, agent.cgroup));
    there.push_back(AGENTOS_TRY(agent.cgroup.id()));
  }
  std::ranges::sort(there);
  std::vector<std::uint64_t> gone;
  std::uint64_t at{};
  for (std::uint64_t* from = nullptr; ::bpf_map_get_next_key(state_->agents.get(), from, &at) == 0; from = &at) {
    if (!std::ranges::binary_search(there, at)) gone.push_back(at);
  }
  for (const auto cgroup : gone) ::bpf_map_delete_elem(state_->agents.get(), &cgroup);
  return {};
}

void Meter::end(std::uint32_t row) {
  agentos_account account{};
  if (::bpf_map_lookup_elem(state_->accounts.get(), &row, &account) != 0 || account.cgroup == 0) return;
  ::bpf_map_delete_elem(state_->agents.get(), &account.cgroup);
}

Result<Meter::Readers> Meter::readers() const {
  return Readers{AGENTOS_TRY(open_pin(state_->maps + "/accounts", BPF_F_RDONLY)),
                 AGENTOS_TRY(open_pin(state_->maps + "/events", 0))};
}

bool Meter::knows_scripts() const {
  return ::access((state_->programs + "/asked_for").c_str(), F_OK) == 0;
}

void Meter::leave() {
  std::uint64_t some{};
  if (::bpf_map_get_next_key(state_->agents.get(), nullptr, &some) == 0) return;
  remove_folder(state_->folder);
}

}  // namespace agentos::spawnd
