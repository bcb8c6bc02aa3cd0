#include <sys/syscall.h>

#include <cstring>
#include <vector>

#include "agentos/base/result.hpp"
#include "fuzz.hpp"
#include "sandbox/compile/bpf_evaluate.hpp"
#include "sandbox/compile/bpf_outcomes.hpp"
#include "sandbox/compile/filter_invariants.hpp"

namespace {

using namespace agentos::sandbox;

// A program that check_filter() passed lets none of these through, whatever the rest of the bytes make the arguments.
void check_accepted(const SeccompProgram& program, const std::uint8_t* tail, std::size_t size) {
  for (const int number : {SYS_mount, SYS_ptrace, SYS_bpf, SYS_setns, SYS_clone3, SYS_keyctl, SYS_init_module}) {
    seccomp_data call{};
    std::memcpy(call.args, tail, std::min(size, sizeof call.args));
    call.nr = number;
    call.arch = AUDIT_ARCH_X86_64;
    AGENTOS_ASSERT(is_denial(program.evaluate(call)));
    call.arch = AUDIT_ARCH_I386;
    AGENTOS_ASSERT(is_denial(program.evaluate(call)));
  }
}

}  // namespace

// A program from agentosd, and a call: the first 64 bytes.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  seccomp_data call{};
  if (size < sizeof call) return 0;
  std::memcpy(&call, data, sizeof call);
  std::vector<sock_filter> filter((size - sizeof call) / sizeof(sock_filter));
  if (!filter.empty()) std::memcpy(filter.data(), data + sizeof call, filter.size() * sizeof(sock_filter));
  const auto program = SeccompProgram::parse(filter);
  const auto checked = check_filter(filter);
  AGENTOS_ASSERT(program || !checked);
  if (!program) return 0;
  const auto answer = program->evaluate(call);
  Outcomes outcomes(*program);
  const CallPattern exactly(Bits::exactly(static_cast<std::uint32_t>(call.nr)), Bits::exactly(call.arch));
  if (!is_denial(answer)) AGENTOS_ASSERT(outcomes.may_pass(exactly));
  if (checked) check_accepted(*program, data, size);
  return 0;
}
