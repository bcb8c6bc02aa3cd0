// A hostile agentosd: each plan differs from one that starts in one point, and is refused with nothing left behind.
#include <fcntl.h>
#include <linux/seccomp.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>

#include "harness.hpp"
#include "os/socket.hpp"

namespace agentos::test {
namespace {

struct Hostile {
  const char* name;
  std::function<void(SpawndRequest&)> change;
};

std::vector<Hostile> hostile_plans() {
  const auto bind = [](const char* source, std::uint32_t flags) {
    return [source, flags](SpawndRequest& request) {
      MountStep step;
      step.kind = MountStep::Kind::bind;
      step.flags = flags;
      step.source = source;
      step.target = "/tmp/host";
      request.plan.mounts.insert(request.plan.mounts.begin(), step);
    };
  };
  // Hiding and protecting take away only, but must not lead anywhere else.
  const auto narrow = [](MountStep::Kind kind, const char* target, const char* source) {
    return [kind, target, source](SpawndRequest& request) {
      MountStep step;
      step.kind = kind;
      step.target = target;
      step.source = source;
      for (const auto& other : request.plan.mounts) {
        if (other.kind == MountStep::Kind::workspace && *target == '\0') step.target = other.target;
      }
      request.plan.mounts.insert(request.plan.mounts.end() - 1, step);
    };
  };
  constexpr auto usual = MountStep::read_only | MountStep::no_suid | MountStep::no_dev;
  return {
      {"the host's root", bind("/", usual)},
      {"a home directory", bind("/root", usual)},
      {"a runtime directory", bind("/run", usual)},
      {"shadow passwords", bind("/etc/shadow", usual)},
      {"a way out of a listed path", bind("/usr/../root", usual)},
      {"a disk", bind("/dev/vda", MountStep::no_suid)},
      {"programs, writable", bind("/usr", MountStep::no_suid)},
      {"programs with setuid", bind("/usr", MountStep::read_only)},
      {"a hidden root", narrow(MountStep::Kind::hide, "/", "")},
      {"a hidden workspace", narrow(MountStep::Kind::hide, "", "")},
      {"a hidden path out of the workspace", narrow(MountStep::Kind::hide, "", "a/../../x")},
      {"a hidden path below another folder", narrow(MountStep::Kind::hide, "/tmp", "x")},
      {"a protected path of the host", narrow(MountStep::Kind::protect, "/usr", "bin")},
      {"a protected path out of the workspace", narrow(MountStep::Kind::protect, "", "../x")},
      {"a protected workspace", narrow(MountStep::Kind::protect, "", "")},
      {"no filter", [](SpawndRequest& request) { request.plan.seccomp.clear(); }},
      {"a filter that allows everything",
       [](SpawndRequest& request) { request.plan.seccomp = {{0x06, 0, 0, SECCOMP_RET_ALLOW}}; }},
      {"an unsealed root", [](SpawndRequest& request) { request.plan.mounts.pop_back(); }},
      {"a mount in the workspace",
       [](SpawndRequest& request) {
         for (auto& step : request.plan.mounts) {
           if (step.kind == MountStep::Kind::workspace) {
             MountStep below = request.plan.mounts.front();
             below.kind = MountStep::Kind::tmpfs;
             below.flags = MountStep::no_suid | MountStep::no_dev;
             below.target = step.target + "/below";
             request.plan.mounts.insert(request.plan.mounts.end() - 1, below);
             return;
           }
         }
       }},
      {"a workspace with devices",
       [](SpawndRequest& request) {
         for (auto& step : request.plan.mounts) {
           if (step.kind == MountStep::Kind::workspace) step.flags &= ~MountStep::no_dev;
         }
       }},
      {"a climbing agent name", [](SpawndRequest& request) { request.plan.agent = ".."; }},
      {"a climbing tenant name", [](SpawndRequest& request) { request.plan.tenant = "../.."; }},
      {"a climbing limit", [](SpawndRequest& request) { request.plan.cgroup.push_back({"../cgroup.procs", "1"}); }},
      {"a limit that is none", [](SpawndRequest& request) { request.plan.cgroup.push_back({"cgroup.procs", "1"}); }},
      {"another caller's files", [](SpawndRequest& request) { request.plan.caller_uid = 12345; }},
      {"another caller's group", [](SpawndRequest& request) { request.plan.caller_gid = 12345; }},
      {"a thousand mounts",
       [](SpawndRequest& request) {
         request.plan.mounts.insert(request.plan.mounts.begin(), 300, request.plan.mounts.front());
       }},
  };
}

TEST_F(SpawndTest, hostile_plans_are_refused_and_leave_nothing) {
  for (const auto& hostile : hostile_plans()) {
    auto wanted = request({"hostname"});
    hostile.change(wanted.message);
    const auto reply = send(wanted);
    EXPECT_EQ(reply.kind, SpawndReply::Kind::failed) << hostile.name;
    EXPECT_NE(reply.message, "") << hostile.name;
    EXPECT_TRUE(agent_cgroups().empty()) << hostile.name;
  }
  EXPECT_EQ(answer("hostname"), agent_) << "the plan that they all differ from";
}

TEST_F(SpawndTest, wrong_descriptors_are_refused) {
  const auto with = [&](StartFd place, UniqueFd fd) {
    auto wanted = request({"hostname"});
    wanted.fds[static_cast<std::size_t>(place)] = std::move(fd);
    const auto reply = send(wanted);
    EXPECT_EQ(reply.kind, SpawndReply::Kind::failed);
    EXPECT_TRUE(agent_cgroups().empty());
    return reply.message;
  };
  const auto open = [](const char* path) { return UniqueFd(::open(path, O_RDONLY | O_CLOEXEC)); };
  with(StartFd::caller, open("/dev/null"));
  with(StartFd::workspace, open("/etc/passwd"));
  with(StartFd::spec, open("/etc/passwd"));
  with(StartFd::listener, open("/dev/null"));
  with(StartFd::log_0, open("/dev/null"));
  with(StartFd::exit_record, open("/"));
  auto none = request({"hostname"});
  none.fds.clear();
  EXPECT_EQ(send(none).kind, SpawndReply::Kind::failed);
  EXPECT_EQ(answer("hostname"), agent_);
}

// Descriptors for what is granted: each differs in one point from one that is given.
TEST_F(SpawndTest, only_what_is_at_its_path_is_granted) {
  namespace fs = std::filesystem;
  const std::string data = folder_ + "/data", other = folder_ + "/other", file = folder_ + "/file";
  fs::create_directories(data);
  fs::create_directories(other);
  std::ofstream(data + "/text") << "granted";
  std::ofstream(file) << "alone";
  ASSERT_EQ(::mkfifo((folder_ + "/pipe").c_str(), 0600), 0);
  ASSERT_EQ(::chmod(folder_.c_str(), 0755), 0);
  const auto path_fd = [](const std::string& path) { return UniqueFd(::open(path.c_str(), O_PATH | O_CLOEXEC)); };
  const auto granting = [&](const std::string& target, UniqueFd fd, std::uint32_t flags = MountStep::read_only) {
    const std::vector<std::string> tries{"read " + data + "/text", "write " + data + "/new", "read " + file};
    auto wanted = request(tries);
    auto& mounts = wanted.message.plan.mounts;
    const auto at = std::ranges::find(mounts, MountStep::Kind::workspace, &MountStep::kind);
    mounts.insert(at, {MountStep::Kind::grant, flags | MountStep::no_suid | MountStep::no_dev, 0755, {}, target, {}});
    if (fd) wanted.fds.push_back(std::move(fd));
    return wanted;
  };
  const auto refused = [&](const std::string& target, UniqueFd fd, const char* why) {
    const auto reply = send(granting(target, std::move(fd)));
    EXPECT_EQ(reply.kind, SpawndReply::Kind::failed) << target;
    EXPECT_NE(reply.message.find(why), std::string::npos) << target << ": " << reply.message;
    EXPECT_TRUE(agent_cgroups().empty()) << target;
  };
  refused(data, {}, "wrong number of descriptors");
  refused(data, path_fd(other), "elsewhere now");
  refused(data, UniqueFd(::open(data.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)), "O_PATH");
  refused(folder_ + "/pipe", path_fd(folder_ + "/pipe"), "neither a folder nor a regular file");
  refused("/proc/self", path_fd("/proc/self"), "never granted");
  refused("/etc", path_fd("/etc"), "never granted");
  refused(folder_ + "/gone", path_fd(other), "elsewhere now");
  {
    auto moved = path_fd(other);
    fs::rename(other, folder_ + "/moved");
    refused(other, std::move(moved), "elsewhere now");
    auto removed = path_fd(folder_ + "/moved");
    fs::remove(folder_ + "/moved");
    refused(folder_ + "/moved", std::move(removed), "elsewhere now");
  }
  // The kernel's own file systems and folders of the system, by another name.
  const std::string bound = folder_ + "/bound";
  fs::create_directory(bound);
  for (const auto& [source, why] : {std::pair{"/proc", "file system of type proc"}, std::pair{"/sys", "of type sysfs"},
                                    std::pair{"/etc", "a folder of the system by another name"}}) {
    ASSERT_EQ(::mount(source, bound.c_str(), nullptr, MS_BIND, nullptr), 0);
    refused(bound, path_fd(bound), why);
    ASSERT_EQ(::umount2(bound.c_str(), MNT_DETACH), 0);
  }
  // And what is as it must be is given: read, and written only where it says so.
  const auto given = [&](std::uint32_t flags, const std::string& target) {
    wait_for_end(send(granting(target, path_fd(target), flags)));
    while (remove().error == ErrorKind::conflict) {
    }
    return log();
  };
  auto answers = given(MountStep::read_only, data);
  EXPECT_NE(answers.find("/text: granted"), std::string::npos) << answers;
  EXPECT_NE(answers.find("/new: error Read-only file system"), std::string::npos) << answers;
  answers = given(0, file);
  EXPECT_NE(answers.find("/file: alone"), std::string::npos) << answers;
}

TEST_F(SpawndTest, malformed_packets_end_the_connection_and_not_the_daemon) {
  for (const std::string_view packet : {std::string_view("x"), std::string_view("\x01\0\0\0", 4),
                                        std::string_view("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01")}) {
    const auto other = os::connect_unix(folder_ + "/spawnd.sock", SOCK_SEQPACKET);
    ASSERT_TRUE(other);
    ASSERT_TRUE(os::send_packet(other->get(), packet));
    const auto refused = os::receive_packet(other->get(), plan_message_max);
    ASSERT_TRUE(refused) << refused.error().message();
    EXPECT_EQ(SpawndReply::decode(refused->bytes)->kind, SpawndReply::Kind::failed);
    EXPECT_FALSE(os::receive_packet(other->get(), plan_message_max)) << "the connection is over";
  }
  EXPECT_EQ(answer("hostname"), agent_);
}

TEST_F(SpawndTest, other_users_may_not_connect) {
  ASSERT_EQ(::chmod((folder_ + "/spawnd.sock").c_str(), 0666), 0);
  ASSERT_EQ(::chmod(folder_.c_str(), 0755), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    if (::setuid(12345) != 0) ::_exit(9);
    const auto socket = os::connect_unix(folder_ + "/spawnd.sock", SOCK_SEQPACKET);
    SpawndRequest probe;
    if (!socket || !os::send_packet(socket->get(), probe.encode())) ::_exit(0);
    ::_exit(os::receive_packet(socket->get(), plan_message_max) ? 1 : 0);
  }
  int status = -1;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(status, 0) << "a stranger got an answer";
}

}  // namespace
}  // namespace agentos::test
