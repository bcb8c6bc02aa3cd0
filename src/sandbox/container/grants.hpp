#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "agentos/base/fd.hpp"
#include "agentos/base/result.hpp"
#include "agentos/model/plan.hpp"

namespace agentos::container {

// Where a step of kind `grant` puts what is granted: its path inside, and on the host.
[[nodiscard]] std::string granted_path(const MountStep& step);
[[nodiscard]] std::size_t grants_of(const Plan& plan);

// The type of the file system of a mount by its number in the text of /proc/PID/mountinfo; empty: it is not there.
[[nodiscard]] std::string_view type_of_mount(std::string_view mountinfo, std::uint64_t mount);

// Whether the descriptors of a plan's grants, in its order, are what an agent may be given: opened with O_PATH, each a
// directory or regular file that is reached by the plan's path, on a file system that keeps files on a disk or in
// memory, and under no other name one of the folders that fault_of_place() keeps. Asks no file system that a user
// serves.
[[nodiscard]] Result<> check_grants(const Plan& plan, std::span<const UniqueFd> fds);

}  // namespace agentos::container
