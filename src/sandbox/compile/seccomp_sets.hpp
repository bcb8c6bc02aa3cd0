#pragma once

#include <span>
#include <string_view>

// The system calls of Linux 6.18 on x86-64 by purpose. Every number the kernel knows is in exactly one set (a test
// holds it), so a new kernel's call is a decision somebody takes here.
namespace agentos::sandbox {

enum class Verdict : unsigned char {
  allow,        // whatever the arguments are
  by_argument,  // seccomp.cpp has the conditions; EPERM otherwise
  refuse,       // EPERM: programs see what an ordinary user sees
  not_there,    // ENOSYS: libc and programs then take the older call
};

struct CallSet {
  std::string_view name;
  Verdict verdict;
  std::span<const int> calls;
};

[[nodiscard]] std::span<const CallSet> call_sets();

// Whether the set "strict" refuses what "agent" lets pass: what an agent that computes on files does without.
[[nodiscard]] bool strict_refuses(int call);

}  // namespace agentos::sandbox
