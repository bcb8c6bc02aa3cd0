#include "workspace/content.hpp"

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <memory>

#include <gtest/gtest.h>

#include "agentos/base/fd.hpp"

namespace agentos::workspace {
namespace {

// A file without a name, on a file system with holes.
UniqueFd file(const std::string& content = {}) {
  char name[] = "/var/tmp/agentos-content-test-XXXXXX";
  UniqueFd fd(::mkstemp(name));
  ::unlink(name);
  EXPECT_EQ(::pwrite(fd.get(), content.data(), content.size(), 0), static_cast<ssize_t>(content.size()));
  return fd;
}

blkcnt_t blocks(int fd) {
  struct stat status{};
  ::fstat(fd, &status);
  return status.st_blocks;
}

TEST(Content, is_compared_to_the_last_byte) {
  std::string large(300000, 'x');
  const auto one = file(large);
  EXPECT_TRUE(same_content(one.get(), file(large).get()).value());
  EXPECT_FALSE(same_content(one.get(), file(large + "x").get()).value());
  large.back() = 'y';
  EXPECT_FALSE(same_content(one.get(), file(large).get()).value());
  EXPECT_TRUE(same_content(file().get(), file().get()).value());
}

TEST(Content, of_a_sparse_file_is_copied_as_one) {
  const auto from = file();
  constexpr off_t size = 1L << 36;  // reading it would take minutes
  ASSERT_EQ(::ftruncate(from.get(), size), 0);
  ASSERT_EQ(::pwrite(from.get(), "middle", 6, size / 2), 6);
  const auto to = file();
  ASSERT_TRUE(copy_content(from.get(), to.get()));
  struct stat status{};
  ASSERT_EQ(::fstat(to.get(), &status), 0);
  EXPECT_EQ(status.st_size, size);
  EXPECT_LE(blocks(to.get()), blocks(from.get()) + 8);
  EXPECT_TRUE(same_content(from.get(), to.get()).value());
  ASSERT_EQ(::pwrite(to.get(), "x", 1, size - 1), 1);
  EXPECT_FALSE(same_content(from.get(), to.get()).value());
}

TEST(Content, is_copied_between_file_systems) {
  const auto from = file(std::string(300000, 'z'));
  const UniqueFd to(::memfd_create("copy", MFD_CLOEXEC));
  ASSERT_TRUE(copy_content(from.get(), to.get()));
  EXPECT_TRUE(same_content(from.get(), to.get()).value());
}

TEST(Content, with_a_zero_byte_is_binary) {
  EXPECT_FALSE(looks_binary(file("text\xff\n").get()).value());
  EXPECT_TRUE(looks_binary(file(std::string("a\0b", 3)).get()).value());
  EXPECT_FALSE(looks_binary(file(std::string(8000, 'a') + '\0').get()).value()) << "git looks at the first 8000 bytes";
  EXPECT_FALSE(looks_binary(file().get()).value());
}

}  // namespace
}  // namespace agentos::workspace
