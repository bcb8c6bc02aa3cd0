#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "agentos/base/result.hpp"

// The options of one command. Hides the library, so that a command does not compile it.
namespace agentos::cli {

class Options {
 public:
  // One option or positional argument, as completions and tests of the man pages see it.
  struct Entry {
    std::string names;  // "-a,--all"; of a positional: its name
    std::string value;  // what its value is called, "SIZE"; empty: a flag
    std::string help;
    bool positional{};
  };

  Options(std::string_view command, std::string_view summary);
  ~Options();
  Options(const Options&) = delete;
  Options& operator=(const Options&) = delete;

  void flag(const char* names, bool& value, const char* help);
  // Given more than once: the last counts.
  void value(const char* names, const char* what, std::string& value, const char* help);
  // Each time it is given adds one.
  void list(const char* names, const char* what, std::vector<std::string>& values, const char* help);
  void positional(const char* name, std::string& value, const char* help);
  void positionals(const char* name, std::vector<std::string>& values, const char* help, std::size_t least = 1);
  // Everything from the first argument that is no option of this command, or behind "--": a program's command line.
  void rest(const char* name, std::vector<std::string>& values, const char* help);
  void examples(std::string_view text);

  // false: help was asked for. A usage error is ErrorKind::invalid.
  [[nodiscard]] Result<bool> parse(std::span<const std::string> arguments);
  [[nodiscard]] std::string help() const;
  [[nodiscard]] const std::vector<Entry>& entries() const { return entries_; }

 private:
  struct Parser;
  [[nodiscard]] bool takes_value(std::string_view option) const;
  [[nodiscard]] std::vector<std::string> split_rest(std::span<const std::string> arguments);

  std::unique_ptr<Parser> parser_;
  std::vector<Entry> entries_;
  std::vector<std::string>* rest_{};
};

}  // namespace agentos::cli
