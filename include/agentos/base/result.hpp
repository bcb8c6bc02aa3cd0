#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <utility>

namespace agentos {

// What went wrong, in the terms a caller can act on. The API maps each kind to one HTTP status and the CLI to one exit
// status.
enum class ErrorKind : unsigned char {
  internal,     // a defect or an unexpected refusal of the kernel
  invalid,      // the input is wrong; the message says where
  not_found,    // no such agent, file, directory
  exists,       // the name is taken
  forbidden,    // the caller may not
  conflict,     // not in this state of the life cycle
  exhausted,    // a limit, quota or disk is full
  unavailable,  // a daemon or file is not reachable now; trying again may help
  unsupported,  // this host cannot enforce what was asked for
};

[[nodiscard]] std::string_view name(ErrorKind kind);

// An error with the trail of what was being done: "start agent: mount /proc: Operation not permitted".
class Error {
 public:
  Error(ErrorKind kind, std::string message, std::string hint = {})
      : kind_(kind), message_(std::move(message)), hint_(std::move(hint)) {}

  // From an errno value; the kind follows from it (ENOENT: not_found, EACCES and EPERM: forbidden, ENOSPC: exhausted,
  // ...).
  static Error from_errno(int number, std::string_view doing);

  [[nodiscard]] ErrorKind kind() const { return kind_; }
  [[nodiscard]] const std::string& message() const { return message_; }
  [[nodiscard]] const std::string& hint() const { return hint_; }  // what to do about it; may be empty
  [[nodiscard]] int number() const { return number_; }             // errno, or 0

  // Puts what was being done in front.
  [[nodiscard]] Error within(std::string_view doing) &&;
  [[nodiscard]] Error with_hint(std::string hint) &&;

 private:
  ErrorKind kind_;
  int number_{};
  std::string message_;
  std::string hint_;
};

template <class T = void>
using Result = std::expected<T, Error>;

[[nodiscard]] inline std::unexpected<Error> fail(ErrorKind kind, std::string message, std::string hint = {}) {
  return std::unexpected(Error(kind, std::move(message), std::move(hint)));
}

[[nodiscard]] std::unexpected<Error> fail_errno(std::string_view doing);              // uses errno
[[nodiscard]] std::unexpected<Error> fail_errno(int number, std::string_view doing);  // uses number

// Value of a Result, or returns its error from the enclosing function. In a coroutine: AGENTOS_CO_TRY.
#define AGENTOS_TRY_WITH(leave, ...)                            \
  __extension__({                                               \
    auto agentos_result = (__VA_ARGS__);                        \
    if (!agentos_result) {                                      \
      leave std::unexpected(std::move(agentos_result).error()); \
    }                                                           \
    *std::move(agentos_result);                                 \
  })
#define AGENTOS_TRY(...) AGENTOS_TRY_WITH(return, __VA_ARGS__)
#define AGENTOS_CO_TRY(...) AGENTOS_TRY_WITH(co_return, __VA_ARGS__)

// A broken invariant ends the process, in release builds too.
[[noreturn]] void assertion_failed(const char* condition, const char* file, int line);
#define AGENTOS_ASSERT(condition) \
  ((condition) ? static_cast<void>(0) : ::agentos::assertion_failed(#condition, __FILE__, __LINE__))

}  // namespace agentos
