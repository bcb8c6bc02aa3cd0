#pragma once

#include <cstdint>
#include <initializer_list>

#include "sandbox/compile/bpf_evaluate.hpp"
#include "sandbox/compile/seccomp.hpp"
#include "sandbox/compile/system_calls.hpp"

// System calls as a filter sees them.
namespace agentos::sandbox {

using Argument = std::uint64_t;

inline seccomp_data data_of(long number, std::initializer_list<Argument> arguments = {},
                            std::uint32_t architecture = AUDIT_ARCH_X86_64) {
  seccomp_data data{};
  data.nr = static_cast<int>(number);
  data.arch = architecture;
  std::size_t index = 0;
  for (const Argument argument : arguments) data.args[index++] = argument;
  return data;
}

inline const SeccompProgram& agent_filter() {
  static const SeccompProgram program = *SeccompProgram::parse(*make_filter());
  return program;
}

inline std::uint32_t answer(long number, std::initializer_list<Argument> arguments = {}) {
  return agent_filter().evaluate(data_of(number, arguments));
}

constexpr std::uint32_t allowed = SECCOMP_RET_ALLOW;
constexpr std::uint32_t killed = SECCOMP_RET_KILL_PROCESS;
constexpr std::uint32_t refused(int number) {
  return SECCOMP_RET_ERRNO | static_cast<std::uint32_t>(number);
}

constexpr Argument high = 0x5A5A5A5A'00000000;  // what the kernel drops from an int

}  // namespace agentos::sandbox
