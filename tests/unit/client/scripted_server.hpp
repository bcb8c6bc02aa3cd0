#pragma once

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <filesystem>
#include <functional>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "agentos/base/fd.hpp"

// A unix socket that answers each request with the bytes a test wrote down, and keeps what it was asked.
namespace agentos::testing {

struct Asked {
  std::string head, body;
  std::vector<UniqueFd> fds;
  [[nodiscard]] std::string line() const { return head.substr(0, head.find(" HTTP/")); }  // "GET /v1/agents"
};

struct Scripted {
  std::string bytes{};
  int fd{-1};         // sent with the first byte
  std::size_t cut{};  // send in pieces of this size; 0: at once
  bool keep_open{};   // do not close after it
};

class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = std::filesystem::temp_directory_path() / "agentos-test-XXXXXX";
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp");
    path_ = name;
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder() { std::filesystem::remove_all(path_); }
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

inline std::string answer(int status, const std::string& body, const std::string& type = "application/json") {
  return "HTTP/1.1 " + std::to_string(status) + " X\r\nContent-Type: " + type +
         "\r\nContent-Length: " + std::to_string(body.size()) + "\r\nConnection: close\r\n\r\n" + body;
}

class ScriptedServer {
 public:
  using Script = std::function<Scripted(const Asked&)>;

  explicit ScriptedServer(Script script) : script_(std::move(script)), stop_(::eventfd(0, EFD_CLOEXEC)) {
    listener_.reset(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, socket().c_str(), sizeof address.sun_path - 1);
    if (::bind(listener_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
      throw std::runtime_error("bind");
    ::listen(listener_.get(), 16);
    thread_ = std::thread([this] { serve(); });
  }
  ScriptedServer(const ScriptedServer&) = delete;
  ScriptedServer& operator=(const ScriptedServer&) = delete;
  ~ScriptedServer() {
    const std::uint64_t one = 1;
    if (::write(stop_.get(), &one, sizeof one) < 0) std::abort();
    thread_.join();
  }

  [[nodiscard]] std::string socket() const { return folder_.path() / "api.sock"; }
  [[nodiscard]] std::vector<std::string> lines() const {
    const std::scoped_lock lock(mutex_);
    std::vector<std::string> lines;
    for (const auto& one : asked_) lines.push_back(one.line());
    return lines;
  }
  // Only after the answer has been received.
  [[nodiscard]] const Asked& asked(std::size_t index) const {
    const std::scoped_lock lock(mutex_);
    return asked_.at(index);
  }

 private:
  void serve() {
    for (;;) {
      pollfd fds[2] = {{listener_.get(), POLLIN, 0}, {stop_.get(), POLLIN, 0}};
      ::poll(fds, 2, -1);
      if (fds[1].revents != 0) return;
      if (fds[0].revents == 0) continue;  // a signal
      UniqueFd connection(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
      if (!connection) continue;
      auto asked = read_request(connection.get());
      const Scripted reply = script_(asked);
      {
        const std::scoped_lock lock(mutex_);
        asked_.push_back(std::move(asked));
      }
      write_reply(connection.get(), reply);
      if (reply.keep_open) kept_.push_back(std::move(connection));
    }
  }

  static Asked read_request(int connection) {
    Asked asked;
    std::string bytes;
    for (;;) {
      const auto end = bytes.find("\r\n\r\n");
      if (end != std::string::npos) {
        const auto at = bytes.find("Content-Length: ");
        const std::size_t size = at < end ? std::stoul(bytes.substr(at + 16)) : 0;
        if (bytes.size() >= end + 4 + size) {
          asked.head = bytes.substr(0, end);
          asked.body = bytes.substr(end + 4, size);
          return asked;
        }
      }
      char buffer[65536];
      alignas(cmsghdr) char control[CMSG_SPACE(8 * sizeof(int))];
      iovec part{buffer, sizeof buffer};
      msghdr message{};
      message.msg_iov = &part;
      message.msg_iovlen = 1;
      message.msg_control = control;
      message.msg_controllen = sizeof control;
      const ssize_t count = ::recvmsg(connection, &message, MSG_CMSG_CLOEXEC);
      if (count <= 0) return asked;
      bytes.append(buffer, static_cast<std::size_t>(count));
      for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr; header = CMSG_NXTHDR(&message, header)) {
        for (std::size_t at = CMSG_LEN(0); at + sizeof(int) <= header->cmsg_len; at += sizeof(int)) {
          int fd = -1;
          std::memcpy(&fd, reinterpret_cast<const char*>(header) + at, sizeof fd);
          asked.fds.emplace_back(fd);
        }
      }
    }
  }

  static void write_reply(int connection, const Scripted& reply) {
    std::string_view rest = reply.bytes;
    int fd = reply.fd;
    while (!rest.empty()) {
      const auto piece = rest.substr(0, reply.cut == 0 ? rest.size() : reply.cut);
      iovec part{const_cast<char*>(piece.data()), piece.size()};
      alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))]{};
      msghdr message{};
      message.msg_iov = &part;
      message.msg_iovlen = 1;
      if (fd >= 0) {
        message.msg_control = control;
        message.msg_controllen = sizeof control;
        cmsghdr* header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof(int));
        std::memcpy(CMSG_DATA(header), &fd, sizeof fd);
      }
      const ssize_t sent = ::sendmsg(connection, &message, MSG_NOSIGNAL);
      if (sent < 0) return;
      fd = -1;
      rest.remove_prefix(static_cast<std::size_t>(sent));
    }
  }

  TemporaryFolder folder_;
  Script script_;
  UniqueFd listener_, stop_;
  mutable std::mutex mutex_;
  std::vector<Asked> asked_;
  std::vector<UniqueFd> kept_;
  std::thread thread_;
};

}  // namespace agentos::testing
