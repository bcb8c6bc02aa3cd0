#pragma once

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>

#include <cstdint>
#include <span>
#include <vector>

#include "agentos/base/result.hpp"

namespace agentos::sandbox {

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
              "offsets of argument halves are those of little-endian machines");

// A classic BPF program that the kernel would take as a seccomp filter, and what it answers: so filters are tested, and
// judged by root, without being installed.
class SeccompProgram {
 public:
  // The kernel's own rules (bpf_check_classic and seccomp_check_filter): 1..4096 instructions, each one known, jumps
  // forward and inside, loads aligned and inside seccomp_data, no constant division by zero or over-long shift, RET at
  // the end. invalid otherwise; the message names the instruction.
  static Result<SeccompProgram> parse(std::span<const sock_filter> instructions);

  // SECCOMP_RET_* of this call. Ends always: jumps only go forward.
  [[nodiscard]] std::uint32_t evaluate(const seccomp_data& call) const;

  [[nodiscard]] std::span<const sock_filter> instructions() const { return instructions_; }

 private:
  explicit SeccompProgram(std::vector<sock_filter> instructions) : instructions_(std::move(instructions)) {}

  std::vector<sock_filter> instructions_;
};

}  // namespace agentos::sandbox
