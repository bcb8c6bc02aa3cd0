#pragma once

#include <sys/types.h>

#include <cstdint>

#include "agentos/base/fd.hpp"
#include "agentos/base/result.hpp"
#include "agentos/model/init_spec.hpp"
#include "credentials.hpp"

namespace agentos::init {

// Why a child could not execute its program; what it writes into `Launched::report`.
struct ExecFailure {
  enum class Step : std::int32_t { stdio, terminal, privileges, directory, execute };
  Step step{};
  std::int32_t number{};  // errno
};

// A child on its way to execve. All descriptors are non-blocking on this side and close-on-exec.
struct Launched {
  pid_t pid{};
  UniqueFd report;  // an ExecFailure, or end of file alone: it was executed
  UniqueFd input;   // to its stdin, or the tty; none: its stdin is /dev/null
  UniqueFd output;  // its stdout, or the tty
  UniqueFd error;   // its stderr; none with a tty
  UniqueFd slave;   // the other side of the tty, held so that it is not hung up while programs come and go on it
};

// Forks a child in a session of its own that becomes the agent and executes the program, found as execvpe(3) finds it
// in PATH of the program's own environment.
[[nodiscard]] Result<Launched> launch(const Program& program, const Credentials& agent);

// "cannot run 'x': No such file or directory"; at most 512 bytes.
[[nodiscard]] std::string explain(const ExecFailure& failure, const Program& program);

}  // namespace agentos::init
