#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "case.hpp"

namespace agentos::probe {

// "ok" for 0, else the name of the errno: "EPERM".
[[nodiscard]] std::string word_of(int number);

// Does it in a child that leads a session of its own, and gives what came of it: what `attempt` returned (0 or an
// errno), or the name of the signal that ended the child. So nothing of it stays.
[[nodiscard]] std::string in_child(const std::function<int()>& attempt);

// errno of the call, 0 when it succeeded. Of a fork the new process ends at once.
[[nodiscard]] int make(const Call& call);

// Opens for reading or writing and closes again.
[[nodiscard]] Finding open_file(const std::string& path, int flags);
// Why `path` cannot be opened for writing: the first of its mount, a mask, its owner.
[[nodiscard]] std::string guard_of(const std::string& path);

[[nodiscard]] std::string content_of(const std::string& path);
[[nodiscard]] std::vector<std::string> names_in(const std::string& path);
[[nodiscard]] std::vector<std::string> lines_of(const std::string& text);
// The value of "NAME:\tVALUE" in /proc/self/status.
[[nodiscard]] std::string status_of(std::string_view name);
// "none", or what there is: the number and the first few.
[[nodiscard]] std::string none_or(const std::vector<std::string>& found);

}  // namespace agentos::probe
