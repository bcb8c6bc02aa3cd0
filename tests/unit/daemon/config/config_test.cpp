#include "daemon/config/config.hpp"

#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace agentos::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Names table() {
  return {[](const std::string& user) -> std::optional<uid_t> {
            if (user == "root") return 0;
            if (user == "alice") return 1000;
            return std::nullopt;
          },
          [](const std::string& group) -> std::optional<gid_t> {
            return group == "agentos" ? std::optional<gid_t>(990) : std::nullopt;
          }};
}

Result<Loaded> parse(std::string_view yaml) {
  return parse_config(yaml, "a.yaml", table());
}

std::string errors(std::string_view yaml) {
  const auto loaded = parse(yaml);
  if (loaded) return "accepted";
  EXPECT_EQ(loaded.error().kind(), ErrorKind::invalid);
  return loaded.error().message();
}

constexpr std::string_view example = R"(# who may do what
version: 1
tenants:
  default:
    roles:
      admin:    {users: [root], groups: []}
      operator: {users: [], groups: [agentos]}
      viewer:   {}
      approver: {}
  acme:
    roles:
      operator:
        users:
          - alice
          - "1001"
          - 1002
)";

TEST(Config, ReadsTheExample) {
  const auto loaded = parse(example);
  ASSERT_TRUE(loaded) << loaded.error().message();
  EXPECT_THAT(loaded->warnings, IsEmpty());
  ASSERT_EQ(loaded->config.tenants.size(), 2U);
  const auto& first = loaded->config.tenants[0];
  EXPECT_EQ(first.name, "default");
  EXPECT_THAT(first.members(Role::admin).users, ElementsAre(0U));
  EXPECT_THAT(first.members(Role::operator_).groups, ElementsAre(990U));
  EXPECT_THAT(first.members(Role::viewer).users, IsEmpty());
  const auto* acme = loaded->config.tenant("acme");
  ASSERT_NE(acme, nullptr);
  EXPECT_THAT(acme->members(Role::operator_).users, ElementsAre(1000U, 1001U, 1002U));
  EXPECT_EQ(loaded->config.tenant("other"), nullptr);
}

TEST(Config, EmptyPartsGiveNobodyARole) {
  const auto loaded =
      parse("version: 1\ntenants:\n  a:\n  b: {roles: }\n  c: {roles: {admin: , viewer: {users: , groups: []}}}\n");
  ASSERT_TRUE(loaded) << loaded.error().message();
  for (const auto& tenant : loaded->config.tenants) {
    for (const Role role : all_roles)
      EXPECT_TRUE(tenant.members(role).users.empty() && tenant.members(role).groups.empty());
  }
}

TEST(Config, NamesThatNobodyHasAreWarnings) {
  const auto loaded =
      parse("version: 1\ntenants:\n  a:\n    roles:\n      admin: {users: [alice, carol], groups: [wheel]}\n");
  ASSERT_TRUE(loaded);
  EXPECT_THAT(loaded->config.tenants[0].members(Role::admin).users, ElementsAre(1000U));
  EXPECT_THAT(loaded->warnings,
              ElementsAre("a.yaml:5:30: there is no user 'carol' (create it and reload, or remove the line)",
                          "a.yaml:5:47: there is no group 'wheel' (create it and reload, or remove the line)"));
}

TEST(Config, AllErrorsComeAtOnceInTheOrderOfTheFile) {
  EXPECT_EQ(
      errors("version: 2\ntenants:\n  A b:\n    roles:\n      owner: {}\n      admin: {user: [root]}\ncolour: red\n"),
      "a.yaml:1:10: the version is not one that this program reads (write 'version: 1')\n"
      "a.yaml:3:3: 'A b' is not a name for a tenant (a-z, 0-9, _ and -, at most 63, starting with a letter or digit)\n"
      "a.yaml:5:7: unknown key 'owner' (known here: viewer, approver, operator, admin)\n"
      "a.yaml:6:15: unknown key 'user' (known here: users, groups)\n"
      "a.yaml:7:1: unknown key 'colour' (known here: version, tenants)");
}

TEST(Config, WhatIsMissingIsSaid) {
  EXPECT_THAT(errors(""), HasSubstr("the file must be a map"));
  EXPECT_THAT(errors("[]"), HasSubstr("a.yaml:1:1: the file must be a map"));
  EXPECT_THAT(errors("tenants: {a: {}}"), HasSubstr("'version' is missing"));
  EXPECT_THAT(errors("version: 1"), HasSubstr("'tenants' is missing"));
  EXPECT_THAT(errors("version: 1\ntenants:\n"), HasSubstr("a.yaml:2:1: there is no tenant"));
  EXPECT_THAT(errors("version: 1\ntenants: {}\n"), HasSubstr("a.yaml:2:1: there is no tenant"));
}

TEST(Config, WrongShapesAreRefused) {
  EXPECT_THAT(errors("version: 1\ntenants: [a]\n"), HasSubstr("a.yaml:2:10: 'tenants' must be a map"));
  EXPECT_THAT(errors("version: 1\ntenants: {a: {roles: {admin: [root]}}}"), HasSubstr("a role must be a map"));
  EXPECT_THAT(errors("version: 1\ntenants: {a: {roles: {admin: {users: root}}}}"),
              HasSubstr("must be a list of users"));
  EXPECT_THAT(errors("version: 1\ntenants: {a: {roles: {admin: {users: [[root]]}}}}"),
              HasSubstr("name or number of a user"));
  EXPECT_THAT(errors("version: 1\ntenants: {a: {roles: {admin: {users: [\"\"]}}}}"),
              HasSubstr("name or number of a user"));
  EXPECT_THAT(errors("version: 1\ntenants: {[a]: {}}"), HasSubstr("a key must be a word"));
}

TEST(Config, NumbersAreIds) {
  const auto with = [](std::string_view id) {
    return "version: 1\ntenants: {a: {roles: {admin: {users: [" + std::string(id) + "]}}}}";
  };
  EXPECT_EQ(errors(with("4294967294")), "accepted");
  EXPECT_THAT(errors(with("4294967295")), HasSubstr("too large"));  // -1
  EXPECT_THAT(errors(with("18446744073709551616")), HasSubstr("too large"));
  const auto negative = parse(with("-1"));
  ASSERT_TRUE(negative);  // the name of a user that there is not
  EXPECT_THAT(negative->config.tenants[0].members(Role::admin).users, IsEmpty());
}

TEST(Config, DuplicateKeysAreRefused) {
  EXPECT_EQ(errors("version: 1\ntenants:\n  a: {}\n  b: {}\n"), "accepted");
  EXPECT_EQ(errors("version: 1\ntenants:\n  a: {}\n  a: {}\n"),
            "a.yaml:4:3: 'a' stands twice (the first is in line 3)");
  EXPECT_THAT(errors("version: 1\nversion: 1\ntenants: {a: {}}\n"), HasSubstr("a.yaml:2:1: 'version' stands twice"));
  EXPECT_THAT(errors("version: 1\ntenants: {a: {roles: {admin: {users: [], users: [root]}}}}"),
              HasSubstr("stands twice"));
}

TEST(Config, AnchorsAliasesTagsAndMergesAreRefused) {
  EXPECT_THAT(errors("version: 1\ntenants:\n  a: &x {}\n"), HasSubstr("a.yaml:3:6: anchor '&x' is not allowed"));
  EXPECT_THAT(errors("version: 1\ntenants:\n  a: &x {}\n  b: *x\n"), HasSubstr("a.yaml:4:6: an alias is not allowed"));
  EXPECT_THAT(errors("version: !!int 1\ntenants: {a: {}}\n"), HasSubstr("is not allowed (remove it)"));
  EXPECT_THAT(errors("version: 1\ntenants: !python/object {a: {}}\n"), HasSubstr("is not allowed (remove it)"));
  EXPECT_THAT(errors("version: 1\ntenants:\n  a:\n    <<: {roles: {}}\n"), HasSubstr("unknown key '<<'"));
}

TEST(Config, OneDocumentOnly) {
  EXPECT_EQ(errors("---\nversion: 1\ntenants: {a: {}}\n...\n"), "accepted");
  EXPECT_THAT(errors("version: 1\ntenants: {a: {}}\n---\nversion: 1\n"), HasSubstr("a second document"));
}

TEST(Config, BrokenYamlSaysWhere) {
  EXPECT_THAT(errors("version: 1\ntenants: {a: \n"), HasSubstr("a.yaml:3:1: cannot be read as YAML"));
  EXPECT_THAT(errors("version: 1\n\ttenants: {}\n"), HasSubstr("a.yaml:2:"));
  EXPECT_THAT(errors("version: 1\ntenants: {a: *nothing}\n"), HasSubstr("a.yaml:2:14"));
}

TEST(Config, SizeAndDepthHaveLimits) {
  const std::string good(example);
  EXPECT_EQ(errors(good + std::string(max_config_bytes - good.size(), '\n')), "accepted");
  EXPECT_THAT(errors(good + std::string(max_config_bytes - good.size() + 1, '\n')), HasSubstr("longer than"));
  EXPECT_THAT(errors("version: 1\ntenants: " + std::string(31, '[') + std::string(31, ']')),
              testing::Not(HasSubstr("deeper")));
  EXPECT_THAT(errors("version: 1\ntenants: " + std::string(32, '[') + std::string(32, ']')),
              HasSubstr("deeper than 32"));
  EXPECT_THAT(errors(std::string(max_config_bytes / 2, '[')), HasSubstr("deeper"));
}

TEST(Config, HostileTextIsNeutralInMessages) {
  EXPECT_THAT(errors("version: 1\n\"\\e[2J\": 1\ntenants: {a: {}}"), HasSubstr("unknown key '\\x1b[2J'"));
}

TEST(LoadConfig, ReadsAFileAndSaysWhatToDoWhenThereIsNone) {
  std::string folder = "/tmp/agentos-config-XXXXXX";
  ASSERT_NE(::mkdtemp(folder.data()), nullptr);
  const std::string file = folder + "/agentos.yaml";
  const auto missing = load_config(file, table());
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().kind(), ErrorKind::not_found);
  EXPECT_THAT(missing.error().message(), HasSubstr(file));
  EXPECT_THAT(missing.error().hint(), HasSubstr(std::string(packaged_config)));
  std::ofstream(file) << example;
  EXPECT_TRUE(load_config(file, table()));
  std::ofstream(file) << "version: 1";
  EXPECT_THAT(load_config(file, table()).error().message(), HasSubstr(file + ":1:1: 'tenants' is missing"));
  std::ofstream(file) << std::string(max_config_bytes + 1, '\n');
  EXPECT_FALSE(load_config(file, table()));
  std::remove(file.c_str());
  ::rmdir(folder.c_str());
}

TEST(SystemNames, KnowTheSystemsUsers) {
  const auto names = system_names();
  EXPECT_EQ(names.user("root"), std::optional<uid_t>(0));
  EXPECT_EQ(names.group("root"), std::optional<gid_t>(0));
  EXPECT_EQ(names.user("nobody-has-this-name"), std::nullopt);
}

}  // namespace
}  // namespace agentos::config
