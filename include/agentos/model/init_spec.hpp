#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "agentos/base/codec.hpp"
#include "agentos/base/result.hpp"

// What agentos-init is told by the sealed memory file it finds as descriptor InitFd::spec.
namespace agentos {

constexpr std::uint32_t init_protocol_version = 2;
constexpr std::size_t init_spec_max = 4 * 1024 * 1024;

// Where agentos-init finds its descriptors. 0, 1 and 2 are /dev/null. `client` is closed where there is none.
namespace init_fd {
constexpr int spec = 3;
constexpr int listener = 4;
constexpr int log_0 = 5;
constexpr int log_1 = 6;
constexpr int exit_record = 7;
constexpr int client = 8;
constexpr int first_free = 9;
}  // namespace init_fd

// A program to run as the agent: the agent itself (InitSpec) or an `agentos exec` (Hello).
struct Program {
  std::vector<std::string> argv;  // argv[0] is looked up in PATH of `env` when it has no '/'
  std::vector<std::string> env;   // NAME=value, all of it
  std::string cwd;
  bool tty{};         // a pty inside the sandbox; else three pipes
  bool with_stdin{};  // false: stdin is /dev/null (never with tty)
  std::uint16_t rows{24}, columns{80};

  bool operator==(const Program&) const = default;
  void encode(Writer& to) const;
  static Program decode(Reader& from);
};

// A limit of each process of the agent (setrlimit(2), soft and hard), beside those that agentos-init has itself.
struct ProgramLimit {
  std::uint32_t resource{};
  std::uint64_t limit{};

  bool operator==(const ProgramLimit&) const = default;
  void encode(Writer& to) const;
  static ProgramLimit decode(Reader& from);
};

struct InitSpec {
  std::uint32_t uid{}, gid{};  // of the agent, inside
  std::uint64_t log_max{};     // bytes of each of the two log files
  Program program;
  std::vector<ProgramLimit> limits{};

  [[nodiscard]] std::string encode() const;
  static Result<InitSpec> decode(std::string_view bytes);
};

}  // namespace agentos
