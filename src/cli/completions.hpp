#pragma once

#include <string>

// The completion scripts in packaging/completions, made from the commands' own option tables. A test holds the files to
// these; AGENTOS_UPDATE_GOLDEN=1 makes it write them.
namespace agentos::cli {

[[nodiscard]] std::string bash_completion();
[[nodiscard]] std::string zsh_completion();
[[nodiscard]] std::string fish_completion();

}  // namespace agentos::cli
