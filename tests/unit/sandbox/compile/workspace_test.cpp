#include <string>

#include <gmock/gmock.h>

#include "sandbox/compile/compile.hpp"

namespace agentos::sandbox {
namespace {

using testing::HasSubstr;

TEST(CheckWorkspace, TakesDirectoriesOfPeople) {
  for (const char* path : {"/home/alice/project", "/home/alice", "/root/project", "/srv/build", "/opt/thing", "/work",
                           "/tmp/build", "/var/tmp/x", "/home/agent/project", "/var/www", "/etcetera", "/usr2",
                           "/process", "/home/agents", "/mnt/d/with space/\xC3\xA4"}) {
    const auto checked = check_workspace(path);
    EXPECT_TRUE(checked) << path << ": " << checked.error().message();
  }
}

TEST(CheckWorkspace, RefusesWhatTheSystemIsMadeOf) {
  for (const std::string folder : {"/usr", "/etc", "/proc", "/sys", "/dev", "/bin", "/sbin", "/boot", "/run", "/lib",
                                   "/lib32", "/lib64", "/libx32", "/var/lib/agentos"}) {
    for (const std::string& path : {folder, folder + "/below", folder + "/far/below"}) {
      const auto checked = check_workspace(path);
      ASSERT_FALSE(checked) << path;
      EXPECT_EQ(checked.error().kind(), ErrorKind::forbidden) << path;
      EXPECT_THAT(checked.error().message(), HasSubstr("'" + path + "'"));
      EXPECT_FALSE(checked.error().hint().empty());
    }
  }
}

TEST(CheckWorkspace, RefusesWhatContainsTheSystemOrTheAgentsOwn) {
  for (const char* path : {"/", "/var", "/var/lib", "/tmp", "/var/tmp", "/home", "/home/agent"}) {
    const auto checked = check_workspace(path);
    ASSERT_FALSE(checked) << path;
    EXPECT_EQ(checked.error().kind(), ErrorKind::forbidden) << path;
  }
  EXPECT_THAT(check_workspace("/var/lib").error().message(), HasSubstr("contains /var/lib/agentos"));
  EXPECT_THAT(check_workspace("/home").error().message(), HasSubstr("would replace /home/agent"));
}

TEST(CheckWorkspace, RefusesPathsThatAreNotTheOnlyWayToWriteThem) {
  for (const char* path : {"", "relative", "./x", "~/x", "/home/alice/", "//", "//home", "/home//alice",
                           "/home/./alice", "/home/alice/..", "/home/../etc", "/..", "/."}) {
    const auto checked = check_workspace(path);
    ASSERT_FALSE(checked) << path;
    EXPECT_EQ(checked.error().kind(), ErrorKind::invalid) << path;
  }
}

TEST(CheckWorkspace, RefusesControlCharactersAndShowsThemEscaped) {
  for (const std::string& path : {std::string("/home/a\nb"), std::string("/home/a\x1b[2Jb"), std::string("/home/a\x7f"),
                                  std::string("/home/a\0b", 9)}) {
    const auto checked = check_workspace(path);
    ASSERT_FALSE(checked);
    EXPECT_EQ(checked.error().kind(), ErrorKind::invalid);
    EXPECT_THAT(checked.error().message(), HasSubstr("\\x"));
    EXPECT_EQ(checked.error().message().find('\x1b'), std::string::npos);
  }
}

TEST(CheckWorkspace, HasLimits) {
  std::string path = "/w";
  while (path.size() < 1024) path += "/" + std::string(std::min<std::size_t>(255, 1024 - path.size() - 1), 'x');
  ASSERT_EQ(path.size(), 1024U);
  EXPECT_TRUE(check_workspace(path));
  EXPECT_FALSE(check_workspace(path + "x"));
  EXPECT_TRUE(check_workspace("/w/" + std::string(255, 'x')));
  EXPECT_FALSE(check_workspace("/w/" + std::string(256, 'x')));
}

}  // namespace
}  // namespace agentos::sandbox
