#include "sandbox/compile/bpf_outcomes.hpp"

#include <algorithm>
#include <bit>

namespace agentos::sandbox {
namespace {

// Everything that is in one of the two.
Bits join(Bits one, Bits other) {
  const std::uint32_t unknown = one.unknown | other.unknown | (one.value ^ other.value);
  return {one.value & ~unknown, unknown};
}

Bits compute(const sock_filter& instruction, Bits a) {
  const std::uint32_t k = instruction.k;
  switch (instruction.code) {
    case BPF_ALU | BPF_AND | BPF_K:
      return {a.value & k, a.unknown & k};
    case BPF_ALU | BPF_OR | BPF_K:
      return {a.value | k, a.unknown & ~k};
    case BPF_ALU | BPF_XOR | BPF_K:
      return {(a.value ^ k) & ~a.unknown, a.unknown};
    case BPF_ALU | BPF_LSH | BPF_K:
      return {a.value << k, a.unknown << k};
    case BPF_ALU | BPF_RSH | BPF_K:
      return {a.value >> k, a.unknown >> k};
    default:
      return Bits::anything();
  }
}

// What is left of `a` where it is at most `most`.
Bits at_most(Bits a, std::uint32_t most) {
  const auto width = static_cast<unsigned>(std::bit_width(most));
  const std::uint32_t room = width == 32 ? ~0U : (1U << width) - 1;
  return {a.value & room, a.unknown & room};
}

struct Branches {
  bool yes{true}, no{true};
};

// Which ways a comparison with a constant can go.
Branches ways(std::uint16_t comparison, Bits a, std::uint32_t k) {
  switch (comparison) {
    case BPF_JEQ: {
      const bool possible = (k & ~a.unknown) == a.value;
      return {possible, !possible || a.unknown != 0};
    }
    case BPF_JGE:
      return {a.greatest() >= k, a.least() < k};
    case BPF_JGT:
      return {a.greatest() > k, a.least() <= k};
    default:
      return {(a.greatest() & k) != 0, (a.value & k) == 0};  // BPF_JSET
  }
}

}  // namespace

bool is_denial(std::uint32_t answer) {
  switch (answer & SECCOMP_RET_ACTION_FULL) {
    case SECCOMP_RET_ALLOW:
    case SECCOMP_RET_LOG:
    case SECCOMP_RET_TRACE:
    case SECCOMP_RET_USER_NOTIF:
      return false;
    default:
      return true;  // errors, signals, death; the kernel kills for actions it does not know
  }
}

Outcomes::Outcomes(const SeccompProgram& program)
    : program_(program),
      accumulator_(program.instructions().size()),
      reached_(program.instructions().size() / 64 + 1) {}

void Outcomes::reach(std::size_t at, Bits a) {
  std::uint64_t& word = reached_[at / 64];
  const std::uint64_t bit = 1ULL << (at % 64);
  accumulator_[at] = (word & bit) != 0 ? join(accumulator_[at], a) : a;
  word |= bit;
}

void Outcomes::answer(std::uint32_t value) {
  if (std::ranges::find(found_, value) == found_.end()) found_.push_back(value);
}

// X and the memory words are taken as anything always: right, and no filter of ours uses them.
void Outcomes::step(std::size_t at, const CallPattern& pattern) {
  const sock_filter& instruction = program_.instructions()[at];
  const auto& [code, jt, jf, k] = instruction;
  const Bits a = accumulator_[at];
  switch (BPF_CLASS(code)) {
    case BPF_LD:
      if (BPF_MODE(code) == BPF_ABS)
        reach(at + 1, pattern.word(k / 4));
      else
        reach(at + 1, BPF_MODE(code) == BPF_IMM ? Bits::exactly(k) : Bits::anything());
      return;
    case BPF_ALU:
      if (code == (BPF_ALU | BPF_DIV | BPF_X)) answer(SECCOMP_RET_KILL_THREAD);  // X may be 0
      reach(at + 1, compute(instruction, a));
      return;
    case BPF_JMP: {
      if (BPF_OP(code) == BPF_JA) {
        reach(at + 1 + k, a);
        return;
      }
      const Branches can = BPF_SRC(code) == BPF_K ? ways(BPF_OP(code), a, k) : Branches{};
      if (can.yes) reach(at + 1 + jt, code == (BPF_JMP | BPF_JEQ | BPF_K) ? Bits::exactly(k) : a);
      if (can.no) reach(at + 1 + jf, code == (BPF_JMP | BPF_JGT | BPF_K) ? at_most(a, k) : a);
      return;
    }
    case BPF_RET:
      answer(BPF_RVAL(code) == BPF_K ? k : SECCOMP_RET_ALLOW);
      return;
    case BPF_MISC:
      reach(at + 1, BPF_MISCOP(code) == BPF_TXA ? Bits::anything() : a);
      return;
    default:
      reach(at + 1, a);
      return;  // LDX, ST, STX
  }
}

const std::vector<std::uint32_t>& Outcomes::of(const CallPattern& pattern) {
  found_.clear();
  reach(0, Bits::exactly(0));
  // Jumps go forward only, so the lowest instruction that waits has all its predecessors behind it.
  for (auto& word : reached_) {
    const auto base = static_cast<std::size_t>(&word - reached_.data()) * 64;
    while (word != 0) {
      const auto bit = static_cast<std::size_t>(std::countr_zero(word));
      word &= word - 1;
      step(base + bit, pattern);
    }
  }
  return found_;
}

bool Outcomes::may_pass(const CallPattern& pattern) {
  return !std::ranges::all_of(of(pattern), is_denial);
}

}  // namespace agentos::sandbox
