#pragma once

#include <sys/types.h>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "agentos/base/fd.hpp"
#include "agentos/model/attach.hpp"
#include "agentos/model/exit_record.hpp"
#include "agentos/model/init_spec.hpp"

namespace agentos::init_tests {

// What a client got until its last frame or the end of the connection.
struct Received {
  bool started{};
  std::string output, error;
  std::optional<int> status;  // wait status
  int refused{};              // errno
  std::string words;

  [[nodiscard]] int exit_code() const;  // -1: no exit
  [[nodiscard]] int signal() const;     // 0: none
};

class Client {
 public:
  explicit Client(UniqueFd socket);

  // Input waits until the one before it was taken, as it must.
  void send(FrameType type, std::string_view data = {}, int number = 0);
  bool is_taken();  // the last input, within a moment
  void resize(std::uint16_t rows, std::uint16_t columns);
  void send_packet(std::string_view packet);

  std::string receive();                // one packet; empty: the end. Fails the test after a minute.
  Received collect(bool slow = false);  // until the end
  // Reads until stdout so far ends with `text`; what was read stays for collect().
  void expect_output(std::string_view text);

  [[nodiscard]] int fd() const { return socket_.get(); }
  void close() { socket_.reset(); }

 private:
  bool take(Received& into);

  UniqueFd socket_;
  bool taken_{true};
  Received received_;
};

// agentos-init with descriptors made by hand: as root PID 1 of a pid namespace with agents of uid 1000, else with the
// caller's own uid.
class StartedInit {
 public:
  struct Options {
    Program program{};
    bool client{true};
    std::uint64_t log_max{16 << 20};
    std::string log_path{};              // of both files, instead of new ones
    std::optional<std::uint32_t> uid{};  // instead of the usual one
    std::optional<std::string> spec{};   // instead of a right one
  };
  explicit StartedInit(Options options);
  StartedInit(const StartedInit&) = delete;
  ~StartedInit();

  Client& client() { return *client_; }
  Client attach(std::uint16_t rows = 0, std::uint16_t columns = 0) {
    return greet(Hello::Purpose::attach, {}, rows, columns);
  }
  Client control() { return greet(Hello::Purpose::control, {}, 0, 0); }
  Client exec(Program program) { return greet(Hello::Purpose::exec, std::move(program), 24, 80); }
  Client connect();  // without hello

  int wait();  // wait status of init; fails the test after a minute
  [[nodiscard]] pid_t pid() const { return pid_; }
  ExitRecord exit_record();  // after wait
  std::string log(LogRecord::Stream stream);
  [[nodiscard]] off_t log_size(int file) const;
  [[nodiscard]] const std::string& folder() const { return folder_; }  // the agent may write here

 private:
  Client greet(Hello::Purpose purpose, Program program, std::uint16_t rows, std::uint16_t columns);

  std::string folder_;
  UniqueFd listener_, logs_[2], record_;
  std::optional<Client> client_;
  pid_t pid_{};
  UniqueFd pidfd_;
  std::optional<int> status_;
};

// Ends the test as skipped, or as failed where AGENTOS_MUST_RUN is set.
[[noreturn]] void skip(const char* reason);

Program command(std::vector<std::string> argv, bool tty = false, bool with_stdin = true);
Program shell(std::string script, bool tty = false, bool with_stdin = true);

// Until `condition` holds, looking again every few milliseconds; false after a minute.
template <class F>
bool eventually(F condition) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    ::usleep(2000);
  }
  return true;
}

}  // namespace agentos::init_tests
