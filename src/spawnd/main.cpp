// agentos-spawnd: the only part of agentos that runs as root. It executes plans that agentosd sends and parses nothing
// that an agent wrote. See agentos-spawnd(8).
#include <fcntl.h>
#include <getopt.h>
#include <pwd.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <string>

#include <systemd/sd-daemon.h>

#include "agentos/base/text.hpp"
#include "os/socket.hpp"
#include "spawnd/layers.hpp"
#include "spawnd/probe.hpp"
#include "spawnd/server.hpp"

namespace agentos::spawnd {
namespace {

struct Options {
  std::string socket{"/run/agentos-spawnd/spawnd.sock"};
  std::string user{"agentos"};
  std::string init{"/usr/libexec/agentos/agentos-init"};
  std::string slice{"agentos.slice"};
  std::string state_dir{"/var/lib/agentos-spawnd"};
};

constexpr const char* usage =
    "Usage: agentos-spawnd [OPTION]...\n"
    "Starts agents for agentosd. Runs as root, by its systemd unit or beside agentosd.\n\n"
    "  --socket PATH        where agentosd connects (/run/agentos-spawnd/spawnd.sock)\n"
    "  --user NAME          the user of agentosd, the only one who may connect (agentos)\n"
    "  --init PATH          the init of sandboxes (/usr/libexec/agentos/agentos-init)\n"
    "  --cgroup-slice NAME  the cgroup below which tenants live (agentos.slice)\n"
    "  --state-dir DIR      where what agents write over their workspaces is kept (/var/lib/agentos-spawnd)\n"
    "  --probe              print what this host can enforce, and exit\n"
    "  --version, --help\n";

void print(const HostFacts& facts) {
  const auto row = [](const char* name, bool fact) { std::printf("%-20s %s\n", name, fact ? "yes" : "no"); };
  std::string controllers;
  for (const auto& controller : facts.controllers) controllers += controller + " ";
  std::printf("%-20s %s\n%-20s %s\n%-20s %s\n%-20s %u\n", "kernel", facts.kernel.c_str(), "cgroup2",
              facts.cgroup_root.c_str(), "controllers", controllers.c_str(), "landlock_abi", facts.landlock_abi);
  row("systemd", facts.systemd);
  row("cgroup_kill", facts.cgroup_kill);
  row("cgroup_freeze", facts.cgroup_freeze);
  row("clone_into_cgroup", facts.clone_into_cgroup);
  row("user_namespace", facts.user_namespace);
  row("id_mapped_mounts", facts.id_mapped_mounts);
  row("overlay", facts.overlay);
  row("layer_quota", facts.layer_quota);
  row("seccomp_filter", facts.seccomp_filter);
  row("bpf_lsm", facts.bpf_lsm);
  row("bpf_cgroup", facts.bpf_cgroup);
  row("meter", facts.meter);
  row("meter_scripts", facts.meter_scripts);
}

// Exit statuses: 0, or 2 where `arguments` are wrong; nullopt: go on.
std::optional<int> parse(int count, char** arguments, Options& options) {
  bool probe_only = false;
  static const option known[] = {{"socket", required_argument, nullptr, 's'},
                                 {"user", required_argument, nullptr, 'u'},
                                 {"init", required_argument, nullptr, 'i'},
                                 {"cgroup-slice", required_argument, nullptr, 'c'},
                                 {"state-dir", required_argument, nullptr, 'd'},
                                 {"probe", no_argument, nullptr, 'p'},
                                 {"version", no_argument, nullptr, 'v'},
                                 {"help", no_argument, nullptr, 'h'},
                                 {nullptr, 0, nullptr, 0}};
  for (int choice = 0; (choice = ::getopt_long(count, arguments, "", known, nullptr)) != -1;) {
    switch (choice) {
      case 's':
        options.socket = optarg;
        break;
      case 'u':
        options.user = optarg;
        break;
      case 'i':
        options.init = optarg;
        break;
      case 'c':
        options.slice = optarg;
        break;
      case 'd':
        options.state_dir = optarg;
        break;
      case 'p':
        probe_only = true;
        break;
      case 'v':
        std::puts("agentos-spawnd " AGENTOS_VERSION);
        return 0;
      case 'h':
        std::fputs(usage, stdout);
        return 0;
      default:
        std::fputs("try: agentos-spawnd --help\n", stderr);
        return 2;
    }
  }
  if (optind < count) {
    std::fprintf(stderr, "agentos-spawnd: unexpected argument '%s'\n", arguments[optind]);
    return 2;
  }
  if (!probe_only) return std::nullopt;
  const auto probed = [&]() -> Result<> {
    auto layers = AGENTOS_TRY(Layers::open(options.state_dir));
    print(probe(options.slice, layers, AGENTOS_TRY(container::Workshop::create())));
    return {};
  }();
  if (!probed) std::fprintf(stderr, "agentos-spawnd: %s\n", probed.error().message().c_str());
  return probed ? 0 : 1;
}

// SIGCHLD, SIGTERM and SIGINT are read from a descriptor; SIGHUP does nothing.
Result<UniqueFd> take_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int number : {SIGCHLD, SIGTERM, SIGINT}) sigaddset(&signals, number);
  ::sigprocmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGHUP, SIG_IGN);
  std::signal(SIGPIPE, SIG_IGN);
  UniqueFd fd(::signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!fd) return fail_errno("signalfd");
  return fd;
}

Result<> serve(const Options& options) {
  if (::geteuid() != 0)
    return fail(ErrorKind::forbidden, "must run as root", "start it by its unit: systemctl start agentos-spawnd");
  const passwd* user = ::getpwnam(options.user.c_str());
  if (user == nullptr) {
    return fail(ErrorKind::not_found, "no user '" + printable(options.user) + "'",
                "create it: useradd --system --no-create-home agentos");
  }
  const uid_t owner = user->pw_uid;
  const gid_t group = user->pw_gid;
  ::umask(022);
  const UniqueFd init(::open(options.init.c_str(), O_RDONLY | O_CLOEXEC));
  if (!init) return fail_errno("open " + options.init);
  auto layers = AGENTOS_TRY(Layers::open(options.state_dir));
  auto workshop = AGENTOS_TRY(container::Workshop::create());
  HostFacts facts = probe(options.slice, layers, workshop);
  if (facts.cgroup_root.empty()) {
    return fail(ErrorKind::unsupported, "no cgroup2 file system is mounted",
                "mount it: mount -t cgroup2 none /sys/fs/cgroup");
  }
  Tenants tenants(facts, options.slice, owner);
  auto agents = AGENTOS_TRY(tenants.adopt());
  auto meter = Meter::open(facts.cgroup_root, options.slice);
  if (!meter) std::fprintf(stderr, "agentos-spawnd: agents are not counted: %s\n", meter.error().message().c_str());
  facts.meter = meter.has_value();
  facts.meter_scripts = meter && meter->knows_scripts();
  if (meter) AGENTOS_TRY(meter->adopt(agents));
  auto signals = AGENTOS_TRY(take_signals());
  auto listener = AGENTOS_TRY(os::listen_unix(options.socket, SOCK_SEQPACKET, 0660, SOCK_NONBLOCK));
  if (::chown(options.socket.c_str(), 0, group) != 0) return fail_errno("group of " + options.socket);
  auto networks = AGENTOS_TRY(container::NetPool::create());
  Server server(std::move(listener), std::move(signals), std::move(facts), tenants, layers, std::move(workshop),
                std::move(networks), meter ? &*meter : nullptr, init.get(), owner);
  ::sd_notify(0, "READY=1");
  auto ended = server.run();
  if (meter) meter->leave();
  ::unlink(options.socket.c_str());
  return ended;
}

}  // namespace
}  // namespace agentos::spawnd

int main(int count, char** arguments) {
  agentos::spawnd::Options options;
  if (const auto status = agentos::spawnd::parse(count, arguments, options)) return *status;
  if (const auto served = agentos::spawnd::serve(options); !served) {
    std::fprintf(stderr, "agentos-spawnd: %s\n", served.error().message().c_str());
    if (!served.error().hint().empty()) std::fprintf(stderr, "hint: %s\n", served.error().hint().c_str());
    return 1;
  }
  return 0;
}
