#include "sandbox/compile/bpf_evaluate.hpp"

#include <string>
#include <vector>

#include <gmock/gmock.h>

#include "calls.hpp"

namespace agentos::sandbox {
namespace {

using testing::HasSubstr;
using Program = std::vector<sock_filter>;

constexpr sock_filter accept BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
constexpr sock_filter return_a BPF_STMT(BPF_RET | BPF_A, 0);

sock_filter statement(std::uint32_t code, std::uint32_t k = 0) {
  return BPF_STMT(static_cast<std::uint16_t>(code), k);
}
sock_filter jump(std::uint32_t code, std::uint32_t k, std::uint8_t jt, std::uint8_t jf) {
  return BPF_JUMP(static_cast<std::uint16_t>(BPF_JMP | code), k, jt, jf);
}

std::string fault(const Program& program) {
  const auto parsed = SeccompProgram::parse(program);
  if (parsed) return "none";
  EXPECT_EQ(parsed.error().kind(), ErrorKind::invalid);
  return parsed.error().message();
}

// What is in A after these instructions.
std::uint32_t computed(Program program, const seccomp_data& call = {}) {
  program.push_back(return_a);
  const auto parsed = SeccompProgram::parse(program);
  EXPECT_TRUE(parsed) << parsed.error().message();
  return parsed ? parsed->evaluate(call) : 0;
}

TEST(SeccompProgramParse, RefusesWhatTheKernelRefuses) {
  EXPECT_EQ(fault({accept}), "none");
  EXPECT_THAT(fault({}), HasSubstr("empty"));
  EXPECT_EQ(fault(Program(4096, accept)), "none");
  EXPECT_THAT(fault(Program(4097, accept)), HasSubstr("4096"));
  EXPECT_THAT(fault({statement(BPF_LD | BPF_IMM)}), HasSubstr("does not return"));

  EXPECT_EQ(fault({statement(BPF_LD | BPF_W | BPF_ABS, 60), accept}), "none");
  EXPECT_THAT(fault({statement(BPF_LD | BPF_W | BPF_ABS, 64), accept}), HasSubstr("outside"));
  EXPECT_THAT(fault({statement(BPF_LD | BPF_W | BPF_ABS, 2), accept}), HasSubstr("outside"));
  EXPECT_THAT(fault({statement(BPF_LD | BPF_W | BPF_ABS, 0xFFFFFFFC), accept}), HasSubstr("outside"));

  EXPECT_EQ(fault({statement(BPF_JMP | BPF_JA, 0), accept}), "none");
  EXPECT_THAT(fault({statement(BPF_JMP | BPF_JA, 1), accept}), HasSubstr("past the end"));
  EXPECT_THAT(fault({statement(BPF_JMP | BPF_JA, 0xFFFFFFFF), accept}), HasSubstr("past the end"));
  EXPECT_EQ(fault({jump(BPF_JEQ, 1, 0, 0), accept}), "none");
  EXPECT_THAT(fault({jump(BPF_JEQ, 1, 1, 0), accept}), HasSubstr("past the end"));
  EXPECT_THAT(fault({jump(BPF_JEQ, 1, 0, 255), accept}), HasSubstr("past the end"));

  EXPECT_THAT(fault({statement(BPF_ALU | BPF_DIV | BPF_K, 0), accept}), HasSubstr("divides by zero"));
  EXPECT_EQ(fault({statement(BPF_ALU | BPF_DIV | BPF_K, 1), accept}), "none");
  EXPECT_THAT(fault({statement(BPF_ALU | BPF_LSH | BPF_K, 32), accept}), HasSubstr("shifts"));
  EXPECT_EQ(fault({statement(BPF_ST, 15), accept}), "none");
  EXPECT_THAT(fault({statement(BPF_ST, 16), accept}), HasSubstr("memory"));
  EXPECT_THAT(fault({statement(BPF_LD | BPF_MEM, 16), accept}), HasSubstr("memory"));

  // Known to BPF, but not to seccomp: bytes and half words, loads relative to X, MOD.
  for (const std::uint32_t code : {BPF_LD | BPF_B | BPF_ABS, BPF_LD | BPF_H | BPF_ABS, BPF_LD | BPF_W | BPF_IND,
                                   BPF_LDX | BPF_B | BPF_MSH, BPF_ALU | BPF_MOD | BPF_K, 0xFFFF}) {
    EXPECT_THAT(fault({statement(code, 4), accept}), HasSubstr("not one that seccomp knows")) << code;
  }
}

TEST(SeccompProgramParse, NamesTheInstruction) {
  EXPECT_THAT(fault({statement(BPF_LD | BPF_IMM), statement(BPF_JMP | BPF_JA, 9), accept}),
              HasSubstr("instruction 1:"));
}

TEST(SeccompProgramEvaluate, LoadsEveryWordOfTheCall) {
  seccomp_data call = data_of(7, {0x1111111122222222, 0, 0, 0, 0, 0x3333333344444444}, 0xAABBCCDD);
  call.instruction_pointer = 0x5555555566666666;
  const auto load = [&](std::uint32_t offset) { return computed({statement(BPF_LD | BPF_W | BPF_ABS, offset)}, call); };
  EXPECT_EQ(load(0), 7U);
  EXPECT_EQ(load(4), 0xAABBCCDDU);
  EXPECT_EQ(load(8), 0x66666666U);
  EXPECT_EQ(load(12), 0x55555555U);
  EXPECT_EQ(load(16), 0x22222222U);
  EXPECT_EQ(load(20), 0x11111111U);
  EXPECT_EQ(load(60), 0x33333333U);
  EXPECT_EQ(computed({statement(BPF_LD | BPF_W | BPF_LEN)}), 64U);
}

TEST(SeccompProgramEvaluate, Computes) {
  const auto with = [&](std::uint32_t operation, std::uint32_t a, std::uint32_t b) {
    const std::uint32_t by_k =
        operation == BPF_DIV && b == 0
            ? 0
            : computed({statement(BPF_LD | BPF_IMM, a), statement(BPF_ALU | operation | BPF_K, b)});
    const std::uint32_t by_x = computed(
        {statement(BPF_LDX | BPF_IMM, b), statement(BPF_LD | BPF_IMM, a), statement(BPF_ALU | operation | BPF_X)});
    EXPECT_EQ(by_k, by_x) << operation;
    return by_x;
  };
  EXPECT_EQ(with(BPF_ADD, 0xFFFFFFFF, 2), 1U);
  EXPECT_EQ(with(BPF_SUB, 1, 2), 0xFFFFFFFFU);
  EXPECT_EQ(with(BPF_MUL, 0x10000, 0x10001), 0x10000U);
  EXPECT_EQ(with(BPF_DIV, 7, 2), 3U);
  EXPECT_EQ(with(BPF_AND, 0b1100, 0b1010), 0b1000U);
  EXPECT_EQ(with(BPF_OR, 0b1100, 0b1010), 0b1110U);
  EXPECT_EQ(with(BPF_XOR, 0b1100, 0b1010), 0b0110U);
  EXPECT_EQ(with(BPF_LSH, 1, 31), 0x80000000U);
  EXPECT_EQ(with(BPF_RSH, 0x80000000, 31), 1U);
  EXPECT_EQ(computed({statement(BPF_LD | BPF_IMM, 1), statement(BPF_ALU | BPF_NEG)}), 0xFFFFFFFFU);
}

TEST(SeccompProgramEvaluate, DivisionByZeroAtRunTimeKills) {
  EXPECT_EQ(computed({statement(BPF_LD | BPF_IMM, SECCOMP_RET_ALLOW), statement(BPF_ALU | BPF_DIV | BPF_X)}),
            std::uint32_t{SECCOMP_RET_KILL_THREAD});
}

TEST(SeccompProgramEvaluate, KeepsMemoryAndX) {
  EXPECT_EQ(computed({statement(BPF_LD | BPF_IMM, 5), statement(BPF_ST, 3), statement(BPF_LD | BPF_IMM, 6),
                      statement(BPF_LDX | BPF_MEM, 3), statement(BPF_MISC | BPF_TXA)}),
            5U);
  EXPECT_EQ(computed({statement(BPF_LD | BPF_IMM, 8), statement(BPF_MISC | BPF_TAX), statement(BPF_STX, 0),
                      statement(BPF_LD | BPF_IMM, 0), statement(BPF_LD | BPF_MEM, 0)}),
            8U);
}

TEST(SeccompProgramEvaluate, Jumps) {
  const auto taken = [](std::uint32_t comparison, std::uint32_t a, std::uint32_t k) {
    const Program program{statement(BPF_LD | BPF_IMM, a), jump(comparison | BPF_K, k, 1, 0),
                          statement(BPF_RET | BPF_K, 0), statement(BPF_RET | BPF_K, 1)};
    return SeccompProgram::parse(program)->evaluate({}) == 1;
  };
  EXPECT_TRUE(taken(BPF_JEQ, 3, 3));
  EXPECT_FALSE(taken(BPF_JEQ, 3, 4));
  EXPECT_TRUE(taken(BPF_JGT, 0x80000000, 1));  // unsigned
  EXPECT_FALSE(taken(BPF_JGT, 3, 3));
  EXPECT_TRUE(taken(BPF_JGE, 3, 3));
  EXPECT_FALSE(taken(BPF_JGE, 2, 3));
  EXPECT_TRUE(taken(BPF_JSET, 6, 2));
  EXPECT_FALSE(taken(BPF_JSET, 6, 1));
  EXPECT_EQ(computed({statement(BPF_JMP | BPF_JA, 1), statement(BPF_RET | BPF_K, 9), statement(BPF_LD | BPF_IMM, 4)}),
            4U);
}

}  // namespace
}  // namespace agentos::sandbox
