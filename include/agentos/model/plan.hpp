#pragma once

#include <linux/filter.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "agentos/base/codec.hpp"
#include "agentos/base/result.hpp"
#include "agentos/model/workspace.hpp"

// What agentosd asks of agentos-spawnd. One message is one SOCK_SEQPACKET packet; descriptors travel beside it in the
// order that StartFd names. Nothing that an agent wrote is in a plan: its command line and environment are in a sealed
// memory file (InitSpec) that spawnd passes on unread.
namespace agentos {

constexpr std::uint32_t plan_protocol_version = 4;
constexpr std::size_t plan_message_max = 96 * 1024;  // bytes of one packet

// Every range of host uids starts at a multiple of its size in [first, last]; ids of the same numbers are its gids.
// 0x70000000 and up is used by no distribution, container tool or systemd (systemd's UIDS-GIDS document).
struct UidPool {
  static constexpr std::uint32_t first = 0x70000000;
  static constexpr std::uint32_t range = 0x4000;  // ids of one agent: 0..16383 inside
  static constexpr std::uint32_t slots = 16000;
};
constexpr std::uint32_t init_uid = 0;      // agentos-init, inside
constexpr std::uint32_t agent_uid = 1000;  // the agent, inside: uid and gid

// One step of building the root file system, executed in order in the new mount namespace. Targets are absolute inside
// the new root. A source that is bound is opened on the host before pivot_root.
struct MountStep {
  enum class Kind : std::uint8_t {
    directory,  // mkdir -p target, mode
    symlink,    // target -> source
    file,       // a regular file with `source` as its content
    bind,       // host path `source` (recursive); a missing source is refused
    tmpfs,      // data: mount options ("size=...,nr_inodes=...,mode=...")
    proc,
    devpts,     // a new instance
    cgroup2,    // the agent's own cgroup namespace
    workspace,  // the descriptor StartFd::workspace, as Plan::workspace_mode says; caller's ids on disk are agent_uid
                // inside
    seal,       // target (a mount made before) becomes read-only
    hide,  // what is at target, or at `source` below the workspace or grant `target`, cannot be reached and the folders
           // above it not be moved; nothing there: skipped
    protect,  // `source` below the workspace `target` becomes read-only, and stays at its place; it must be there
    grant,    // the next descriptor behind those of StartFd, at target, or at `source` below a grant at `target`, which
              // must be there and stays at its place; caller's ids on disk are agent_uid inside
  };
  enum Flag : std::uint32_t {
    read_only = 1,
    no_suid = 2,
    no_dev = 4,
    no_exec = 8,
    optional = 16,  // bind, seal: skipped where source or target is missing; grant: for people, see explain()
    shared = 32,    // directory, symlink, file, bind: the same for every agent, may be built once for all
    of_agent = 64,  // directory: made as the agent's own
  };

  Kind kind{};
  std::uint32_t flags{};
  std::uint32_t mode{0755};
  std::string source;
  std::string target;
  std::string data;

  bool operator==(const MountStep&) const = default;
  void encode(Writer& to) const;
  static MountStep decode(Reader& from);
};

// `file` is a name without '/', from the list spawnd knows.
struct CgroupSetting {
  std::string file;
  std::string value;

  bool operator==(const CgroupSetting&) const = default;
  void encode(Writer& to) const;
  static CgroupSetting decode(Reader& from);
};

struct RlimitSetting {
  std::uint32_t resource{};
  std::uint64_t limit{};  // soft and hard; never above the host's hard limit

  bool operator==(const RlimitSetting&) const = default;
  void encode(Writer& to) const;
  static RlimitSetting decode(Reader& from);
};

// Landlock: access rights (LANDLOCK_ACCESS_FS_*) beneath a path of the new root.
struct LandlockRule {
  std::uint64_t access{};
  std::string path;

  bool operator==(const LandlockRule&) const = default;
  void encode(Writer& to) const;
  static LandlockRule decode(Reader& from);
};

struct LandlockRules {
  std::uint64_t handled_fs{};  // 0: Landlock is absent on this host
  std::uint64_t scoped{};      // LANDLOCK_SCOPE_*, ABI 6
  std::vector<LandlockRule> beneath;

  bool operator==(const LandlockRules&) const = default;
  void encode(Writer& to) const;
  static LandlockRules decode(Reader& from);
};

struct Plan {
  std::string tenant;          // is_name()
  std::string agent;           // the agent's id, is_name(): its cgroup is tenant/agent
  std::string hostname;        // inside
  std::uint32_t caller_uid{};  // who submitted; checked against the peer credentials of StartFd::caller
  std::uint32_t caller_gid{};
  WorkspaceMode workspace_mode{};
  LayerSpace layer_limit;  // zeros where the mode has no layer
  std::vector<MountStep> mounts;
  std::vector<CgroupSetting> cgroup;
  std::vector<RlimitSetting> rlimits;
  LandlockRules landlock;
  std::vector<sock_filter> seccomp;

  void encode(Writer& to) const;
  static Plan decode(Reader& from);
};

// Descriptors beside a start request, in this order. All are required but `client`.
enum class StartFd : std::uint8_t {
  caller,     // the caller's connection to the API: spawnd reads SO_PEERCRED from it and closes it
  workspace,  // directory, opened by the caller
  spec,       // sealed memfd with an InitSpec
  listener,   // listening SOCK_SEQPACKET unix socket for attach
  log_0,      // regular files, O_APPEND, opened by agentosd in its own state directory
  log_1,
  exit_record,  // regular file
  client,       // optional: an attach connection that exists from the first byte of output
};
constexpr std::size_t start_fds_required = 7;
constexpr std::size_t start_fds_max = 8;
// Behind them, for each MountStep::grant in the order of the plan: what is granted, a directory or regular file, opened
// by the caller with O_PATH.
constexpr std::size_t grants_max = 64;

struct SpawndRequest {
  enum class Kind : std::uint8_t {
    probe,   // -> facts
    start,   // plan -> started, or failed
    remove,  // tenant, agent: its cgroup, which must have no process -> removed
    // The layer of an agent whose workspace is an overlay or empty: what it wrote. It outlives the cgroup.
    open_layer,  // agent; beside it the connection of a caller who owns the layer, or is root -> layer and a descriptor
    check_layer,   // agent -> layer
    remove_layer,  // agent, which has ended; of one without a layer: done -> removed
    list_layers,   // agent: only those behind it -> layers
    meter,  // -> meter; two descriptors travel beside it: the accounts, to be read, and the ring buffer of events
  };
  std::uint64_t id{};  // chosen by agentosd, echoed in the reply
  Kind kind{};
  Plan plan;                  // start
  std::string tenant, agent;  // the others; no tenant for layers

  [[nodiscard]] std::string encode() const;
  static Result<SpawndRequest> decode(std::string_view packet);
};

struct SpawndReply {
  enum class Kind : std::uint8_t { failed, facts, started, removed, layer, layers, meter };
  std::uint64_t id{};
  Kind kind{};
  // failed
  ErrorKind error{};
  std::int32_t number{};  // errno or 0
  std::string message, hint;
  // facts: HostFacts::encode
  std::string facts;
  // started; a pidfd of agentos-init travels beside it
  std::int32_t pid{};
  std::uint64_t start_time{};  // field 22 of /proc/PID/stat, in clock ticks since boot: tells a reused pid apart
  std::uint32_t uid_base{};
  std::string cgroup;  // absolute path of the agent's cgroup
  LayerState layer;
  // layers: the agents that have one, in order, layers_max at most
  static constexpr std::size_t layers_max = 1000;
  std::vector<std::string> layers;

  [[nodiscard]] std::string encode() const;
  static Result<SpawndReply> decode(std::string_view packet);
};

}  // namespace agentos
