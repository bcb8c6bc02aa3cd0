#pragma once

#include <string>
#include <string_view>

// Which paths of the host can never be an agent's, neither as its workspace nor by a policy. Decided by agentosd before
// anything is opened, and by agentos-spawnd once more for what it is given.
namespace agentos {

// Whether `path` is `folder` or lies below it. Both are absolute and clean.
[[nodiscard]] bool is_within(std::string_view path, std::string_view folder);

// Of the system: programs and settings that root alone changes, devices, the kernel's own file systems, sockets of
// services, and what agentos keeps.
[[nodiscard]] bool is_of_the_system(std::string_view path);

// Why an absolute, clean path is never given at its own place: "belongs to the system". Empty: it may be.
[[nodiscard]] std::string fault_of_place(std::string_view path);

}  // namespace agentos
