#pragma once

#include <sys/types.h>

#include <vector>

namespace agentos::http {

// Who is at the other end of the socket: SO_PEERCRED and SO_PEERGROUPS of the connection.
struct Peer {
  uid_t uid{};
  gid_t gid{};
  pid_t pid{};
  std::vector<gid_t> groups;  // supplementary
};

}  // namespace agentos::http
