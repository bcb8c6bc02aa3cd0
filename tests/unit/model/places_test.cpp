#include "agentos/model/places.hpp"

#include <string>

#include <gtest/gtest.h>

namespace agentos {
namespace {

TEST(Places, IsWithinKnowsNamesFromTheirBeginnings) {
  EXPECT_TRUE(is_within("/a/b", "/a"));
  EXPECT_TRUE(is_within("/a", "/a"));
  EXPECT_TRUE(is_within("/a", "/"));
  EXPECT_FALSE(is_within("/ab", "/a"));
  EXPECT_FALSE(is_within("/a", "/a/b"));
}

TEST(Places, WhatBelongsToTheSystemIsNeverGiven) {
  for (const std::string folder : {"/usr", "/etc", "/proc", "/sys", "/dev", "/bin", "/sbin", "/boot", "/run",
                                   "/var/run", "/lib", "/lib64", "/var/lib/agentos", "/var/lib/agentos-spawnd"}) {
    for (const auto& path : {folder, folder + "/below"}) {
      EXPECT_TRUE(is_of_the_system(path)) << path;
      EXPECT_EQ(fault_of_place(path), "belongs to the system") << path;
    }
    EXPECT_EQ(fault_of_place("/srv" + folder), "") << folder;
  }
}

TEST(Places, NorWhatContainsItOrWhatEveryAgentHas) {
  EXPECT_EQ(fault_of_place("/"), "is the whole file system");
  EXPECT_EQ(fault_of_place("/var"), "contains /var/run, which belongs to the system");
  EXPECT_EQ(fault_of_place("/var/lib"), "contains /var/lib/agentos, which belongs to the system");
  for (const char* path : {"/tmp", "/var/tmp", "/home", "/home/agent"})
    EXPECT_NE(fault_of_place(path).find("which every agent has for itself"), std::string::npos) << path;
  for (const char* path : {"/tmp/x", "/var/tmp/x", "/home/agent/x", "/home/alice", "/root", "/opt", "/srv", "/mnt/disk",
                           "/var/www", "/etcetera", "/usr2", "/runs"})
    EXPECT_EQ(fault_of_place(path), "") << path;
}

}  // namespace
}  // namespace agentos
