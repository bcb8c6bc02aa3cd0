#include "os/socket.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

namespace agentos::os {
namespace {

std::size_t open_descriptors() {
  const std::filesystem::directory_iterator entries("/proc/self/fd");
  return static_cast<std::size_t>(std::distance(begin(entries), end(entries)));
}

TEST(Packets, carry_bytes_and_descriptors) {
  auto [left, right] = *socket_pair(SOCK_SEQPACKET);
  int pipe_ends[2];
  ASSERT_EQ(::pipe2(pipe_ends, O_CLOEXEC), 0);
  ASSERT_TRUE(send_packet(left.get(), "hello", pipe_ends));
  ::close(pipe_ends[0]);
  ::close(pipe_ends[1]);
  const auto packet = receive_packet(right.get(), 100);
  ASSERT_TRUE(packet);
  EXPECT_EQ(packet->bytes, "hello");
  ASSERT_EQ(packet->fds.size(), 2U);
  EXPECT_EQ(::fcntl(packet->fds[0].get(), F_GETFD), FD_CLOEXEC);
  char byte{};
  ASSERT_EQ(::write(packet->fds[1].get(), "x", 1), 1);
  EXPECT_EQ(::read(packet->fds[0].get(), &byte, 1), 1);
}

TEST(Packets, what_is_too_long_is_refused_and_its_descriptors_closed) {
  auto [left, right] = *socket_pair(SOCK_SEQPACKET);
  const int standard_input = 0;
  const auto before = open_descriptors();
  ASSERT_TRUE(send_packet(left.get(), "more than five", std::span(&standard_input, 1)));
  EXPECT_EQ(receive_packet(right.get(), 5).error().kind(), ErrorKind::invalid);
  EXPECT_EQ(open_descriptors(), before);
}

TEST(Packets, the_end_and_a_full_socket_are_told_apart) {
  auto [left, right] = *socket_pair(SOCK_SEQPACKET, SOCK_NONBLOCK);
  EXPECT_EQ(receive_packet(right.get(), 10).error().number(), EAGAIN);
  Result<> sent{};
  while (sent) sent = send_packet(left.get(), std::string(1000, 'x'));
  EXPECT_EQ(sent.error().number(), EAGAIN);
  right.reset();
  EXPECT_EQ(send_packet(left.get(), "x").error().kind(), ErrorKind::unavailable);
}

class Listening : public ::testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/agentos-socket-test-XXXXXX";
    ASSERT_NE(::mkdtemp(name), nullptr);
    folder_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  std::string folder_;
};

TEST_F(Listening, a_stale_socket_is_replaced_and_a_live_one_is_not) {
  const std::string path = folder_ + "/s";
  auto first = listen_unix(path, SOCK_SEQPACKET, 0600);
  ASSERT_TRUE(first);
  EXPECT_EQ(listen_unix(path, SOCK_SEQPACKET, 0600).error().kind(), ErrorKind::exists);
  first->reset();
  const auto second = listen_unix(path, SOCK_SEQPACKET, 0660);
  ASSERT_TRUE(second) << second.error().message();
  struct stat status{};
  ASSERT_EQ(::stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0660U);
  EXPECT_EQ(peer_credentials(connect_unix(path, SOCK_SEQPACKET)->get())->uid, ::getuid());
}

TEST_F(Listening, other_files_are_left_alone) {
  std::ofstream(folder_ + "/file") << "precious";
  EXPECT_EQ(listen_unix(folder_ + "/file", SOCK_SEQPACKET, 0600).error().kind(), ErrorKind::exists);
  EXPECT_TRUE(std::filesystem::exists(folder_ + "/file"));
  EXPECT_EQ(listen_unix(std::string(200, 'x'), SOCK_SEQPACKET, 0600).error().kind(), ErrorKind::invalid);
}

}  // namespace
}  // namespace agentos::os
