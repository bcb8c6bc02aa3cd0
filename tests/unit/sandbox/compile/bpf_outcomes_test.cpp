#include "sandbox/compile/bpf_outcomes.hpp"

#include <algorithm>
#include <random>
#include <vector>

#include <gmock/gmock.h>

#include "calls.hpp"

namespace agentos::sandbox {
namespace {

using testing::UnorderedElementsAre;

constexpr auto anything = Bits::anything();

std::vector<std::uint32_t> outcomes(const std::vector<sock_filter>& instructions, const CallPattern& pattern) {
  const auto program = SeccompProgram::parse(instructions);
  return program ? Outcomes(*program).of(pattern) : std::vector<std::uint32_t>{};
}

// if (word at `offset` compares with k) return 1 else return 2
std::vector<sock_filter> compare(std::uint16_t comparison, std::uint32_t offset, std::uint32_t k) {
  return {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offset),
          sock_filter{static_cast<std::uint16_t>(BPF_JMP | comparison | BPF_K), 0, 1, k}, BPF_STMT(BPF_RET | BPF_K, 1),
          BPF_STMT(BPF_RET | BPF_K, 2)};
}

TEST(Outcomes, FollowsBothBranchesOnlyWhereBothArePossible) {
  EXPECT_THAT(outcomes(compare(BPF_JEQ, 0, 5), CallPattern(Bits::exactly(5))), UnorderedElementsAre(1));
  EXPECT_THAT(outcomes(compare(BPF_JEQ, 0, 5), CallPattern(Bits::exactly(6))), UnorderedElementsAre(2));
  EXPECT_THAT(outcomes(compare(BPF_JEQ, 0, 5), CallPattern(anything)), UnorderedElementsAre(1, 2));
  EXPECT_THAT(outcomes(compare(BPF_JEQ, 0, 5), CallPattern(Bits::with(2))),
              UnorderedElementsAre(2));  // 5 lacks the bit
  EXPECT_THAT(outcomes(compare(BPF_JGE, 0, 8), CallPattern(Bits::with(8))), UnorderedElementsAre(1));
  EXPECT_THAT(outcomes(compare(BPF_JGT, 0, 8), CallPattern(Bits::with(8))), UnorderedElementsAre(1, 2));
  EXPECT_THAT(outcomes(compare(BPF_JSET, 0, 8), CallPattern(Bits::with(8))), UnorderedElementsAre(1));
  EXPECT_THAT(outcomes(compare(BPF_JSET, 0, 8), CallPattern(Bits::with(0, 8))), UnorderedElementsAre(2));
}

TEST(Outcomes, KnowsNothingOfArgumentsUnlessTold) {
  const CallPattern call(Bits::exactly(1));
  EXPECT_THAT(outcomes(compare(BPF_JEQ, 16, 0), call), UnorderedElementsAre(1, 2));
  EXPECT_THAT(outcomes(compare(BPF_JEQ, 16, 0), call.argument(0, Bits::exactly(3))), UnorderedElementsAre(2));
  EXPECT_THAT(outcomes(compare(BPF_JEQ, 20, 0), call.argument(0, Bits::exactly(3))),
              UnorderedElementsAre(1, 2));  // high half
}

TEST(Outcomes, TakesAComputedAnswerAsPermission) {
  const std::vector<sock_filter> program{BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 16), BPF_STMT(BPF_RET | BPF_A, 0)};
  EXPECT_THAT(outcomes(program, CallPattern(Bits::exactly(1))), UnorderedElementsAre(SECCOMP_RET_ALLOW));
}

TEST(Outcomes, IsDenialOnlyWhatStopsTheCall) {
  for (const std::uint32_t action :
       {SECCOMP_RET_KILL_PROCESS, SECCOMP_RET_KILL_THREAD, SECCOMP_RET_TRAP, SECCOMP_RET_ERRNO | 1U}) {
    EXPECT_TRUE(is_denial(action)) << action;
  }
  for (const std::uint32_t action : {SECCOMP_RET_ALLOW, SECCOMP_RET_LOG, SECCOMP_RET_TRACE, SECCOMP_RET_USER_NOTIF}) {
    EXPECT_FALSE(is_denial(action)) << action;
  }
}

// The promise that everything rests on: whatever a program answers to a call is among the outcomes of every pattern
// that the call fits. Random programs of every instruction, random calls.
class RandomPrograms {
 public:
  explicit RandomPrograms(unsigned seed) : random_(seed) {}

  std::uint32_t number(std::uint32_t below) {
    return std::uniform_int_distribution<std::uint32_t>(0, below - 1)(random_);
  }
  // Small numbers and single bits, so that comparisons go both ways.
  std::uint32_t word() { return number(2) == 0 ? number(4) : 1U << number(32); }

  std::vector<sock_filter> program() {
    constexpr std::uint16_t operations[]{BPF_ADD, BPF_SUB, BPF_MUL, BPF_AND, BPF_OR,
                                         BPF_XOR, BPF_DIV, BPF_LSH, BPF_RSH};
    constexpr std::uint16_t comparisons[]{BPF_JEQ, BPF_JGT, BPF_JGE, BPF_JSET};
    std::vector<sock_filter> result(2 + number(24));
    for (std::size_t at = 0; at < result.size(); ++at) {
      const auto left = static_cast<std::uint32_t>(result.size() - at - 1);
      auto& [code, jt, jf, k] = result[at];
      const std::uint16_t source = number(4) == 0 ? BPF_X : BPF_K;
      k = word();
      switch (left == 0 ? 9 : number(10)) {
        case 0:
        case 1:
          code = BPF_LD | BPF_W | BPF_ABS, k = 4 * number(16);
          break;
        case 2:
          code = static_cast<std::uint16_t>(BPF_ALU | operations[number(9)] | source), k = 1 + number(31);
          break;
        case 3:
          code = static_cast<std::uint16_t>(number(2) == 0 ? BPF_ST : BPF_STX), k = number(16);
          break;
        case 4:
          code = static_cast<std::uint16_t>((number(2) == 0 ? BPF_LD : BPF_LDX) | (number(2) == 0 ? BPF_MEM : BPF_IMM)),
          k = number(16);
          break;
        case 5:
          code = static_cast<std::uint16_t>(BPF_MISC | (number(2) == 0 ? BPF_TAX : BPF_TXA));
          break;
        case 6:
          code = BPF_JMP | BPF_JA, k = number(left);
          break;
        case 7:
        case 8:
          code = static_cast<std::uint16_t>(BPF_JMP | comparisons[number(4)] | source);
          jt = static_cast<std::uint8_t>(number(left));
          jf = static_cast<std::uint8_t>(number(left));
          break;
        default:
          code = static_cast<std::uint16_t>(BPF_RET | (number(8) == 0 ? BPF_A : BPF_K)),
          k = SECCOMP_RET_ERRNO | number(5);
      }
    }
    return result;
  }

  // A call, and in `pattern` what is told of it.
  seccomp_data call(CallPattern& pattern) {
    seccomp_data data{};
    const auto some_bits = [&](std::uint32_t value) {
      const std::uint32_t unknown = number(3) == 0 ? ~0U : word();
      return Bits{value & ~unknown, unknown};
    };
    data.nr = static_cast<int>(word());
    data.arch = word();
    pattern = CallPattern(some_bits(static_cast<std::uint32_t>(data.nr)), some_bits(data.arch));
    data.instruction_pointer = (std::uint64_t{word()} << 32U) | word();
    for (std::size_t index = 0; index < 6; ++index) {
      data.args[index] = (std::uint64_t{word()} << 32U) | word();
      pattern = pattern.argument(index, some_bits(static_cast<std::uint32_t>(data.args[index])));
    }
    return data;
  }

 private:
  std::mt19937 random_;
};

TEST(Outcomes, HoldEveryAnswer) {
  RandomPrograms random(20240611);
  int denied = 0;
  for (int round = 0; round < 20'000; ++round) {
    const auto instructions = random.program();
    const auto program = SeccompProgram::parse(instructions);
    ASSERT_TRUE(program) << program.error().message();
    Outcomes possible(*program);
    for (int repeat = 0; repeat < 4; ++repeat) {
      CallPattern pattern(anything);
      const seccomp_data call = random.call(pattern);
      const std::uint32_t given = program->evaluate(call);
      const bool may_pass = possible.may_pass(pattern);
      ASSERT_TRUE(may_pass || is_denial(given)) << round;
      const auto& all = possible.of(pattern);
      const bool computed = std::ranges::find(all, SECCOMP_RET_ALLOW) != all.end();
      ASSERT_TRUE(computed || std::ranges::find(all, given) != all.end()) << round << ": " << given;
      denied += may_pass ? 0 : 1;
    }
  }
  EXPECT_GT(denied, 10'000);  // not by saying "perhaps" to everything
}

}  // namespace
}  // namespace agentos::sandbox
