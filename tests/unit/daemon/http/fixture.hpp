#pragma once

#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <future>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_future.hpp>
#include <gtest/gtest.h>

#include "client.hpp"
#include "daemon/http/server.hpp"

namespace agentos::http {

inline std::size_t open_fds() {
  const auto entries = std::filesystem::directory_iterator("/proc/self/fd");
  return static_cast<std::size_t>(std::distance(begin(entries), end(entries)));
}

// Waits for what another thread is about to do; the bound only ends a test that would hang.
template <class Condition>
bool eventually(Condition condition) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::yield();
  }
  return true;
}

// A server on a socket of its own, on a thread of its own.
class ServerTest : public testing::Test {
 protected:
  ServerTest() {
    std::string name = "/tmp/agentos-http-XXXXXX";
    folder_ = ::mkdtemp(name.data());
    socket_ = folder_ / "agentos.sock";
  }
  ~ServerTest() override {
    halt();
    std::filesystem::remove_all(folder_);
  }

  void start(Limits limits = {}) {
    auto server = Server::open(
        context_, socket_, router,
        [this](std::string_view line) {
          const std::lock_guard lock(mutex_);
          log_.emplace_back(line);
        },
        limits);
    ASSERT_TRUE(server) << server.error().message();
    server_.emplace(std::move(*server));
    server_->start();
    thread_ = std::thread([this] { context_.run(); });
  }

  // stop() and all that it waits for.
  void stop() { begin_stop().get(); }

  std::future<void> begin_stop() { return boost::asio::co_spawn(context_, server_->stop(), boost::asio::use_future); }

  // As the destructor of a program does.
  void halt() {
    if (!thread_.joinable()) return;
    boost::asio::post(context_, [this] { server_.reset(); });
    context_.stop();
    thread_.join();
    server_.reset();
  }

  std::size_t connections() {
    std::promise<std::size_t> count;
    boost::asio::post(context_, [&] { count.set_value(server_->connections()); });
    return count.get_future().get();
  }

  Client client() { return Client(socket_); }
  std::vector<std::string> log() {
    const std::lock_guard lock(mutex_);
    return log_;
  }

  Router router;
  std::filesystem::path folder_;
  std::filesystem::path socket_;

 private:
  boost::asio::io_context context_{1};
  std::optional<Server> server_;
  std::thread thread_;
  std::mutex mutex_;
  std::vector<std::string> log_;
};

}  // namespace agentos::http
