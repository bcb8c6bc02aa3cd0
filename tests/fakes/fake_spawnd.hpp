#pragma once

#include <poll.h>

#include <atomic>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "agentos/model/plan.hpp"
#include "os/socket.hpp"

namespace agentos::fakes {

// The other end of spawnd's protocol, in a thread of its own. What it answers is up to the test; nullopt: it hangs up.
class FakeSpawnd {
 public:
  struct Answer {
    SpawndReply reply;
    int fd{-1};  // borrowed
  };
  using Script = std::function<std::optional<Answer>(const SpawndRequest&, const std::vector<UniqueFd>&)>;

  FakeSpawnd(const std::string& socket, Script script) : script_(std::move(script)) {
    auto listener = os::listen_unix(socket, SOCK_SEQPACKET, 0600);
    if (!listener) throw std::runtime_error(listener.error().message());
    listener_ = std::move(*listener);
    thread_ = std::thread([this] { serve(); });
  }
  FakeSpawnd(const FakeSpawnd&) = delete;
  FakeSpawnd& operator=(const FakeSpawnd&) = delete;
  ~FakeSpawnd() {  // as if it was killed
    stop_ = true;
    thread_.join();
  }

  [[nodiscard]] int connections() const { return connections_; }

 private:
  bool wait_for(int fd) const {
    while (!stop_) {
      pollfd watched{fd, POLLIN, 0};
      if (::poll(&watched, 1, 5) > 0) return true;
    }
    return false;
  }

  void serve() {
    while (wait_for(listener_.get())) {
      const UniqueFd connection(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
      ++connections_;
      while (wait_for(connection.get())) {
        const auto packet = os::receive_packet(connection.get(), plan_message_max);
        const auto request = packet ? SpawndRequest::decode(packet->bytes) : fail(ErrorKind::invalid, "closed");
        if (!request) break;
        auto answer = script_(*request, packet->fds);
        if (!answer) break;
        answer->reply.id = request->id;
        const auto fds = answer->fd < 0 ? std::span<const int>{} : std::span<const int>(&answer->fd, 1);
        if (!os::send_packet(connection.get(), answer->reply.encode(), fds)) break;
      }
    }
  }

  Script script_;
  UniqueFd listener_;
  std::atomic<bool> stop_{false};
  std::atomic<int> connections_{0};
  std::thread thread_;
};

}  // namespace agentos::fakes
