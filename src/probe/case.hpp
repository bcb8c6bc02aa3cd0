#pragma once

#include <array>
#include <functional>
#include <optional>
#include <string>
#include <vector>

// What an agent may not do, as things to try. Each is harmless where it succeeds: a file is opened for writing and not
// written, a signal is number 0, a call that would change the machine is made with arguments that the kernel refuses
// once it has let the caller in.
namespace agentos::probe {

struct Call {
  long number{};
  std::array<unsigned long, 6> arguments{};
};

struct Finding {
  std::string found;      // "ok", the name of an errno or a signal, or what was seen
  std::string mechanism;  // what stopped it, looked up where it happened
};

struct Case {
  char group{};      // of SECURITY's classes: a identity, b descriptors, d system calls, e terminals and local IPC
  const char* name;  // unique
  const char* held;  // what is found where the sandbox holds; alternatives are separated by '|'
  const char* free;  // and where nothing confines; nullptr: anything that is not in `held`
  std::function<Finding()> attempt;
  std::optional<Call> call{};  // the system call that is refused, for whoever has the filter at hand
};

[[nodiscard]] std::vector<Case> identity_cases();
[[nodiscard]] std::vector<Case> init_process_cases();
[[nodiscard]] std::vector<Case> descriptor_cases();  // to be made before anything opens a file
[[nodiscard]] std::vector<Case> system_call_cases();
[[nodiscard]] std::vector<Case> terminal_cases();

// Run in place of the tests by "--identity": who a program is, in one line.
[[nodiscard]] std::string identity();

}  // namespace agentos::probe
