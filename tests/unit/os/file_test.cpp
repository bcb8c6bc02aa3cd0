#include "os/file.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

namespace agentos::os {
namespace {

class Files : public ::testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/agentos-file-test-XXXXXX";
    ASSERT_NE(::mkdtemp(name), nullptr);
    folder_ = name;
    directory_.reset(::open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string folder_;
  UniqueFd directory_;
};

TEST_F(Files, reading_has_a_limit) {
  std::ofstream(folder_ + "/ten") << "0123456789";
  EXPECT_EQ(read_file(directory_.get(), "ten", 10), "0123456789");
  EXPECT_EQ(read_file(directory_.get(), "ten", 9).error().kind(), ErrorKind::exhausted);
  EXPECT_EQ(read_file(directory_.get(), "none").error().kind(), ErrorKind::not_found);
}

TEST_F(Files, open_beneath_follows_no_link_and_never_climbs) {
  std::filesystem::create_directory(folder_ + "/in");
  std::ofstream(folder_ + "/in/file") << "x";
  std::filesystem::create_symlink("in", folder_ + "/link");
  EXPECT_TRUE(open_beneath(directory_.get(), "in/file", O_RDONLY));
  EXPECT_FALSE(open_beneath(directory_.get(), "link/file", O_RDONLY));
  EXPECT_FALSE(open_beneath(directory_.get(), "in/../../etc/passwd", O_RDONLY));
  EXPECT_FALSE(open_beneath(directory_.get(), "/etc/passwd", O_RDONLY));
}

TEST_F(Files, sealed_memory_cannot_be_changed) {
  const auto memory = sealed_memory("test", "content");
  ASSERT_TRUE(memory);
  EXPECT_EQ(read_sealed(memory->get(), 100), "content");
  EXPECT_EQ(::pwrite(memory->get(), "x", 1, 0), -1);
  EXPECT_EQ(::ftruncate(memory->get(), 0), -1);
  EXPECT_EQ(read_sealed(memory->get(), 3).error().kind(), ErrorKind::exhausted);
  const UniqueFd open(::memfd_create("open", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  EXPECT_FALSE(read_sealed(open.get(), 100)) << "could change while it is read";
}

}  // namespace
}  // namespace agentos::os
