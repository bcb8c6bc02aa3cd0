#include "os/socket.hpp"

#include <sys/stat.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>

namespace agentos::os {
namespace {

Result<sockaddr_un> address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof address.sun_path) {
    return fail(ErrorKind::invalid, "socket path '" + path + "' is empty or longer than 107 bytes");
  }
  std::ranges::copy(path, address.sun_path);
  return address;
}

}  // namespace

Result<UniqueFd> connect_unix(const std::string& path, int type, int flags) {
  const auto address = AGENTOS_TRY(address_of(path));
  UniqueFd socket(::socket(AF_UNIX, type | SOCK_CLOEXEC | flags, 0));
  if (!socket) return fail_errno("socket");
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return fail_errno("connect to " + path);
  }
  return socket;
}

Result<UniqueFd> listen_unix(const std::string& path, int type, mode_t mode, int flags) {
  const auto address = AGENTOS_TRY(address_of(path));
  // EAGAIN: somebody listens and is too busy to accept. EPROTOTYPE: somebody listens on a socket of another type.
  const auto other = connect_unix(path, type, SOCK_NONBLOCK);
  if (other || other.error().number() == EAGAIN || other.error().number() == EPROTOTYPE) {
    return fail(ErrorKind::exists, path + " is in use by a running daemon", "stop it first, or choose another socket");
  }
  struct stat status{};
  if (::lstat(path.c_str(), &status) == 0) {
    if (!S_ISSOCK(status.st_mode)) return fail(ErrorKind::exists, path + " exists and is not a socket", "remove it");
    if (::unlink(path.c_str()) != 0) return fail_errno("remove stale socket " + path);
  }
  UniqueFd socket(::socket(AF_UNIX, type | SOCK_CLOEXEC | flags, 0));
  if (!socket) return fail_errno("socket");
  // fchmod before bind sets the mode of the file that bind makes: there is no moment with a wider one.
  if (::fchmod(socket.get(), mode) != 0) return fail_errno("mode of socket " + path);
  const mode_t mask = ::umask(0);
  const int bound = ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
  const int number = errno;
  ::umask(mask);
  if (bound != 0) return fail_errno(number, "bind " + path);
  if (::listen(socket.get(), SOMAXCONN) != 0) return fail_errno("listen on " + path);
  return socket;
}

Result<std::pair<UniqueFd, UniqueFd>> socket_pair(int type, int flags) {
  int ends[2];
  if (::socketpair(AF_UNIX, type | SOCK_CLOEXEC | flags, 0, ends) != 0) return fail_errno("socketpair");
  return std::pair{UniqueFd(ends[0]), UniqueFd(ends[1])};
}

Result<> send_packet(int socket, std::string_view bytes, std::span<const int> fds) {
  AGENTOS_ASSERT(fds.size() <= packet_fds_max);
  iovec part{const_cast<char*>(bytes.data()), bytes.size()};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(packet_fds_max * sizeof(int))> control{};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  if (!fds.empty()) {
    message.msg_control = control.data();
    message.msg_controllen = CMSG_SPACE(fds.size_bytes());
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(fds.size_bytes());
    std::memcpy(CMSG_DATA(header), fds.data(), fds.size_bytes());
  }
  ssize_t sent = 0;
  do sent = ::sendmsg(socket, &message, MSG_NOSIGNAL);
  while (sent < 0 && errno == EINTR);
  if (sent < 0) return fail_errno("send");
  if (static_cast<std::size_t>(sent) != bytes.size()) return fail(ErrorKind::internal, "packet sent in part");
  return {};
}

Result<Packet> receive_packet(int socket, std::size_t limit) {
  Packet packet;
  packet.bytes.resize(limit);
  iovec part{packet.bytes.data(), packet.bytes.size()};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(packet_fds_max * sizeof(int))> control{};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  ssize_t count = 0;
  do count = ::recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
  while (count < 0 && errno == EINTR);
  if (count < 0) return fail_errno("receive");
  for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr; header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t fds = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < fds; ++i) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(header) + i * sizeof(int), sizeof fd);
      packet.fds.emplace_back(fd);
    }
  }
  if (count == 0 && packet.fds.empty()) return fail(ErrorKind::unavailable, "the other side has closed the connection");
  if ((message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0) {
    return fail(ErrorKind::invalid,
                "packet longer than " + std::to_string(limit) + " bytes or with too many descriptors");
  }
  packet.bytes.resize(static_cast<std::size_t>(count));
  return packet;
}

Result<ucred> peer_credentials(int socket) {
  ucred peer{};
  socklen_t size = sizeof peer;
  if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return fail_errno("peer credentials");
  return peer;
}

Result<ucred> client_credentials(int socket) {
  const auto option = [&](int name) {
    int value = -1;
    socklen_t size = sizeof value;
    return ::getsockopt(socket, SOL_SOCKET, name, &value, &size) == 0 ? value : -1;
  };
  if (option(SO_DOMAIN) != AF_UNIX || option(SO_TYPE) != SOCK_STREAM || option(SO_ACCEPTCONN) != 0)
    return fail(ErrorKind::invalid, "what should show the caller is not a connected unix stream socket");
  // The kernel lets nobody listen on a socket without a name, and what is accepted there has that name. So a peer
  // without one has not accepted this connection: it has made it.
  sockaddr_un peer{};
  socklen_t size = sizeof peer;
  if (::getpeername(socket, reinterpret_cast<sockaddr*>(&peer), &size) != 0) return fail_errno("name of the caller");
  if (size > offsetof(sockaddr_un, sun_path)) {
    return fail(ErrorKind::forbidden, "the socket at the other end of the caller's connection has a name",
                "connect with a socket that is not bound");
  }
  return peer_credentials(socket);
}

}  // namespace agentos::os
