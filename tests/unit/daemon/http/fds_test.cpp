#include <fcntl.h>
#include <sys/stat.h>

#include <condition_variable>

#include <boost/asio/awaitable.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <gmock/gmock.h>

#include "daemon/http/connection.hpp"
#include "daemon/http/fd_disposal.hpp"
#include "fixture.hpp"

// Descriptors beside requests and responses: each reaches the right one, and none stays.
namespace agentos::http {
namespace {

using boost::asio::awaitable;

UniqueFd folder(const char* path, int flags = O_PATH | O_DIRECTORY) {
  return UniqueFd(::open(path, flags | O_CLOEXEC));
}

ino_t inode(int fd) {
  struct stat status{};
  return ::fstat(fd, &status) == 0 ? status.st_ino : 0;
}

class Descriptors : public ServerTest {
 protected:
  Descriptors() {
    // Says the inodes of what came.
    router.add("POST", "/look", [](Request& request) -> awaitable<Result<Response>> {
      boost::json::array inodes;
      for (const auto& fd : request.fds) {
        if ((::fcntl(fd.get(), F_GETFD) & FD_CLOEXEC) == 0) co_return fail(ErrorKind::internal, "not close-on-exec");
        inodes.emplace_back(inode(fd.get()));
      }
      co_return Response{200, std::move(inodes), {}};
    });
    // Sends back the first one, or the root directory, beside a large body.
    router.add("POST", "/take", [](Request& request) -> awaitable<Result<Response>> {
      UniqueFd fd = request.fds.empty() ? folder("/") : std::move(request.fds.front());
      co_return Response{200, boost::json::string(std::string(512 << 10, 'x')), std::move(fd)};
    });
  }

  static std::string inodes(const std::vector<const UniqueFd*>& fds) {
    boost::json::array list;
    for (const auto* fd : fds) list.emplace_back(inode(fd->get()));
    return boost::json::serialize(list);
  }
};

TEST_F(Descriptors, ComeWithTheirRequest) {
  start();
  const auto root = folder("/");
  const auto usr = folder("/usr", O_RDONLY | O_DIRECTORY);
  auto client = this->client();
  EXPECT_EQ(client.ask("POST", "/look", "1", {root.get(), usr.get()}).body, inodes({&root, &usr}));
  EXPECT_EQ(client.ask("POST", "/look", "1").body, "[]");
  EXPECT_EQ(client.ask("POST", "/look", "1", {usr.get()}).body, inodes({&usr}));
}

TEST_F(Descriptors, ReachTheRightOneOfPipelinedRequests) {
  const auto root = folder("/");
  const auto usr = folder("/usr");
  const auto etc = folder("/etc");
  start();
  auto client = this->client();
  const std::string look = Client::request("POST", "/look", "1");
  client.send(look);
  client.send(look, {root.get()});
  client.send(look);
  client.send(look);
  client.send(look, {usr.get(), etc.get()});
  EXPECT_EQ(client.answer().body, "[]");
  EXPECT_EQ(client.answer().body, inodes({&root}));
  EXPECT_EQ(client.answer().body, "[]");
  EXPECT_EQ(client.answer().body, "[]");
  EXPECT_EQ(client.answer().body, inodes({&usr, &etc}));
}

TEST_F(Descriptors, ComeWithARequestInPieces) {
  start();
  const auto root = folder("/");
  auto client = this->client();
  const std::string look = Client::request("POST", "/look", "1");
  client.send(look.substr(0, 1), {root.get()});
  for (const char c : look.substr(1)) client.send(std::string(1, c));
  EXPECT_EQ(client.answer().body, inodes({&root}));
}

TEST_F(Descriptors, GoWithTheFirstByteOfTheResponse) {
  start();
  const auto usr = folder("/usr");
  auto client = this->client();
  for (int i = 0; i < 3; ++i) {
    client.send(Client::request("POST", "/take", "1"), {usr.get()});
    const auto answer = client.answer();
    EXPECT_EQ(answer.body.size(), (512U << 10) + 2);
    ASSERT_EQ(answer.fds.size(), 1U);
    EXPECT_EQ(inode(answer.fds[0].get()), inode(usr.get()));
  }
}

TEST_F(Descriptors, SixtyFiveAreTheMost) {
  start();
  const auto root = folder("/");
  const std::vector<int> most(65, root.get());
  const std::vector<int> more(66, root.get());
  auto client = this->client();
  EXPECT_EQ(client.ask("POST", "/look", "1", most).status, 200U);
  const auto answer = client.ask("POST", "/look", "1", more);
  EXPECT_EQ(answer.status, 400U);
  EXPECT_THAT(answer.body, testing::HasSubstr("more than 65 descriptors"));
  // Not in pieces either.
  auto piecemeal = this->client();
  piecemeal.send("P", most);
  piecemeal.send("OST /look HTTP/1.1\r\n\r\n", {root.get()});
  EXPECT_EQ(piecemeal.answer().status, 400U);
}

TEST_F(Descriptors, WhatMayBlockWhenClosedIsRefused) {
  start();
  const auto file = folder("/proc/self/status", O_RDONLY);
  const auto path = folder("/proc/self/status", O_PATH);
  EXPECT_EQ(client().ask("POST", "/look", "1", {path.get()}).status, 200U);
  const auto answer = client().ask("POST", "/look", "1", {file.get()});
  EXPECT_EQ(answer.status, 400U);
  EXPECT_THAT(answer.body, testing::HasSubstr("O_PATH"));
}

TEST_F(Descriptors, NoneIsLeftWhateverHappens) {
  start();
  const auto root = folder("/");
  const auto file = folder("/proc/self/status", O_RDONLY);
  client().ask("POST", "/look", "1", {root.get()});
  ASSERT_TRUE(eventually([&] { return connections() == 0; }));
  const std::size_t before = open_fds();
  const std::vector<int> more(66, root.get());
  for (int i = 0; i < 20; ++i) {
    client().ask("POST", "/look", "1", {root.get(), root.get()});
    client().ask("POST", "/take", "1", {root.get(), root.get()});
    client().ask("GET", "/nothing", "", {root.get()});
    client().ask("POST", "/look", "{", {root.get()});
    client().ask("POST", "/look", "1", more);
    client().ask("POST", "/look", "1", {root.get(), file.get()});
    client().send("GET /half", {root.get()});  // and closes
    client().send("nonsense\r\n\r\n", {root.get()});
    auto unread = client();
    unread.send(Client::request("POST", "/take", "1"), {root.get()});  // closes with the answer unread
  }
  EXPECT_TRUE(eventually([&] { return connections() == 0 && open_fds() == before; }))
      << open_fds() << " and there were " << before;
}

// A descriptor whose close(2) blocks, as a file of a FUSE program that does not answer.
class Gate {
 public:
  void close(int fd) {
    std::unique_lock lock(mutex_);
    open_.wait(lock, [this] { return is_open_; });
    ::close(fd);
  }
  void open() {
    const std::lock_guard lock(mutex_);
    is_open_ = true;
    open_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable open_;
  bool is_open_{false};
};

TEST(FdDisposal, AStuckCloseHoldsUpNobodyAndItsOwnerOnlyALittle) {
  const auto gate = std::make_shared<Gate>();
  FdDisposal disposal([gate](int fd) { gate->close(fd); });
  const std::size_t before = open_fds();
  for (unsigned i = 0; i < FdDisposal::max_waiting_of_uid; ++i) {
    EXPECT_TRUE(disposal.accepts(7));
    disposal.dispose(7, folder("/proc/self/status", O_RDONLY));
  }
  EXPECT_FALSE(disposal.accepts(7));
  EXPECT_TRUE(disposal.accepts(8));
  disposal.dispose(8, folder("/proc/self/status", O_RDONLY));
  gate->open();
  EXPECT_TRUE(eventually([&] { return disposal.accepts(7) && open_fds() == before; }));
}

TEST(FdDisposal, KnowsWhatClosesAtOnce) {
  EXPECT_TRUE(FdDisposal::closes_at_once(folder("/", O_PATH).get()));
  EXPECT_TRUE(FdDisposal::closes_at_once(folder("/", O_RDONLY | O_DIRECTORY).get()));
  EXPECT_TRUE(FdDisposal::closes_at_once(folder("/proc/self/status", O_PATH).get()));
  EXPECT_FALSE(FdDisposal::closes_at_once(folder("/proc/self/status", O_RDONLY).get()));
  EXPECT_FALSE(FdDisposal::closes_at_once(-1));
}

}  // namespace
}  // namespace agentos::http
