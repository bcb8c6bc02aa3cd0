#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "sandbox/compile/bpf_evaluate.hpp"

namespace agentos::sandbox {

// 32 bits of which some are not known: bit i is anything where `unknown` has it, else that of `value` (which is 0 where
// unknown). The "tnum" of the kernel's BPF verifier.
struct Bits {
  std::uint32_t value{};
  std::uint32_t unknown{};

  static constexpr Bits exactly(std::uint32_t value) { return {value, 0}; }
  static constexpr Bits anything() { return {0, ~0U}; }
  // `set` are 1, `clear` are 0, the rest is anything.
  static constexpr Bits with(std::uint32_t set, std::uint32_t clear = 0) { return {set, ~(set | clear)}; }

  [[nodiscard]] constexpr std::uint32_t least() const { return value; }
  [[nodiscard]] constexpr std::uint32_t greatest() const { return value | unknown; }
  bool operator==(const Bits&) const = default;
};

// A set of system calls: all that fit. From the start every argument is anything, both halves.
class CallPattern {
 public:
  explicit constexpr CallPattern(Bits number, Bits architecture = Bits::exactly(AUDIT_ARCH_X86_64)) {
    words_.fill(Bits::anything());
    words_[0] = number;
    words_[1] = architecture;
  }
  // The low half of an argument. The high half stays anything: for an argument that the kernel takes as an int.
  [[nodiscard]] constexpr CallPattern argument(std::size_t index, Bits low) const {
    CallPattern result = *this;
    result.words_[4 + 2 * index] = low;
    return result;
  }
  [[nodiscard]] constexpr Bits word(std::size_t index) const { return words_[index]; }

 private:
  std::array<Bits, sizeof(seccomp_data) / 4> words_{};
};

// What a program can answer to any call of a pattern: a superset, found in one pass over the instructions that can be
// reached. So "no call of this pattern is allowed" is proven, not sampled.
class Outcomes {
 public:
  explicit Outcomes(const SeccompProgram& program);

  // Distinct return values. A value that is computed at run time is given as SECCOMP_RET_ALLOW. Valid until the next
  // call.
  const std::vector<std::uint32_t>& of(const CallPattern& pattern);
  // Whether some call of the pattern might get anything but an error or death.
  [[nodiscard]] bool may_pass(const CallPattern& pattern);

 private:
  void reach(std::size_t at, Bits a);
  void step(std::size_t at, const CallPattern& pattern);
  void answer(std::uint32_t value);

  const SeccompProgram& program_;
  std::vector<Bits> accumulator_;       // before each instruction
  std::vector<std::uint64_t> reached_;  // one bit an instruction; all 0 between calls
  std::vector<std::uint32_t> found_;
};

// Whether this return value stops the call: not one that lets it through or hands it to somebody else.
[[nodiscard]] bool is_denial(std::uint32_t answer);

}  // namespace agentos::sandbox
