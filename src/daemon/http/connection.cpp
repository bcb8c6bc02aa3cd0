#include "daemon/http/connection.hpp"

#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace agentos::http {

namespace asio = boost::asio;

Result<Peer> peer_of(int socket) {
  ucred credentials{};
  socklen_t size = sizeof credentials;
  if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) return fail_errno("peer credentials");
  Peer peer{credentials.uid, credentials.gid, credentials.pid, {}};
  size = 0;
  if (::getsockopt(socket, SOL_SOCKET, SO_PEERGROUPS, nullptr, &size) != 0) {
    if (errno != ERANGE) return fail_errno("peer groups");
    peer.groups.resize(size / sizeof(gid_t));
    if (::getsockopt(socket, SOL_SOCKET, SO_PEERGROUPS, peer.groups.data(), &size) != 0)
      return fail_errno("peer groups");
  }
  return peer;
}

Connection::Connection(const asio::any_io_executor& executor, UniqueFd socket, Peer peer, FdDisposal& disposal)
    : socket_(executor, socket.release()), timer_(executor), peer_(std::move(peer)), disposal_(disposal) {}

asio::awaitable<Connection::Io> Connection::receive() {
  for (;;) {
    bool nothing = false;
    const Io io = read_some(nothing);
    if (!nothing) co_return io;
    if (late_) co_return Io::late;
    boost::system::error_code error;
    co_await socket_.async_wait(asio::posix::stream_descriptor::wait_read,
                                asio::redirect_error(asio::use_awaitable, error));
    if (late_) co_return Io::late;
    if (error) co_return Io::closed;
  }
}

Connection::Io Connection::read_some(bool& nothing) {
  static std::array<char, 64 << 10> buffer;  // one thread reads: connections that wait hold no buffer
  iovec part{buffer.data(), buffer.size()};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(max_request_fds * sizeof(int))> control{};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  // Without room for them the kernel drops descriptors and never installs them here.
  if (disposal_.accepts(peer_.uid)) {
    message.msg_control = control.data();
    message.msg_controllen = control.size();
  }
  ssize_t count = 0;
  do count = ::recvmsg(socket_.native_handle(), &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
  while (count < 0 && errno == EINTR);
  if (count < 0) {
    nothing = errno == EAGAIN;
    return Io::closed;
  }
  std::vector<UniqueFd> fds;
  for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr; header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t number = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < number; ++i) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(header) + i * sizeof(int), sizeof fd);
      fds.emplace_back(fd);
    }
  }
  if (count == 0) return Io::closed;
  input_.append(buffer.data(), static_cast<std::size_t>(count));
  received_ += static_cast<std::uint64_t>(count);
  return keep(std::move(fds), (message.msg_flags & MSG_CTRUNC) != 0);
}

Connection::Io Connection::keep(std::vector<UniqueFd> fds, bool truncated) {
  bool strange = false;
  for (auto& fd : fds) {
    if (FdDisposal::closes_at_once(fd.get())) continue;
    strange = true;
    disposal_.dispose(peer_.uid, std::move(fd));
  }
  if (strange) {
    refusal_ =
        Error(ErrorKind::invalid, "a descriptor beside the request is neither a directory nor opened with O_PATH",
              "open it with O_PATH");
    return Io::refused;
  }
  if (truncated || arrivals_.size() + fds.size() > max_request_fds) {
    refusal_ = Error(ErrorKind::invalid, "more than " + std::to_string(max_request_fds) +
                                             " descriptors, or none is taken from this user now");
    return Io::refused;
  }
  for (auto& fd : fds) arrivals_.push_back({received_, std::move(fd)});
  return Io::ok;
}

// The kernel ends a read behind the bytes that descriptors came with, but may put plain bytes before them in the same
// read. So they belong to the request that holds the read's last byte, and a sender puts no two requests into one
// message.
std::vector<UniqueFd> Connection::take_fds() {
  const std::uint64_t taken = received_ - input_.size();
  std::vector<UniqueFd> fds;
  for (auto& arrival : arrivals_) {
    if (arrival.end <= taken) fds.push_back(std::move(arrival.fd));
  }
  std::erase_if(arrivals_, [](const Arrival& arrival) { return !arrival.fd; });
  return fds;
}

asio::awaitable<Connection::Io> Connection::send(std::string_view bytes, int fd, std::chrono::milliseconds time) {
  if (time.count() > 0) set_deadline(time);
  while (!bytes.empty()) {
    iovec part{const_cast<char*>(bytes.data()), bytes.size()};
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    if (fd >= 0) {
      message.msg_control = control.data();
      message.msg_controllen = control.size();
      cmsghdr* header = CMSG_FIRSTHDR(&message);
      header->cmsg_level = SOL_SOCKET;
      header->cmsg_type = SCM_RIGHTS;
      header->cmsg_len = CMSG_LEN(sizeof fd);
      std::memcpy(CMSG_DATA(header), &fd, sizeof fd);
    }
    const ssize_t sent = ::sendmsg(socket_.native_handle(), &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent > 0) {
      fd = -1;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
      if (time.count() > 0 && !bytes.empty()) set_deadline(time);
      continue;
    }
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0 && errno != EAGAIN) co_return Io::closed;
    boost::system::error_code error;
    co_await socket_.async_wait(asio::posix::stream_descriptor::wait_write,
                                asio::redirect_error(asio::use_awaitable, error));
    if (time.count() > 0 && late_) co_return Io::late;
    if (error) co_return Io::closed;
  }
  if (time.count() > 0) clear_deadline();
  co_return Io::ok;
}

void Connection::try_send(std::string_view bytes) {
  // A unix socket takes a message this small whole or not at all.
  static_cast<void>(::send(socket_.native_handle(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT));
}

void Connection::set_deadline(std::chrono::milliseconds time) {
  clear_deadline();
  timer_.expires_after(time);
  timer_.async_wait([weak = weak_from_this(), number = deadline_](boost::system::error_code error) {
    const auto self = weak.lock();
    if (error || !self || self->deadline_ != number) return;
    self->late_ = true;
    self->socket_.cancel();
  });
}

void Connection::clear_deadline() {
  late_ = false;
  ++deadline_;
  timer_.cancel();
}

void Connection::shut_down(int how) {
  ::shutdown(socket_.native_handle(), how);
}

asio::awaitable<void> Connection::closed(std::shared_ptr<Connection> connection) {
  // wait_error: EPOLLHUP, which a unix socket has when both directions are shut.
  boost::system::error_code error;
  co_await connection->socket_.async_wait(asio::posix::stream_descriptor::wait_error,
                                          asio::redirect_error(asio::use_awaitable, error));
}

}  // namespace agentos::http
