// A hostile agentosd at random: requests that start as valid ones and are changed in one to three places, over several
// connections. AGENTOS_MUTANT_ROUNDS: how many; AGENTOS_MUTANT_SEED: of the first round, whose seeds count up, so that
// any round can be had again alone.
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <map>
#include <numeric>
#include <random>
#include <sstream>

#include "harness.hpp"
#include "os/file.hpp"
#include "os/socket.hpp"

namespace agentos::test {
namespace {

namespace fs = std::filesystem;

class Mutants : public SpawndTest {
 protected:
  std::uint64_t draw(std::uint64_t below) {
    return std::uniform_int_distribution<std::uint64_t>(0, below - 1)(random_);
  }
  template <typename T>
  const T& one_of(const std::vector<T>& all) {
    return all[draw(all.size())];
  }

  std::string hostile_text() {
    static const std::vector<std::string> texts{"",
                                                ".",
                                                "..",
                                                "/",
                                                "../..",
                                                "/..",
                                                "/usr/../root",
                                                "//usr",
                                                "/usr/",
                                                "a/b",
                                                "/proc/1/root",
                                                "/proc/self/fd/3",
                                                "/dev/mem",
                                                "/etc/shadow",
                                                "/root",
                                                "/sys/fs/cgroup",
                                                "/var/lib/agentos-spawnd",
                                                "/tmp",
                                                "unit",
                                                ".control",
                                                std::string("a\0b", 3),
                                                std::string("/usr\0/../root", 13),
                                                std::string(64, 'a'),
                                                std::string(65, 'a'),
                                                std::string(256, 'n'),
                                                "/" + std::string(1100, 'p'),
                                                std::string(20000, 'x'),
                                                "\x1b[2J",
                                                "\xff\xfe",
                                                "-1",
                                                "18446744073709551616",
                                                "max",
                                                "0",
                                                "%s%n",
                                                "a\nb",
                                                "cgroup.procs",
                                                "../cgroup.procs"};
    return one_of(texts);
  }
  std::uint64_t hostile_number() {
    static const std::vector<std::uint64_t> numbers{0,
                                                    1,
                                                    0777,
                                                    02777,
                                                    04755,
                                                    01777,
                                                    1000,
                                                    65534,
                                                    65536,
                                                    INT_MAX,
                                                    UidPool::first,
                                                    UidPool::first - 1,
                                                    UINT_MAX - 1,
                                                    UINT_MAX,
                                                    1ULL << 40U,
                                                    LLONG_MAX,
                                                    ULLONG_MAX - 1,
                                                    ULLONG_MAX};
    return one_of(numbers);
  }
  UniqueFd hostile_descriptor() {
    const auto open = [](const char* path, int flags) { return UniqueFd(::open(path, flags | O_CLOEXEC)); };
    static const std::vector<const char*> paths{"/",
                                                "/root",
                                                "/proc/self/mem",
                                                "/dev/null",
                                                "/dev/zero",
                                                "/etc/passwd",
                                                "/proc/self/ns/mnt",
                                                "/proc/self/ns/user",
                                                "/sys/fs/cgroup",
                                                "/dev/tty",
                                                "/proc/self/environ",
                                                "/tmp",
                                                "/dev/fuse",
                                                "/proc"};
    switch (draw(7)) {
      case 0: {
        int ends[2];
        EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0);
        ::close(ends[1]);
        return UniqueFd(ends[0]);
      }
      case 1:
        return UniqueFd(::eventfd(0, EFD_CLOEXEC));
      case 2:
        return UniqueFd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
      case 3:
        return std::move(os::socket_pair(draw(2) == 0 ? SOCK_SEQPACKET : SOCK_STREAM)->first);
      case 4:
        return std::move(*os::connect_unix(folder_ + "/spawnd.sock", SOCK_SEQPACKET));
      case 5:
        if (UniqueFd fd = open(one_of(paths), O_PATH)) return fd;
        return open("/", O_PATH);
      default: {
        UniqueFd fd = open(one_of(paths), O_RDONLY | O_NONBLOCK);
        return fd ? std::move(fd) : open("/", O_PATH);
      }
    }
  }

  void change_step(std::vector<MountStep>& steps) {
    if (steps.empty()) return;
    auto& step = steps[draw(steps.size())];
    switch (draw(9)) {
      case 0:
        step.kind = static_cast<MountStep::Kind>(draw(14));
        break;
      case 1:
        step.flags = static_cast<std::uint32_t>(draw(2) == 0 ? draw(128) : hostile_number());
        break;
      case 2:
        step.mode = static_cast<std::uint32_t>(hostile_number());
        break;
      case 3:
        step.source = draw(2) == 0 ? hostile_text() : one_of(steps).source;
        break;
      case 4:
        step.target = draw(2) == 0 ? hostile_text() : one_of(steps).target;
        break;
      case 5:
        step.data = hostile_text();
        break;
      case 6:
        steps.insert(steps.begin() + static_cast<std::ptrdiff_t>(draw(steps.size())), one_of(steps));
        break;
      case 7:
        steps.erase(steps.begin() + static_cast<std::ptrdiff_t>(draw(steps.size())));
        break;
      default:
        std::swap(step, steps[draw(steps.size())]);
    }
  }

  void change(Request& wanted) {
    auto& message = wanted.message;
    auto& plan = message.plan;
    switch (draw(16)) {
      case 0:
        message.kind = static_cast<SpawndRequest::Kind>(draw(9));
        message.tenant = draw(2) == 0 ? tenant_ : hostile_text();
        message.agent = draw(2) == 0 ? agent_ : hostile_text();
        break;
      case 1:
        (draw(3) == 0 ? plan.tenant : draw(2) == 0 ? plan.agent : plan.hostname) = hostile_text();
        break;
      case 2:
        (draw(2) == 0 ? plan.caller_uid : plan.caller_gid) = static_cast<std::uint32_t>(hostile_number());
        break;
      case 3:
        plan.workspace_mode = static_cast<WorkspaceMode>(draw(6));
        break;
      case 4:
        plan.layer_limit = {hostile_number(), hostile_number()};
        break;
      case 5:
        plan.cgroup.insert(plan.cgroup.end(), draw(4) == 0 ? 100 : 1,
                           {one_of<std::string>({"pids.max", "memory.max", "cpu.max", "memory.high", "cgroup.procs"}),
                            hostile_text()});
        break;
      case 6:
        plan.rlimits.insert(plan.rlimits.end(), draw(4) == 0 ? 100 : 1,
                            {static_cast<std::uint32_t>(draw(2) == 0 ? draw(17) : hostile_number()), hostile_number()});
        break;
      case 7:
        (draw(2) == 0 ? plan.landlock.handled_fs : plan.landlock.scoped) = hostile_number();
        break;
      case 8:
        plan.landlock.beneath.insert(plan.landlock.beneath.end(), draw(4) == 0 ? 300 : 1,
                                     {hostile_number(), hostile_text()});
        break;
      case 9:
        if (draw(3) == 0) plan.seccomp.clear();
        if (draw(3) == 0) plan.seccomp.resize(draw(5000));
        if (!plan.seccomp.empty()) {
          auto& line = plan.seccomp[draw(plan.seccomp.size())];
          if (draw(2) == 0)
            line.k = static_cast<std::uint32_t>(draw(2) == 0 ? 0x7fff0000 : hostile_number());
          else if (draw(2) == 0)
            line.jt = static_cast<std::uint8_t>(draw(256));
          else
            line.code = static_cast<std::uint16_t>(draw(256));
        }
        break;
      case 10:
      case 11:
        if (wanted.fds.empty()) break;
        wanted.fds[draw(wanted.fds.size())] = hostile_descriptor();
        break;
      case 12:
        if (draw(2) == 0)
          wanted.fds.resize(draw(start_fds_max));
        else
          while (wanted.fds.size() < os::packet_fds_max && draw(20) != 0) wanted.fds.push_back(hostile_descriptor());
        std::erase_if(wanted.fds, [](const UniqueFd& fd) { return !fd; });
        break;
      default:
        change_step(plan.mounts);
    }
  }

  void change(std::string& packet) {
    switch (draw(5)) {
      case 0:
        packet.resize(1 + draw(packet.size()));
        break;
      case 1:
        packet += std::string(1 + draw(plan_message_max), 'x');
        break;
      case 2:
        for (auto& byte : packet) byte = static_cast<char>(draw(256));
        break;
      default:
        for (auto times = 1 + draw(4); times > 0; --times)
          packet[draw(packet.size())] = one_of<char>({0, 1, '\x7f', '\x80', '\xff', '/'});
    }
  }

  // One mutant, of this seed. What it started has ended and is gone when this returns.
  void play(std::uint64_t seed) {
    random_.seed(seed);
    agent_ = "witness";
    auto& connection = connections_[seed % connections_.size()];
    if (!connection) connection = std::move(*os::connect_unix(folder_ + "/spawnd.sock", SOCK_SEQPACKET));
    ++next_request_;  // a socket of its own
    auto wanted = request({"wait"});
    wanted.message.id = seed;
    for (auto times = 1 + draw(3); times > 0; --times) change(wanted);
    std::string packet = wanted.message.encode();
    if (draw(8) == 0) change(packet);
    std::vector<int> numbers;
    for (const auto& fd : wanted.fds) numbers.push_back(fd.get());
    if (const auto sent = os::send_packet(connection.get(), packet, numbers); !sent) {
      ++unsent_[sent.error().number()];
      connection.reset();
      return;
    }
    wanted.fds.clear();
    pollfd answer{connection.get(), POLLIN, 0};
    ASSERT_EQ(::poll(&answer, 1, 20000), 1) << "no answer";
    auto received = os::receive_packet(connection.get(), plan_message_max);
    ASSERT_TRUE(received) << "the connection ended without a word: " << received.error().message();
    auto reply = SpawndReply::decode(received->bytes);
    ASSERT_TRUE(reply);
    ++answers_[reply->kind];
    if (reply->kind == SpawndReply::Kind::failed) {
      EXPECT_NE(reply->message, "");
    }
    if (reply->id != seed) connection.reset();  // not understood: the connection is over
    if (reply->kind != SpawndReply::Kind::started) return;
    ASSERT_EQ(received->fds.size(), 1U);
    check_confined(*reply, received->fds[0].get());
    end(*reply, std::move(received->fds[0]));
  }

  void check_confined(const SpawndReply& started, int pidfd) {
    const std::string process = "/proc/" + std::to_string(started.pid);
    const std::string status = os::read_file(AT_FDCWD, process + "/status").value_or("");
    std::map<std::string, std::string> own, others;
    for (const char* space : {"user", "mnt", "pid", "net", "ipc", "uts", "cgroup"}) {
      std::error_code gone;
      own[space] = fs::read_symlink(std::string("/proc/self/ns/") + space);
      others[space] = fs::read_symlink(process + "/ns/" + space, gone);
    }
    const std::string cgroup = os::read_file(AT_FDCWD, process + "/cgroup").value_or("");
    pollfd ended{pidfd, POLLIN, 0};
    if (::poll(&ended, 1, 0) == 1) return;  // its limits were too narrow to live
    ++confined_;
    const auto field = [&](const std::string& name) {
      const auto at = status.find("\n" + name + ":\t");
      if (at == std::string::npos) return std::string("none");
      const auto begin = at + name.size() + 3;
      return status.substr(begin, status.find('\n', begin) - begin);
    };
    const auto base = std::to_string(started.uid_base);
    EXPECT_GE(started.uid_base, UidPool::first);
    for (const char* ids : {"Uid", "Gid"}) EXPECT_EQ(field(ids), base + "\t" + base + "\t" + base + "\t" + base) << ids;
    EXPECT_EQ(field("Groups"), " ");
    EXPECT_EQ(field("NoNewPrivs"), "1");
    EXPECT_EQ(field("Seccomp"), "2");
    constexpr std::uint64_t documented = 0x1e0;  // KILL, SETGID, SETUID, SETPCAP of its own user namespace
    for (const char* set : {"CapEff", "CapPrm", "CapBnd"})
      EXPECT_EQ(std::strtoull(field(set).c_str(), nullptr, 16) & ~documented, 0U) << set;
    for (const char* set : {"CapInh", "CapAmb"}) EXPECT_EQ(std::strtoull(field(set).c_str(), nullptr, 16), 0U) << set;
    for (const auto& [space, name] : own) EXPECT_NE(others[space], name) << space;
    EXPECT_NE(cgroup.find("/" + slice_ + "/agentos-tenant@"), std::string::npos) << cgroup;
    EXPECT_TRUE(started.cgroup.starts_with(facts_.cgroup_root + "/" + slice_ + "/agentos-tenant@")) << started.cgroup;
  }

  void end(const SpawndReply& started, UniqueFd pidfd) {
    pidfd_ = std::move(pidfd);
    ASSERT_TRUE(os::write_file(AT_FDCWD, started.cgroup + "/cgroup.kill", "1"));
    wait_for_end(started);
    const fs::path cgroup = started.cgroup;
    const std::string unit = cgroup.parent_path().filename();
    const std::string before = "agentos-tenant@", after = ".service";
    const std::string usual = tenant_;
    tenant_ = unit.substr(before.size(), unit.size() - before.size() - after.size());
    agent_ = cgroup.filename();
    while (remove().error == ErrorKind::conflict) {
    }
    if (!facts_.systemd && tenant_ != usual) ::rmdir(cgroup.parent_path().c_str());
    tenant_ = usual;
    SpawndRequest layer;
    layer.kind = SpawndRequest::Kind::remove_layer;
    layer.agent = agent_;
    EXPECT_EQ(send(layer).kind, SpawndReply::Kind::removed);
  }

  // Of spawnd, from outside.
  void check_nothing_left() {
    // An answer goes out before what came with the request is closed; one to the next request does not.
    EXPECT_EQ(send(SpawndRequest{}).kind, SpawndReply::Kind::facts);
    EXPECT_TRUE(agent_cgroups().empty()) << agent_cgroups().front();
    EXPECT_TRUE(fs::is_empty(state() + "/layers"));
    // Networks made ahead, kept parts of root file systems, connections.
    const auto open = descriptors();
    EXPECT_LE(open.size(), 64U) << ::testing::PrintToString(open);
    const auto status = os::read_file(AT_FDCWD, "/proc/" + std::to_string(spawnd_) + "/status").value_or("");
    std::istringstream resident(status.substr(status.find("VmRSS:") + 6));
    long kilobytes{};
    resident >> kilobytes;
    EXPECT_GT(kilobytes, 0);
    EXPECT_LT(kilobytes, 64 * 1024);
    kilobytes_ = kilobytes;
  }
  [[nodiscard]] std::vector<std::string> descriptors() const {
    std::vector<std::string> open;
    std::error_code gone;
    for (const auto& entry : fs::directory_iterator("/proc/" + std::to_string(spawnd_) + "/fd"))
      open.push_back(fs::read_symlink(entry.path(), gone));
    return open;
  }

  std::mt19937_64 random_;
  std::array<UniqueFd, 4> connections_;
  std::map<SpawndReply::Kind, int> answers_;
  std::map<int, int> unsent_;  // by errno: longer than the kernel takes
  int confined_{};
  long kilobytes_{};
};

std::uint64_t number_from(const char* variable, std::uint64_t usual) {
  const char* text = std::getenv(variable);
  return text == nullptr ? usual : std::strtoull(text, nullptr, 10);
}

TEST_F(Mutants, are_refused_or_confined_and_leave_nothing) {
  const auto rounds = number_from("AGENTOS_MUTANT_ROUNDS", 400);
  const auto first = number_from("AGENTOS_MUTANT_SEED", 1);
  for (auto seed = first; seed < first + rounds; ++seed) {
    SCOPED_TRACE("AGENTOS_MUTANT_ROUNDS=1 AGENTOS_MUTANT_SEED=" + std::to_string(seed));
    ASSERT_NO_FATAL_FAILURE(play(seed));
    if (seed % 50 == 0) check_nothing_left();
    if (HasFailure()) return;
  }
  check_nothing_left();
  const auto played =
      static_cast<int>(rounds) -
      std::accumulate(unsent_.begin(), unsent_.end(), 0, [](int all, const auto& one) { return all + one.second; });
  std::printf("%d sent: %d refused, %d started (%d looked at while they ran), %ld KiB\n", played,
              answers_[SpawndReply::Kind::failed], answers_[SpawndReply::Kind::started], confined_, kilobytes_);
  EXPECT_FALSE(unsent_.contains(EBADF)) << "descriptors that could not be opened";
  for (const auto& [number, times] : unsent_) std::printf("%d not sent: errno %d\n", times, number);

  if (rounds >= 100) {
    EXPECT_GT(confined_, 0) << "mutants that are not hostile must start";
  }
  agent_ = "witness";
  EXPECT_EQ(answer("hostname"), agent_);
}

}  // namespace
}  // namespace agentos::test
