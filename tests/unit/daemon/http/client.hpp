#pragma once

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "agentos/base/fd.hpp"

namespace agentos::http {

struct Answer {
  unsigned status{0};  // 0: the connection ended before a whole head came
  std::map<std::string, std::string> fields;
  std::string body;
  std::vector<UniqueFd> fds;
};

// A plain blocking client that does exactly what a test says, wrong things too.
class Client {
 public:
  explicit Client(const std::string& path) : socket_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    connected_ = ::connect(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  }

  [[nodiscard]] bool connected() const { return connected_; }
  [[nodiscard]] int fd() const { return socket_.get(); }
  void close() { socket_.reset(); }
  void half_close() { ::shutdown(socket_.get(), SHUT_WR); }

  // False when the server does not take it any more.
  bool send(std::string_view bytes, const std::vector<int>& fds = {}) {
    bool first = true;
    while (!bytes.empty()) {
      iovec part{const_cast<char*>(bytes.data()), bytes.size()};
      alignas(cmsghdr) std::array<char, CMSG_SPACE(80 * sizeof(int))> control{};
      msghdr message{};
      message.msg_iov = &part;
      message.msg_iovlen = 1;
      if (first && !fds.empty()) {
        const std::size_t size = fds.size() * sizeof(int);
        message.msg_control = control.data();
        message.msg_controllen = CMSG_SPACE(size);
        cmsghdr* header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(size);
        std::memcpy(CMSG_DATA(header), fds.data(), size);
      }
      const ssize_t sent = ::sendmsg(socket_.get(), &message, MSG_NOSIGNAL);
      if (sent < 0) return false;
      first = false;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }

  // More bytes of the answer; false at the end of the connection or when nothing comes for a minute.
  bool receive() {
    pollfd ready{socket_.get(), POLLIN, 0};
    if (::poll(&ready, 1, 60'000) != 1) {
      ADD_FAILURE() << "nothing came for a minute";
      return false;
    }
    std::array<char, 64 << 10> buffer;
    iovec part{buffer.data(), buffer.size()};
    alignas(cmsghdr) std::array<char, CMSG_SPACE(80 * sizeof(int))> control{};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    const ssize_t count = ::recvmsg(socket_.get(), &message, MSG_CMSG_CLOEXEC);
    if (count <= 0) return false;
    for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr; header = CMSG_NXTHDR(&message, header)) {
      for (std::size_t i = 0; i < (header->cmsg_len - CMSG_LEN(0)) / sizeof(int); ++i) {
        int fd = -1;
        std::memcpy(&fd, CMSG_DATA(header) + i * sizeof(int), sizeof fd);
        fds_.emplace_back(fd);
      }
    }
    input.append(buffer.data(), static_cast<std::size_t>(count));
    return true;
  }

  // Whether the server closes the connection without another byte.
  bool ended() { return input.empty() && !receive() && input.empty(); }

  // Until `text` has come. False: the connection ended first.
  bool receive_until(std::string_view text) {
    while (input.find(text) == std::string::npos) {
      if (!receive()) return false;
    }
    return true;
  }

  Answer answer() {
    Answer answer;
    if (!receive_until("\r\n\r\n")) return answer;
    const std::size_t end = input.find("\r\n\r\n") + 4;
    const std::string head = input.substr(0, end);
    input.erase(0, end);
    answer.status = static_cast<unsigned>(std::stoul(head.substr(9, 3)));
    for (std::size_t at = head.find("\r\n") + 2; at + 2 < head.size();) {
      const std::size_t next = head.find("\r\n", at);
      const std::size_t colon = head.find(": ", at);
      answer.fields[head.substr(at, colon - at)] = head.substr(colon + 2, next - colon - 2);
      at = next + 2;
    }
    const auto length = answer.fields.find("Content-Length");
    const std::size_t size = length == answer.fields.end() ? 0 : std::stoul(length->second);
    while (input.size() < size && receive()) {
    }
    answer.body = input.substr(0, size);
    input.erase(0, size);
    answer.fds = std::move(fds_);
    fds_.clear();
    return answer;
  }

  Answer ask(std::string_view method, std::string_view target, std::string_view body = {},
             const std::vector<int>& fds = {}) {
    send(request(method, target, body), fds);
    return answer();
  }

  static std::string request(std::string_view method, std::string_view target, std::string_view body = {}) {
    std::string text(method);
    text += " ";
    text += target;
    text += " HTTP/1.1\r\nHost: localhost\r\n";
    if (!body.empty()) text += "Content-Length: " + std::to_string(body.size()) + "\r\n";
    text += "\r\n";
    text += body;
    return text;
  }

  std::string input;  // what came and was not taken yet

 private:
  UniqueFd socket_;
  bool connected_{false};
  std::vector<UniqueFd> fds_;
};

}  // namespace agentos::http
