// agentos-probe [--free] [GROUP]...: tries what an agent may not do and tells what came of it, one case a line:
//
//   GROUP  NAME  held|open  EXPECTED  FOUND  MECHANISM  CALL
//
// separated by tabs; CALL is the number and the arguments of the system call in question, or empty. With --free the
// expectation is that of a process that nothing confines. The last line is "end" and the number of cases: without it
// something ended the probe. `agentos selftest` runs it in a sandbox and reads this.
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <iterator>
#include <string>
#include <string_view>

#include "case.hpp"

namespace agentos::probe {
namespace {

bool is_one_of(std::string_view found, std::string_view alternatives) {
  while (!alternatives.empty()) {
    const auto one = alternatives.substr(0, alternatives.find('|'));
    if (found == one) return true;
    alternatives.remove_prefix(std::min(alternatives.size(), one.size() + 1));
  }
  return false;
}

std::string numbers_of(const Call& call) {
  std::string text = std::to_string(call.number);
  for (const auto argument : call.arguments) text += " " + std::to_string(argument);
  return text;
}

std::string one_line(std::string text) {
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = '?';
  }
  return text;
}

void tell(const Case& one, bool free) {
  const auto finding = one.attempt();
  bool as_expected = is_one_of(finding.found, one.held);
  std::string expected = one.held;
  if (free) {
    as_expected = one.free == nullptr ? !as_expected : is_one_of(finding.found, one.free);
    expected = one.free == nullptr ? "not " + expected : one.free;
  }
  std::printf("%c\t%s\t%s\t%s\t%s\t%s\t%s\n", one.group, one.name, as_expected ? "held" : "open", expected.c_str(),
              one_line(finding.found).c_str(), one_line(finding.mechanism).c_str(),
              one.call ? numbers_of(*one.call).c_str() : "");
  // A case may end this process, or fork it.
  std::fflush(stdout);
}

int main(int count, char** arguments) {
  bool free = false;
  std::string groups;
  for (int i = 1; i < count; ++i) {
    const std::string_view argument = arguments[i];
    if (argument == "--identity") return std::puts(identity().c_str()) < 0 ? 1 : 0;
    if (argument == "--free") {
      free = true;
    } else if (argument.size() == 1 && std::string_view("abde").contains(argument[0])) {
      groups += argument;
    } else {
      std::fputs("usage: agentos-probe [--free] [a|b|d|e]...\n", stderr);
      return 2;
    }
  }
  auto cases = descriptor_cases();
  for (auto more : {identity_cases(), init_process_cases(), system_call_cases(), terminal_cases()})
    std::ranges::move(more, std::back_inserter(cases));
  int told = 0;
  for (const auto& one : cases) {
    if (!groups.empty() && groups.find(one.group) == std::string::npos) continue;
    tell(one, free);
    ++told;
  }
  std::printf("end\t%d\n", told);
  return 0;
}

}  // namespace
}  // namespace agentos::probe

int main(int count, char** arguments) {
  return agentos::probe::main(count, arguments);
}
