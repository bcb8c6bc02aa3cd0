// Lines "NUMBER A0 A1 A2 A3 A4 A5" of system calls on stdin: prints for each what the filter of agents answers, as the
// kernel would: "ok", the name of an errno, or SIGSYS.
#include <cstring>
#include <iostream>
#include <sstream>
#include <string>

#include "sandbox/compile/bpf_evaluate.hpp"
#include "sandbox/compile/seccomp.hpp"

using namespace agentos;

namespace {

std::string word_of(std::uint32_t answer) {
  switch (answer & SECCOMP_RET_ACTION_FULL) {
    case SECCOMP_RET_ALLOW:
      return "ok";
    case SECCOMP_RET_ERRNO:
      return ::strerrorname_np(static_cast<int>(answer & SECCOMP_RET_DATA));
    case SECCOMP_RET_KILL_PROCESS:
      return "SIGSYS";
    default:
      return std::to_string(answer);
  }
}

}  // namespace

int main() {
  const auto filter = sandbox::make_filter(policy::Seccomp::agent);
  if (!filter) return 1;
  const auto program = sandbox::SeccompProgram::parse(*filter);
  if (!program) return 1;
  for (std::string line; std::getline(std::cin, line);) {
    std::istringstream numbers(line);
    seccomp_data call{};
    call.arch = AUDIT_ARCH_X86_64;
    if (!(numbers >> call.nr)) return 2;
    for (auto& argument : call.args) {
      if (!(numbers >> argument)) return 2;
    }
    std::cout << word_of(program->evaluate(call)) << "\n";
  }
  return 0;
}
