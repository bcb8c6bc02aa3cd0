#pragma once

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "unit/client/scripted_server.hpp"

namespace agentos::testing {

struct Ended {
  int status{};  // as a shell reports it
  std::string out, err;
};

// The built agentos as a child, between pipes.
class Program {
 public:
  // `closed`: this one of its descriptors 0 to 2 is closed when it starts.
  Program(const std::vector<std::string>& arguments, const std::string& socket, const std::string& input = "",
          int closed = -1) {
    std::array<std::array<int, 2>, 3> pipes{};
    for (auto& pipe : pipes) {
      if (::pipe2(pipe.data(), O_CLOEXEC) != 0) throw std::runtime_error("pipe");
    }
    std::vector<char*> argv{const_cast<char*>("agentos")};
    for (const auto& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
    argv.push_back(nullptr);
    pid_ = ::fork();
    if (pid_ == 0) {
      sigset_t none;
      ::sigemptyset(&none);
      ::sigprocmask(SIG_SETMASK, &none, nullptr);
      ::dup2(pipes[0][0], 0);
      ::dup2(pipes[1][1], 1);
      ::dup2(pipes[2][1], 2);
      if (closed >= 0) ::close(closed);
      ::setenv("AGENTOS_SOCKET", socket.c_str(), 1);
      ::execv(AGENTOS_BINARY, argv.data());
      ::_exit(99);
    }
    const UniqueFd in(pipes[0][1]);
    ::close(pipes[0][0]);
    ::close(pipes[1][1]);
    ::close(pipes[2][1]);
    out_.reset(pipes[1][0]);
    err_.reset(pipes[2][0]);
    if (::write(in.get(), input.data(), input.size()) != static_cast<ssize_t>(input.size()))
      throw std::runtime_error("write");
  }
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;
  ~Program() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }

  void signal(int number) { ::kill(pid_, number); }
  void close_out() { out_.reset(); }

  Ended finish() {
    Ended ended;
    std::thread errors([&] { ended.err = read_to_end(err_.get()); });
    ended.out = read_to_end(out_.get());
    errors.join();
    int status = 0;
    ::waitpid(pid_, &status, 0);
    pid_ = 0;
    ended.status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    return ended;
  }

 private:
  static std::string read_to_end(int fd) {
    std::string all;
    std::array<char, 65536> buffer{};
    for (ssize_t count = 0; fd >= 0 && (count = ::read(fd, buffer.data(), buffer.size())) > 0;) {
      all.append(buffer.data(), static_cast<std::size_t>(count));
    }
    return all;
  }

  pid_t pid_{};
  UniqueFd out_, err_;
};

inline Ended run(const std::vector<std::string>& arguments, const ScriptedServer& server) {
  return Program(arguments, server.socket()).finish();
}

}  // namespace agentos::testing
