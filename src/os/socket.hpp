#pragma once

#include <sys/socket.h>
#include <sys/types.h>

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "agentos/base/fd.hpp"
#include "agentos/base/result.hpp"

// Unix sockets that carry packets and descriptors.
namespace agentos::os {

constexpr std::size_t packet_fds_max = 72;  // what starts an agent, and what it is granted

struct Packet {
  std::string bytes;
  std::vector<UniqueFd> fds;
};

// All descriptors are close-on-exec. `flags`: SOCK_NONBLOCK or 0.
[[nodiscard]] Result<UniqueFd> connect_unix(const std::string& path, int type, int flags = 0);
// Binds and listens with this mode. A socket file that nobody listens on is replaced; one that answers is
// ErrorKind::exists.
[[nodiscard]] Result<UniqueFd> listen_unix(const std::string& path, int type, mode_t mode, int flags = 0);
[[nodiscard]] Result<std::pair<UniqueFd, UniqueFd>> socket_pair(int type, int flags = 0);

// One packet with its descriptors. errno EAGAIN (Error::number) when a non-blocking socket is full. Never SIGPIPE.
[[nodiscard]] Result<> send_packet(int socket, std::string_view bytes, std::span<const int> fds = {});
// ErrorKind::unavailable with number 0 at the end of the stream; number EAGAIN when there is none yet. A packet longer
// than `limit` or with more descriptors than packet_fds_max is ErrorKind::invalid, and its descriptors are closed.
[[nodiscard]] Result<Packet> receive_packet(int socket, std::size_t limit);

[[nodiscard]] Result<ucred> peer_credentials(int socket);
// Who made the connection that somebody else shows. Of a socket that its holder connected itself, the peer's
// credentials are those of whoever listens there (root, at many sockets that all may connect to): that is forbidden,
// and so are sockets of other kinds.
[[nodiscard]] Result<ucred> client_credentials(int socket);

}  // namespace agentos::os
