#pragma once

#include <array>

// How a child that is being set up tells its parent what went wrong: plain data through a pipe, since between clone and
// exec nothing allocates. The pipe closes on exec; a child that closes it without `about_to_execute` died on the way.
namespace agentos::container {

struct ChildReport {
  enum Kind : int { failed, about_to_execute };
  Kind kind{};
  int number{};                  // errno
  std::array<char, 248> what{};  // words, ended by NUL
};

class Reporter {
 public:
  explicit Reporter(int pipe) : pipe_(pipe) {}
  [[noreturn]] void fail(const char* doing, const char* object = "") const;  // uses errno
  void about_to_execute() const;

 private:
  int pipe_;
};

}  // namespace agentos::container
