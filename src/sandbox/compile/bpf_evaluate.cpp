#include "sandbox/compile/bpf_evaluate.hpp"

#include <array>
#include <cstring>
#include <string>

namespace agentos::sandbox {
namespace {

constexpr std::uint32_t data_size = sizeof(seccomp_data);

std::unexpected<Error> malformed(std::size_t at, const char* why) {
  return fail(ErrorKind::invalid, "seccomp filter: instruction " + std::to_string(at) + ": " + why);
}

// nullptr: a good one. `left` instructions follow this one.
const char* fault_of(const sock_filter& instruction, std::size_t left) {
  const std::uint32_t k = instruction.k;
  switch (instruction.code) {
    case BPF_LD | BPF_W | BPF_ABS:
      return k % 4 != 0 || k >= data_size ? "loads outside of seccomp_data" : nullptr;
    case BPF_LD | BPF_W | BPF_LEN:
    case BPF_LDX | BPF_W | BPF_LEN:
    case BPF_LD | BPF_IMM:
    case BPF_LDX | BPF_IMM:
    case BPF_MISC | BPF_TAX:
    case BPF_MISC | BPF_TXA:
    case BPF_RET | BPF_K:
    case BPF_RET | BPF_A:
    case BPF_ALU | BPF_ADD | BPF_K:
    case BPF_ALU | BPF_ADD | BPF_X:
    case BPF_ALU | BPF_SUB | BPF_K:
    case BPF_ALU | BPF_SUB | BPF_X:
    case BPF_ALU | BPF_MUL | BPF_K:
    case BPF_ALU | BPF_MUL | BPF_X:
    case BPF_ALU | BPF_DIV | BPF_X:
    case BPF_ALU | BPF_AND | BPF_K:
    case BPF_ALU | BPF_AND | BPF_X:
    case BPF_ALU | BPF_OR | BPF_K:
    case BPF_ALU | BPF_OR | BPF_X:
    case BPF_ALU | BPF_XOR | BPF_K:
    case BPF_ALU | BPF_XOR | BPF_X:
    case BPF_ALU | BPF_LSH | BPF_X:
    case BPF_ALU | BPF_RSH | BPF_X:
    case BPF_ALU | BPF_NEG:
      return nullptr;
    case BPF_ALU | BPF_DIV | BPF_K:
      return k == 0 ? "divides by zero" : nullptr;
    case BPF_ALU | BPF_LSH | BPF_K:
    case BPF_ALU | BPF_RSH | BPF_K:
      return k >= 32 ? "shifts by more than 31" : nullptr;
    case BPF_LD | BPF_MEM:
    case BPF_LDX | BPF_MEM:
    case BPF_ST:
    case BPF_STX:
      return k >= BPF_MEMWORDS ? "uses memory that is not there" : nullptr;
    case BPF_JMP | BPF_JA:
      return k >= left ? "jumps past the end" : nullptr;
    case BPF_JMP | BPF_JEQ | BPF_K:
    case BPF_JMP | BPF_JEQ | BPF_X:
    case BPF_JMP | BPF_JGE | BPF_K:
    case BPF_JMP | BPF_JGE | BPF_X:
    case BPF_JMP | BPF_JGT | BPF_K:
    case BPF_JMP | BPF_JGT | BPF_X:
    case BPF_JMP | BPF_JSET | BPF_K:
    case BPF_JMP | BPF_JSET | BPF_X:
      return instruction.jt >= left || instruction.jf >= left ? "jumps past the end" : nullptr;
    default:
      return "is not one that seccomp knows";
  }
}

std::uint32_t compute(std::uint16_t operation, std::uint32_t a, std::uint32_t b) {
  switch (operation) {
    case BPF_ADD:
      return a + b;
    case BPF_SUB:
      return a - b;
    case BPF_MUL:
      return a * b;
    case BPF_DIV:
      return a / b;
    case BPF_AND:
      return a & b;
    case BPF_OR:
      return a | b;
    case BPF_XOR:
      return a ^ b;
    case BPF_LSH:
      return a << (b & 31U);  // the kernel masks a shift by X
    case BPF_RSH:
      return a >> (b & 31U);
    default:
      return ~a + 1;  // BPF_NEG
  }
}

bool holds(std::uint16_t comparison, std::uint32_t a, std::uint32_t b) {
  switch (comparison) {
    case BPF_JEQ:
      return a == b;
    case BPF_JGE:
      return a >= b;
    case BPF_JGT:
      return a > b;
    default:
      return (a & b) != 0;  // BPF_JSET
  }
}

}  // namespace

Result<SeccompProgram> SeccompProgram::parse(std::span<const sock_filter> instructions) {
  if (instructions.empty()) return fail(ErrorKind::invalid, "seccomp filter: it is empty");
  if (instructions.size() > BPF_MAXINSNS)
    return fail(ErrorKind::invalid, "seccomp filter: more than 4096 instructions");
  for (std::size_t at = 0; at < instructions.size(); ++at) {
    if (const char* fault = fault_of(instructions[at], instructions.size() - at - 1)) return malformed(at, fault);
  }
  if (BPF_CLASS(instructions.back().code) != BPF_RET)
    return malformed(instructions.size() - 1, "the last one does not return");
  return SeccompProgram({instructions.begin(), instructions.end()});
}

std::uint32_t SeccompProgram::evaluate(const seccomp_data& call) const {
  std::array<std::uint32_t, data_size / 4> words{};
  std::memcpy(words.data(), &call, data_size);
  std::array<std::uint32_t, BPF_MEMWORDS> memory{};
  std::uint32_t a = 0;
  std::uint32_t x = 0;
  for (std::size_t at = 0;; ++at) {
    const auto& [code, jt, jf, k] = instructions_[at];
    const std::uint32_t operand = BPF_SRC(code) == BPF_X ? x : k;
    switch (BPF_CLASS(code)) {
      case BPF_LD:
      case BPF_LDX: {
        auto& target = BPF_CLASS(code) == BPF_LD ? a : x;
        if (BPF_MODE(code) == BPF_ABS)
          target = words[k / 4];
        else if (BPF_MODE(code) == BPF_MEM)
          target = memory[k];
        else
          target = BPF_MODE(code) == BPF_LEN ? data_size : k;
        break;
      }
      case BPF_ST:
        memory[k] = a;
        break;
      case BPF_STX:
        memory[k] = x;
        break;
      case BPF_ALU:
        // The kernel ends the program with 0 then, which kills the thread.
        if (BPF_OP(code) == BPF_DIV && operand == 0) return SECCOMP_RET_KILL_THREAD;
        a = compute(BPF_OP(code), a, operand);
        break;
      case BPF_JMP:
        at += BPF_OP(code) == BPF_JA ? k : holds(BPF_OP(code), a, operand) ? jt : jf;
        break;
      case BPF_MISC:
        if (BPF_MISCOP(code) == BPF_TAX)
          x = a;
        else
          a = x;
        break;
      default:
        return BPF_RVAL(code) == BPF_A ? a : k;  // BPF_RET
    }
  }
}

}  // namespace agentos::sandbox
