#include "policy/grants.hpp"

#include <algorithm>

#include <gmock/gmock.h>

#include "policy/compose.hpp"
#include "policy/parse.hpp"
#include "samples.hpp"
#include "sandbox/compile/why.hpp"
#include "sandbox/container/check.hpp"

// What is granted of the host, in the plan and in what `why` reads off it.
namespace agentos::sandbox {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using Kind = MountStep::Kind;

constexpr std::uint32_t plain = MountStep::no_suid | MountStep::no_dev;

SandboxRequest request_with(const std::string& filesystem) {
  auto request = sample_request();
  const auto parsed = policy::parse("version: 1\nfilesystem: {" + filesystem + "}\n", "p.yaml");
  EXPECT_TRUE(parsed) << policy::text(parsed.error(), "p.yaml");
  const auto there = policy::at_home(*parsed, "/home/alice");
  EXPECT_TRUE(there) << there.error().message();
  request.policy = *policy::compose(std::vector{*there});
  return request;
}

Result<Plan> compiled(const std::string& filesystem) {
  Report report;
  return compile(request_with(filesystem), full_host(), report);
}

std::string refusal(const std::string& filesystem) {
  const auto plan = compiled(filesystem);
  return plan ? "accepted" : plan.error().message();
}

// "grant /srv + x", "link /home/agent/.x -> /home/alice/.x", ... of the steps between the agent's own folders and the
// seal, the workspace among them.
std::vector<std::string> steps(const Plan& plan) {
  std::vector<std::string> all;
  const auto home = std::ranges::find(plan.mounts, std::string(agent_home), &MountStep::target);
  for (auto step = home + 1; step != plan.mounts.end() - 1; ++step) {
    const std::string flag = (step->flags & MountStep::read_only) != 0 ? " ro" : "";
    const std::string below = step->source.empty() ? "" : " + " + step->source;
    switch (step->kind) {
      case Kind::grant:
        all.push_back("grant " + step->target + below + flag);
        EXPECT_EQ(step->flags & (MountStep::no_suid | MountStep::no_dev), MountStep::no_suid | MountStep::no_dev);
        break;
      case Kind::symlink:
        all.push_back("link " + step->target + " -> " + step->source);
        break;
      case Kind::directory:
        EXPECT_EQ(step->flags, MountStep::of_agent);
        all.push_back("folder " + step->target);
        break;
      case Kind::workspace:
        all.emplace_back("workspace");
        break;
      case Kind::hide:
        all.push_back("hide " + step->target + below);
        break;
      default:
        all.emplace_back("something else");
    }
  }
  return all;
}

std::vector<std::string> steps(const std::string& filesystem) {
  const auto plan = compiled(filesystem);
  EXPECT_TRUE(plan) << plan.error().message();
  if (!plan) return {};
  const auto checked = container::check(*plan);
  EXPECT_TRUE(checked) << checked.error().message();
  return steps(*plan);
}

TEST(GrantPlan, MountsThemBeforeTheWorkspaceTheWiderFirst) {
  EXPECT_THAT(steps("read_only: [/srv/data, /srv/out/keep/it], read_write: [/srv/out, /srv/data/new]"),
              ElementsAre("grant /srv/data ro", "grant /srv/data + new", "grant /srv/out",
                          "grant /srv/out + keep/it ro", "workspace"));
  EXPECT_THAT(steps("read_only: []"), ElementsAre("workspace"));
}

TEST(GrantPlan, LinksWhatIsOfTheHomeIntoTheAgentsOwn) {
  EXPECT_THAT(
      steps("read_write: [~/.claude/projects, ~/.claude/todos], read_only: [~/.gitconfig, /home/alice/x]"),
      ElementsAre("folder /home/agent/.claude", "link /home/agent/.claude/projects -> /home/alice/.claude/projects",
                  "link /home/agent/.claude/todos -> /home/alice/.claude/todos",
                  "link /home/agent/.gitconfig -> /home/alice/.gitconfig", "grant /home/alice/.claude/projects",
                  "grant /home/alice/.claude/todos", "grant /home/alice/.gitconfig ro", "grant /home/alice/x ro",
                  "workspace"));
  // What lies in another is reached by the other's link.
  EXPECT_THAT(steps("read_write: [~/.x], read_only: [~/.x/conf]"),
              ElementsAre("link /home/agent/.x -> /home/alice/.x", "grant /home/alice/.x",
                          "grant /home/alice/.x + conf ro", "workspace"));
  // And where something is granted at the very place of a link there is none.
  EXPECT_THAT(steps("read_write: [~/.x, /home/agent/.x]"),
              ElementsAre("grant /home/agent/.x", "grant /home/alice/.x", "workspace"));
}

TEST(GrantPlan, HidesWhatIsHiddenInThem) {
  EXPECT_THAT(steps("read_write: [/srv], hidden: [/srv/secret, /opt/nothing, /srv2, ~/nowhere]"),
              ElementsAre("grant /srv", "workspace", "hide /srv + secret"));
  EXPECT_THAT(steps("read_write: [/srv/a, /srv/b], hidden: [/srv/a]"), ElementsAre("grant /srv/b", "workspace"));
  EXPECT_THAT(steps("hidden: [~/project/.env]"), ElementsAre("workspace", "hide /home/alice/project + .env"));
  EXPECT_THAT(refusal("hidden: [/home/alice]"),
              HasSubstr("p.yaml:2:23: filesystem.hidden: '/home/alice' hides the workspace '/home/alice/project'"));
  EXPECT_THAT(refusal("hidden: [~/project]"), HasSubstr("hides the workspace"));
}

TEST(GrantPlan, RefusesWhatTheWorkspaceMakesAmbiguous) {
  for (const char* list : {"read_only", "read_write"}) {
    for (const char* path : {"~/project", "~/project/in"}) {
      const auto why = refusal(std::string(list) + ": [" + path + "]");
      EXPECT_THAT(why, HasSubstr("p.yaml:2:")) << list << path;
      EXPECT_THAT(why, HasSubstr("lies in the workspace '/home/alice/project', which has its own rule"));
    }
  }
  EXPECT_THAT(refusal("read_write: [/home/alice]"), HasSubstr("holds the workspace"));
  EXPECT_THAT(steps("read_only: [/home/alice]"), ElementsAre("grant /home/alice ro", "workspace"));
  EXPECT_THAT(steps("read_write: [/home/alice/project2]"), ElementsAre("grant /home/alice/project2", "workspace"));
}

TEST(GrantPlan, TakesSixtyFour) {
  const auto many = [](std::size_t count) {
    auto request = request_with("read_only: []");
    for (std::size_t at = 0; at < count; ++at)
      request.policy.grants->push_back({{"/srv/" + std::to_string(100 + at), policy::Access::read, false, {}}, {}});
    Report report;
    const auto plan = compile(request, full_host(), report);
    if (!plan) return plan.error().message();
    const auto checked = container::check(*plan);
    return checked ? std::string("good") : checked.error().message();
  };
  EXPECT_EQ(many(grants_max), "good");
  EXPECT_THAT(many(grants_max + 1), HasSubstr("more than 64 grants"));
}

TEST(GrantPlan, IsReadOffByWhy) {
  const auto request =
      request_with("read_only: [/srv/data, ~/.x/conf], read_write: [~/.x, /srv/out], hidden: [/srv/out/no]");
  Report report;
  const auto plan = compile(request, full_host(), report);
  ASSERT_TRUE(plan) << plan.error().message();
  const auto ask = [&](const char* path, Operation operation) {
    const auto answer = why_path(*plan, request.policy, path, operation);
    return (answer.allowed ? "yes " : "no ") + answer.origin.text();
  };
  using enum Operation;
  EXPECT_EQ(ask("/srv/data/file", read), "yes p.yaml:2:26");
  EXPECT_EQ(ask("/srv/data/file", execute), "yes p.yaml:2:26");
  EXPECT_EQ(ask("/srv/data/file", write), "no p.yaml:2:26");
  EXPECT_EQ(ask("/srv/out/file", write), "yes p.yaml:2:68");
  EXPECT_EQ(ask("/srv/out/no/file", read), "no p.yaml:2:88");
  EXPECT_EQ(ask("/home/alice/.x/file", write), "yes p.yaml:2:62");
  EXPECT_EQ(ask("/home/agent/.x/file", write), "yes p.yaml:2:62");  // by the link
  EXPECT_EQ(ask("/home/agent/.x/conf", write), "no p.yaml:2:37");
  EXPECT_EQ(ask("/home/alice/.y", read), "no built in");
  EXPECT_EQ(ask("/srv", write), "no built in");
}

// A hostile agentosd: each plan differs in one point from one that is good.
TEST(GrantCheck, RefusesPlansThatGrantWhatIsNeverGranted) {
  const auto good = compiled("read_only: [/srv/data], read_write: [/srv/out]");
  ASSERT_TRUE(good);
  const auto with = [&](const MountStep& step, bool behind_workspace = false) {
    Plan plan = *good;
    const auto at = std::ranges::find(plan.mounts, Kind::workspace, &MountStep::kind);
    plan.mounts.insert(behind_workspace ? at + 1 : at, step);
    const auto checked = container::check(plan);
    return checked ? "accepted" : checked.error().message();
  };
  const auto grant = [&](const char* target, const char* source = "", std::uint32_t flags = plain) {
    return MountStep{Kind::grant, flags, 0755, source, target, {}};
  };
  EXPECT_EQ(with(grant("/srv/more")), "accepted");
  EXPECT_EQ(with(grant("/srv/out", "deep/er")), "accepted");
  for (const char* path :
       {"/", "/etc/x", "/proc", "/dev/sda", "/run/x", "/var", "/var/lib/agentos", "/tmp", "/home", "/lib"})
    EXPECT_THAT(with(grant(path)), HasSubstr("is never granted")) << path;
  EXPECT_THAT(with(grant("/srv/out", "../../etc")), HasSubstr("not a clean"));
  EXPECT_THAT(with(grant("/srv/x", "", MountStep::no_suid)), HasSubstr("without nosuid and nodev"));
  EXPECT_THAT(with(grant("/srv/x", "", MountStep::no_dev)), HasSubstr("without nosuid and nodev"));
  EXPECT_THAT(with(grant("/srv/out/x")), HasSubstr("does not say so"));
  EXPECT_THAT(with(grant("/srv/out")), HasSubstr("would cover another grant"));
  EXPECT_THAT(with(grant("/srv")), HasSubstr("would cover another grant"));
  EXPECT_THAT(with(grant("/srv/other", "x")), HasSubstr("is not granted"));
  EXPECT_THAT(with(grant("/srv/x"), true), HasSubstr("behind the workspace"));
  const auto narrow = [](Kind kind, const char* target, const char* source) {
    return MountStep{kind, 0, 0755, source, target, {}};
  };
  EXPECT_EQ(with(narrow(Kind::hide, "/srv/out", "a/b"), true), "accepted");
  EXPECT_THAT(with(narrow(Kind::hide, "/srv", "out"), true), HasSubstr("not a path in the workspace or a grant"));
  EXPECT_THAT(with(narrow(Kind::hide, "/srv/out", "../x"), true), HasSubstr("not a path in the workspace or a grant"));
  EXPECT_THAT(with(narrow(Kind::protect, "/srv/out", "a"), true), HasSubstr("not a path in the workspace or a grant"));
  for (const char* folder : {"/srv/out/x", "/srv/data/x"}) {
    EXPECT_THAT(with({Kind::file, 0, 0644, "text", folder, {}}), HasSubstr("lies in what is granted")) << folder;
    EXPECT_THAT(with({Kind::directory, 0, 0755, {}, folder, {}}), HasSubstr("lies in what is granted")) << folder;
  }
  Plan inside = *good;
  std::ranges::find(inside.mounts, Kind::workspace, &MountStep::kind)->target = "/srv/out/work";
  EXPECT_THAT(container::check(inside).error().message(), HasSubstr("lies in what is granted"));
  std::ranges::find(inside.mounts, Kind::workspace, &MountStep::kind)->target = "/srv/data/work";
  EXPECT_TRUE(container::check(inside));
}

}  // namespace
}  // namespace agentos::sandbox
