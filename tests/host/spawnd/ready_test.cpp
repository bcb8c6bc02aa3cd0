// What spawnd makes ahead and gives to agents: network namespaces, and parts of the root file system that are built
// once. Nobody sees anything of another, or of the host of a moment ago.
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include <gmock/gmock.h>

#include "harness.hpp"

namespace agentos::test {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

std::string network_of(pid_t pid) {
  return fs::read_symlink("/proc/" + std::to_string(pid) + "/ns/net").string();
}

// The device of what that process has mounted on `target`, of mountinfo(5): "major:minor".
std::string device_of(pid_t pid, const std::string& target) {
  std::ifstream lines("/proc/" + std::to_string(pid) + "/mountinfo");
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string id, parent, device, root, place;
    words >> id >> parent >> device >> root >> place;
    if (place == target) return device;
  }
  return "none";
}

TEST_F(SpawndTest, every_agent_has_a_network_of_its_own_however_many_start_at_once) {
  std::set<std::string> networks{network_of(::getpid())};
  constexpr int agents = 20;  // more than are made ahead
  for (int i = 0; i < agents; ++i) {
    agent_ = "agent-" + std::to_string(i);
    const auto started = send(request({"wait"}));
    ASSERT_EQ(started.kind, SpawndReply::Kind::started) << started.message;
    EXPECT_TRUE(networks.insert(network_of(started.pid)).second) << "a network that another has";
  }
  // While it makes the next ones it is in them.
  const auto by = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (network_of(spawnd_) != network_of(::getpid()) && std::chrono::steady_clock::now() < by) ::sched_yield();
  EXPECT_EQ(network_of(spawnd_), network_of(::getpid())) << "spawnd is not back in the host's network";
}

TEST_F(SpawndTest, parts_are_built_once_and_what_is_an_agents_own_is_not) {
  // Both at once: the number of a device that is gone is given again.
  const auto first = send(request({"wait"}));
  agent_ = "second";
  const auto second = send(request({"wait"}));
  for (const char* folder : {"/etc", "/dev", "/sys"}) {
    EXPECT_NE(device_of(first.pid, folder), "none") << folder;
    EXPECT_EQ(device_of(first.pid, folder), device_of(second.pid, folder)) << folder;
  }
  for (const char* folder : {"/", "/tmp", "/dev/shm", "/dev/pts", "/proc"})
    EXPECT_NE(device_of(first.pid, folder), device_of(second.pid, folder)) << folder;
}

TEST_F(SpawndTest, names_are_each_agents_own) {
  EXPECT_THAT(answer("read /etc/hostname"), HasSubstr("witness"));
  agent_ = "second";
  const auto second = run({"read /etc/hostname", "read /etc/hosts"});
  EXPECT_THAT(second[0].second, HasSubstr("second"));
  EXPECT_THAT(second[1].second, HasSubstr("127.0.1.1 second"));
}

TEST_F(SpawndTest, no_shared_step_changes_a_device_of_the_host) {
  struct stat before{};
  ASSERT_EQ(::stat("/dev/null", &before), 0);
  for (const auto& [flags, mode] :
       {std::pair{MountStep::shared | MountStep::of_agent, 0755U}, std::pair{MountStep::shared | 0U, 01777U},
        std::pair{MountStep::shared | 0U, 0755U}}) {
    auto wanted = request({"hostname"});
    auto& steps = wanted.message.plan.mounts;
    const auto null = std::ranges::find(steps, "/dev/null", &MountStep::target);
    ASSERT_NE(null, steps.end());
    steps.insert(null + 1, {MountStep::Kind::directory, flags, mode, {}, "/dev/null", {}});
    const auto reply = send(wanted);
    // The last one asks for nothing that is not there.
    EXPECT_EQ(reply.kind,
              mode == 0755U && flags == MountStep::shared ? SpawndReply::Kind::started : SpawndReply::Kind::failed)
        << reply.message;
    if (reply.kind == SpawndReply::Kind::started) wait_for_end(reply);
    struct stat after{};
    ASSERT_EQ(::stat("/dev/null", &after), 0);
    EXPECT_EQ(after.st_uid, before.st_uid);
    EXPECT_EQ(after.st_mode, before.st_mode);
  }
}

class OwnMounts : public SpawndTest {
 protected:
  OwnMounts() {
    own_mounts_ = true;
    workspace_mode_ = WorkspaceMode::empty;
  }

  // Mounts `source` on `target`, or takes it off again, where spawnd is.
  void where_spawnd_is(const std::string& source, const std::string& target) const {
    const pid_t child = ::fork();
    if (child == 0) {
      const int space = ::open(("/proc/" + std::to_string(spawnd_) + "/ns/mnt").c_str(), O_RDONLY | O_CLOEXEC);
      const bool done = ::setns(space, CLONE_NEWNS) == 0 &&
                        (source.empty() ? ::umount2(target.c_str(), 0)
                                        : ::mount(source.c_str(), target.c_str(), nullptr, MS_BIND, nullptr)) == 0;
      ::_exit(done ? 0 : 1);
    }
    int status = -1;
    ::waitpid(child, &status, 0);
    ASSERT_EQ(status, 0) << "mount on " << target;
  }
};

TEST_F(OwnMounts, file_that_the_host_replaces_is_the_new_one_for_the_next_agent) {
  ASSERT_TRUE(fs::exists("/etc/services") || fs::exists("/etc/os-release"));
  const std::string file = fs::exists("/etc/services") ? "/etc/services" : "/etc/os-release";
  const std::string newer = folder_ + "/newer";
  std::ofstream(newer) << "newer\n";
  const auto read = [&](const char* agent) {
    agent_ = agent;
    return answer("read " + file);
  };
  const std::string before = read("first");
  EXPECT_EQ(read("second"), before);
  where_spawnd_is(newer, file);
  EXPECT_EQ(read("third"), "newer\n");
  where_spawnd_is("", file);
  EXPECT_EQ(read("fourth"), before);
}

TEST_F(SpawndTest, parts_that_are_kept_are_bounded) {
  const auto descriptors = [&] {
    const fs::directory_iterator all("/proc/" + std::to_string(spawnd_) + "/fd");
    return std::distance(begin(all), end(all));
  };
  std::ptrdiff_t before = 0;
  constexpr int kept_max = 16;
  for (int i = 0; i < 3 * kept_max; ++i) {
    auto wanted = request({"read /etc/other"});
    MountStep link{MountStep::Kind::symlink, MountStep::shared, 0755, "hostname", "/etc/other", {}};
    link.source = "nowhere-" + std::to_string(i);
    auto& steps = wanted.message.plan.mounts;
    const auto mtab = std::ranges::find(steps, "/etc/mtab", &MountStep::target);
    ASSERT_NE(mtab, steps.end());
    steps.insert(mtab, link);
    wait_for_end(send(wanted));
    while (remove().error == ErrorKind::conflict) {
    }
    if (i == kept_max) before = descriptors();
  }
  EXPECT_LE(descriptors(), before + 8) << "more than the networks that are made ahead";
}

}  // namespace
}  // namespace agentos::test
