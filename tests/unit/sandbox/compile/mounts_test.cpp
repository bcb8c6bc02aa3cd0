#include "sandbox/compile/mounts.hpp"

#include <algorithm>
#include <string>

#include <gmock/gmock.h>

#include "samples.hpp"
#include "sandbox/compile/etc_entries.hpp"

namespace agentos::sandbox {
namespace {

using testing::HasSubstr;
using Kind = MountStep::Kind;

std::vector<MountStep> steps(const HostFacts& facts = full_host(), const SandboxRequest& request = sample_request()) {
  return mount_steps(request, facts, "fix-tests");
}

// The last one: a mount may have a folder made for it before.
const MountStep* find(const std::vector<MountStep>& all, const std::string& target) {
  const auto found =
      std::find_if(all.rbegin(), all.rend(), [&](const MountStep& step) { return step.target == target; });
  return found == all.rend() ? nullptr : &*found;
}

TEST(MountSteps, ShowNothingOfTheHostThatIsWritable) {
  for (const auto& step : steps()) {
    if (step.kind != Kind::bind) continue;
    EXPECT_TRUE((step.flags & MountStep::read_only) != 0 || step.source.starts_with("/dev/")) << step.source;
    EXPECT_NE(step.flags & MountStep::no_suid, 0U) << step.source;
  }
}

TEST(MountSteps, ShowOfTheHostOnlyProgramsAndListedConfiguration) {
  for (const auto& step : steps()) {
    if (step.kind != Kind::bind) continue;
    const bool known = step.source == "/usr" || step.source.starts_with("/dev/") || step.source.starts_with("/sys/") ||
                       (step.source.starts_with("/etc/") && is_etc_entry(step.source.substr(5)));
    EXPECT_TRUE(known) << step.source;
  }
}

TEST(MountSteps, TakeNoEtcEntryThatIsNotListed) {
  HostFacts facts = full_host();
  facts.etc_entries = {"ld.so.cache",       "shadow", "ssh", "passwd", "ssl", "ssl/private", "../root",
                       "java-17/../shadow", "",       "pki", "hosts"};
  const auto all = steps(facts);
  EXPECT_NE(find(all, "/etc/ld.so.cache"), nullptr);
  const auto binds_etc = [](const MountStep& step) {
    return step.kind == Kind::bind && step.source.starts_with("/etc");
  };
  EXPECT_EQ(std::ranges::count_if(all, binds_etc), 1);
}

TEST(MountSteps, WriteTheFilesThatNameUsersAndHosts) {
  const auto all = steps();
  EXPECT_THAT(find(all, "/etc/passwd")->source, HasSubstr("agent:x:1000:1000:agent:/home/agent:/bin/bash\n"));
  EXPECT_THAT(find(all, "/etc/group")->source, HasSubstr("agent:x:1000:\n"));
  EXPECT_EQ(find(all, "/etc/hostname")->source, "../run/agentos/hostname");
  EXPECT_EQ(find(all, "/run/agentos/hostname")->source, "fix-tests\n");
  EXPECT_EQ(find(all, "/etc/hosts")->source, "../run/agentos/hosts");
  EXPECT_THAT(find(all, "/run/agentos/hosts")->source, HasSubstr("127.0.1.1 fix-tests\n"));
  EXPECT_THAT(find(all, "/etc/resolv.conf")->source, testing::StartsWith("#"));
}

TEST(MountSteps, ShareWhatIsTheSameForEveryAgent) {
  const auto shared = [](const std::vector<MountStep>& all) {
    std::vector<MountStep> found;
    std::ranges::copy_if(all, std::back_inserter(found),
                         [](const MountStep& step) { return (step.flags & MountStep::shared) != 0; });
    return found;
  };
  SandboxRequest other = sample_request();
  other.agent = "another";
  other.name = "another";
  other.tenant = "another";
  other.workspace = "/srv/other";
  other.limits.memory_max = 256U << 20U;
  const auto theirs = mount_steps(other, full_host(), "another");
  EXPECT_EQ(shared(steps()), shared(theirs));
  EXPECT_GT(shared(theirs).size(), 10U);
  EXPECT_NE(steps(), theirs);
}

TEST(MountSteps, FollowTheHostsRoot) {
  auto all = steps();
  EXPECT_EQ(find(all, "/bin")->kind, Kind::symlink);
  EXPECT_EQ(find(all, "/bin")->source, "usr/bin");
  EXPECT_EQ(find(all, "/lib32"), nullptr);
  all = steps(bare_host());
  EXPECT_EQ(find(all, "/bin")->kind, Kind::bind);
  EXPECT_EQ(find(all, "/lib64")->source, "/usr/lib64");
  HostFacts odd = full_host();
  odd.root_links = {"bin -> ../home/eve", "home -> usr/home"};
  odd.root_directories = {"home", "root"};
  all = steps(odd);
  for (const char* path : {"/bin", "/home", "/root"}) EXPECT_EQ(find(all, path), nullptr) << path;
}

TEST(MountSteps, MaskAndSealProc) {
  const auto all = steps();
  for (const char* path :
       {"/proc/kcore", "/proc/keys", "/proc/sysrq-trigger", "/proc/timer_list", "/proc/sched_debug"}) {
    const auto* step = find(all, path);
    ASSERT_NE(step, nullptr) << path;
    EXPECT_EQ(step->source, "/dev/null");
    EXPECT_TRUE(step->flags & MountStep::no_dev) << path;
  }
  for (const char* path : {"/proc/sys", "/proc/irq", "/proc/bus", "/proc/fs", "/proc/pressure"})
    EXPECT_EQ(find(all, path)->kind, Kind::seal) << path;
  const auto at = [&](const std::string& target) { return find(all, target) - all.data(); };
  EXPECT_LT(at("/proc"), at("/proc/kcore"));
  EXPECT_LT(at("/proc"), at("/proc/sys"));
}

TEST(MountSteps, EndWithTheWorkspaceAndTheSeal) {
  for (const auto& facts : {full_host(), bare_host()}) {
    const auto all = steps(facts);
    ASSERT_GE(all.size(), 2U);
    EXPECT_EQ(
        all[all.size() - 2],
        (MountStep{Kind::workspace, MountStep::no_suid | MountStep::no_dev, 0755, {}, "/home/alice/project", {}}));
    EXPECT_EQ(all.back(), (MountStep{Kind::seal, 0, 0755, {}, "/", {}}));
    EXPECT_LT(all.size(), 80U);  // each is some 20 us of every start
  }
}

TEST(MountSteps, BoundTmpfsByMemory) {
  EXPECT_EQ(find(steps(), "/tmp")->data, "size=2147483648,nr_inodes=262144,mode=1777");
  EXPECT_EQ(find(steps(), "/home/agent")->data, "size=2147483648,nr_inodes=262144,mode=0700,uid=1000,gid=1000");
  EXPECT_EQ(find(steps(), "/dev/shm")->data, "size=536870912,nr_inodes=65536,mode=1777");
  SandboxRequest limited = sample_request();
  limited.limits.memory_max = 256U << 20U;
  EXPECT_EQ(find(steps(full_host(), limited), "/tmp")->data, "size=67108864,nr_inodes=8192,mode=1777");
  HostFacts unknown = full_host();
  unknown.memory_total = 0;
  EXPECT_EQ(find(steps(unknown), "/tmp")->data, "size=16777216,nr_inodes=2048,mode=1777");
  HostFacts large = full_host();
  large.memory_total = 1ULL << 40U;
  EXPECT_THAT(find(steps(large), "/tmp")->data, HasSubstr("nr_inodes=1048576,"));
}

}  // namespace
}  // namespace agentos::sandbox
