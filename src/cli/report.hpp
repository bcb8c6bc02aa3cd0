#pragma once

#include <string>
#include <string_view>

#include <boost/json/object.hpp>

#include "agentos/base/result.hpp"

// What the CLI says to people and scripts apart from a command's answer.
namespace agentos::cli {

namespace exit_status {
constexpr int ok = 0;
constexpr int error = 1;
constexpr int usage = 2;
constexpr int not_found = 3;
constexpr int forbidden = 4;
constexpr int conflict = 5;
constexpr int unavailable = 6;
constexpr int unsupported = 7;
constexpr int exhausted = 8;
constexpr int open = 9;      // selftest: something that an agent must not do can be done
constexpr int damaged = 10;  // audit verify
// of run, exec, attach and wait
constexpr int timed_out = 124;
constexpr int agentos_failed = 125;
constexpr int not_executable = 126;
constexpr int no_such_program = 127;
constexpr int signal_base = 128;
}  // namespace exit_status

[[nodiscard]] int status_of(ErrorKind kind);

// "agentos: message" and "hint: ..." on stderr; with `json` one line {"error":{kind,message,hint}}. Neutralised.
void report(const Error& error, bool json);
// "agentos: text" on stderr. Neutralised.
void note(std::string_view text);
// One line of JSON on stderr.
void note_json(const boost::json::object& fact);
// Writes an answer to stdout. A reader that is gone ends the program by SIGPIPE, like other tools; any other failure is
// an error.
[[nodiscard]] Result<> print(std::string_view text);
[[nodiscard]] Result<> print_error(std::string_view text);  // the same to stderr, as it is

}  // namespace agentos::cli
