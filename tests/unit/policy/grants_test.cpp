#include "policy/grants.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "policy/compose.hpp"
#include "policy/encode.hpp"
#include "policy/explain.hpp"
#include "policy/parse.hpp"

namespace agentos::policy {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Policy read(std::string_view filesystem, std::string_view file = "p.yaml") {
  const auto parsed = parse("version: 1\nfilesystem: {" + std::string(filesystem) + "}\n", file);
  EXPECT_TRUE(parsed) << text(parsed.error(), file);
  return parsed.value_or(Policy());
}

std::string error(std::string_view filesystem) {
  const auto parsed = parse("version: 1\nfilesystem: {" + std::string(filesystem) + "}\n", "p.yaml");
  return parsed ? "accepted" : text(parsed.error(), "p.yaml");
}

// "r /a", "w ~/b?"
std::vector<std::string> shown(const std::optional<Grants>& grants) {
  std::vector<std::string> all;
  for (const auto& [grant, origin] : grants.value_or(Grants()))
    all.push_back((grant.access == Access::write ? "w " : "r ") + text(grant));
  return all;
}

std::vector<std::string> together(const Policy& a, const Policy& b) {
  const auto one = compose(std::vector<Policy>{a, b});
  const auto other = compose(std::vector<Policy>{b, a});
  EXPECT_TRUE(one && other);
  EXPECT_EQ(*one, *other);
  return shown(one->grants);
}

TEST(Grants, AreReadFromBothLists) {
  const auto policy = read("read_only: [./x, /srv/data, '~/.gitconfig?'], read_write: [~/.cache/pip]");
  EXPECT_THAT(shown(policy.grants), ElementsAre("r /srv/data", "w ~/.cache/pip", "r ~/.gitconfig?"));
  EXPECT_EQ(policy.read_only.size(), 1U);
  EXPECT_EQ((*policy.grants)[0].origin.text(), "p.yaml:2:31");
  EXPECT_TRUE((*policy.grants)[2].value.optional);
}

TEST(Grants, AreUnsetWhereAFileIsSilent) {
  EXPECT_FALSE(read("hidden: [./x]").grants);
  EXPECT_FALSE(read("read_only: [./x]").grants);  // speaks of the workspace
  EXPECT_TRUE(read("read_only: []").grants);
  EXPECT_TRUE(read("read_write: []").grants);
}

TEST(Grants, AreRefusedWhereTheyCannotBeKept) {
  for (const char* path : {"/",
                           "/usr/bin",
                           "/etc",
                           "/proc/1",
                           "/sys",
                           "/dev/sda",
                           "/run/docker.sock",
                           "/var",
                           "/var/lib",
                           "/var/lib/agentos/agents",
                           "/tmp",
                           "/home",
                           "/home/agent",
                           "/lib/modules",
                           "/boot",
                           "/srv/../x",
                           "/srv/",
                           "/srv/*",
                           "/srv//x",
                           "'~'",
                           "~bob/x",
                           "~/",
                           "~/../x",
                           "x",
                           "'/srv/a?b'"}) {
    for (const char* list : {"read_only", "read_write"})
      EXPECT_THAT(error(std::string(list) + ": [" + path + "]"), HasSubstr("p.yaml:2:")) << path;
  }
  for (const char* path : {"/srv", "/opt/x", "/root/x", "/tmp/x", "/home/alice", "'/srv/x?'", "~/.x", "'~/.x?'"}) {
    for (const char* list : {"read_only", "read_write"})
      EXPECT_EQ(error(std::string(list) + ": [" + path + "]"), "accepted") << path;
  }
  EXPECT_THAT(error("read_write: [./x]"), HasSubstr("filesystem.workspace says whether"));
  EXPECT_THAT(error("read_only: ['./x?']"), HasSubstr("patterns are not known"));
  EXPECT_THAT(error("read_only: [/srv/x], read_write: ['/srv/x?']"),
              HasSubstr("p.yaml:2:48: '/srv/x' stands twice (the first is in line 2)"));
}

TEST(Grants, OfSeveralThatHoldAPathTheNarrowestSays) {
  const auto grants = *read("read_only: [/a, /a/b/c], read_write: [/a/b, /a-b]").grants;
  const auto access = [&](std::string_view path) {
    const auto* grant = grant_of(grants, path);
    return grant == nullptr ? "none" : grant->value.access == Access::write ? "write" : "read";
  };
  EXPECT_EQ(access("/a/x"), std::string("read"));
  EXPECT_EQ(access("/a/b"), std::string("write"));
  EXPECT_EQ(access("/a/b/cc"), std::string("write"));
  EXPECT_EQ(access("/a/b/c/d"), std::string("read"));
  EXPECT_EQ(access("/a-b/c"), std::string("write"));
  EXPECT_EQ(access("/ab"), std::string("none"));
  EXPECT_EQ(outer_grant(grants, {"/a/b/c", Access::read, false, {}})->value.path, "/a/b");
  EXPECT_EQ(outer_grant(grants, {"/a", Access::read, false, {}}), nullptr);
}

TEST(Grants, OfSeveralCeilingsAreWhatAllGrant) {
  const auto wide = read("read_write: [/srv]", "wide.yaml");
  EXPECT_THAT(together(wide, read("read_write: [/srv/a], read_only: [/srv/b, /opt]")),
              ElementsAre("w /srv/a", "r /srv/b"));
  EXPECT_THAT(together(read("read_only: [/srv]"), read("read_write: [/srv/a]")), ElementsAre("r /srv/a"));
  EXPECT_THAT(together(wide, read("read_write: []")), IsEmpty());
  EXPECT_THAT(together(wide, read("hidden: [./x]")), IsEmpty());
  EXPECT_THAT(together(read("read_write: ['/srv?']"), wide),
              ElementsAre("w /srv"));  // one of them says it must be there
  EXPECT_THAT(together(read("read_write: ['/srv/a?']"), wide), ElementsAre("w /srv/a?"));
  EXPECT_THAT(together(read("read_write: [/srv], read_only: [/srv/a]"), wide), ElementsAre("w /srv", "r /srv/a"));
}

TEST(Grants, ATenantsFileBoundsThemAndGrantsNothing) {
  const auto tenant = [](const char* filesystem) {
    return *parse(std::string("version: 1\nfilesystem: {") + filesystem + "}\n", "t.yaml", Kind::tenant);
  };
  const auto policy = read("read_write: [/srv]");
  EXPECT_THAT(together(policy, tenant("hidden: [./x]")), ElementsAre("w /srv"));
  EXPECT_THAT(together(policy, tenant("read_only: [./x]")), ElementsAre("w /srv"));
  EXPECT_THAT(together(policy, tenant("read_only: [/srv/a, /opt]")), ElementsAre("r /srv/a"));
  EXPECT_THAT(together(policy, tenant("read_write: []")), IsEmpty());
  EXPECT_THAT(together(read("hidden: [./x]"), tenant("read_write: [/srv]")), IsEmpty());
  EXPECT_THAT(shown(compose(std::vector{tenant("read_write: [/srv]")})->grants), IsEmpty());
}

TEST(Grants, HidingBeatsThem) {
  const auto policy = read("read_write: [/srv, /srv/a/b, /opt]");
  EXPECT_THAT(shown(compose(std::vector{policy}, std::vector{read("hidden: [/srv/a, /opt]")})->grants),
              ElementsAre("w /srv"));
}

TEST(Grants, AUsersFileMayOnlyAskForLess) {
  const auto admin = read("read_write: [/srv], read_only: [/opt, /srv/fixed]", "admin.yaml");
  const auto ask = [&](std::string_view wish) {
    const auto result = compose(std::vector<Policy>{admin}, std::vector<Policy>{read(wish, "mine.yaml")});
    return result ? shown(result->grants) : std::vector{result.error().message()};
  };
  EXPECT_THAT(ask("hidden: [./x]"), ElementsAre("r /opt", "w /srv", "r /srv/fixed"));
  EXPECT_THAT(ask("read_write: [/srv/a]"), ElementsAre("w /srv/a"));
  EXPECT_THAT(ask("read_only: [/srv]"), ElementsAre("r /srv", "r /srv/fixed"));
  EXPECT_THAT(ask("read_write: [/srv]"), ElementsAre("w /srv", "r /srv/fixed"));
  EXPECT_THAT(ask("read_only: []"), IsEmpty());
  EXPECT_THAT(ask("read_write: [/srv/fixed/x]"),
              ElementsAre("mine.yaml:2:27: filesystem.read_write /srv/fixed/x is not granted, only to be read "
                          "(admin.yaml:2:52)"));
  EXPECT_THAT(ask("read_only: [/home/alice]"),
              ElementsAre("mine.yaml:2:26: filesystem.read_only /home/alice is not granted"));
  EXPECT_THAT(ask("read_only: ['/home/alice?']"), ElementsAre(HasSubstr("is not granted")));
}

TEST(Grants, AreSixtyFourAtMost) {
  const auto many = [](int count) {
    std::string list;
    for (int at = 0; at < count; ++at) list += (list.empty() ? "/srv/" : ", /srv/") + std::to_string(100 + at);
    const auto result = compose(std::vector{read("read_only: [" + list + "]")});
    return result ? "accepted" : result.error().message();
  };
  EXPECT_EQ(many(64), "accepted");
  EXPECT_THAT(many(65), HasSubstr(": more than 64 paths of the host are granted"));
}

TEST(Grants, OfTheHomeArePutThere) {
  const auto policy = read("read_write: [~/.x], read_only: ['~/y?', /srv], hidden: [~/.x/secret]");
  EXPECT_TRUE(names_home(policy));
  EXPECT_FALSE(names_home(read("read_write: [/srv]")));
  const auto at = at_home(policy, "/home/alice");
  ASSERT_TRUE(at);
  EXPECT_THAT(shown(at->grants), ElementsAre("w /home/alice/.x", "r /home/alice/y?", "r /srv"));
  EXPECT_EQ((*at->grants)[0].value.link, "~/.x");
  EXPECT_EQ((*at->grants)[2].value.link, "");
  EXPECT_EQ(at->hidden[0].value, "/home/alice/.x/secret");
}

TEST(Grants, OfAHomeThatIsNoneAreLeftOutOrRefused) {
  const auto optional = read("read_write: ['~/x?'], read_only: [/srv], hidden: [~/y]");
  const auto needed = read("read_write: [~/x]");
  for (const std::optional<std::string>& home :
       {std::optional<std::string>(), std::optional<std::string>(""), std::optional<std::string>("relative"),
        std::optional<std::string>("/home/../etc"), std::optional<std::string>("/home/a\nb")}) {
    const auto without = at_home(optional, home);
    ASSERT_TRUE(without);
    EXPECT_THAT(shown(without->grants), ElementsAre("r /srv"));
    EXPECT_THAT(without->hidden, IsEmpty());
    EXPECT_THAT(at_home(needed, home).error().message(),
                HasSubstr("p.yaml:2:27: filesystem.read_write: '~/x': no home"));
  }
  // However strange a home somebody has, what is never granted is not granted.
  for (const char* home : {"/", "/var", "/etc", "/run/user/1"}) {
    const auto at = at_home(read("read_write: [~/lib]"), home);
    EXPECT_FALSE(at) << home;
  }
  EXPECT_THAT(shown(at_home(needed, "/")->grants), ElementsAre("w /x"));
  EXPECT_THAT(at_home(read("read_write: [~/x], read_only: [/srv/a/x]"), "/srv/a").error().message(), HasSubstr("too"));
}

TEST(Grants, AreExplainedAndKept) {
  auto policy = *at_home(read("read_write: [~/.x], read_only: ['/srv?']"), "/home/alice");
  EXPECT_THAT(lines(policy), ElementsAre(Line{"filesystem.read_write", "/home/alice/.x", {"p.yaml", 2, 27}},
                                         Line{"filesystem.read_only", "/srv?", {"p.yaml", 2, 46}}));
  EXPECT_EQ(*decode(encode(policy)), policy);
}

}  // namespace
}  // namespace agentos::policy
