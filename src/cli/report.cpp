#include "cli/report.hpp"

#include <poll.h>
#include <unistd.h>

#include <cerrno>

#include <boost/json/object.hpp>

#include "agentos/base/text.hpp"
#include "cli/json_text.hpp"

namespace agentos::cli {
namespace {

// stdout may be non-blocking: the flag is shared with whoever opened it.
Result<> write_out(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = ::write(fd, text.data(), text.size());
    if (count >= 0) {
      text.remove_prefix(static_cast<std::size_t>(count));
    } else if (errno == EAGAIN) {
      pollfd ready{fd, POLLOUT, 0};
      ::poll(&ready, 1, -1);
    } else if (errno != EINTR) {
      return fail_errno("write the answer");
    }
  }
  return {};
}

void say(std::string_view text) {
  // Nowhere is left to say that stderr cannot be written.
  if (const auto written = write_out(STDERR_FILENO, text); !written) return;
}

}  // namespace

int status_of(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::internal:
      return exit_status::error;
    case ErrorKind::invalid:
      return exit_status::usage;
    case ErrorKind::not_found:
      return exit_status::not_found;
    case ErrorKind::exists:
    case ErrorKind::conflict:
      return exit_status::conflict;
    case ErrorKind::forbidden:
      return exit_status::forbidden;
    case ErrorKind::exhausted:
      return exit_status::exhausted;
    case ErrorKind::unavailable:
      return exit_status::unavailable;
    case ErrorKind::unsupported:
      return exit_status::unsupported;
  }
  return exit_status::error;
}

void report(const Error& error, bool json) {
  if (json) {
    boost::json::object body{{"kind", name(error.kind())}, {"message", error.message()}};
    if (!error.hint().empty()) body["hint"] = error.hint();
    say(json_line(boost::json::object{{"error", std::move(body)}}));
    return;
  }
  std::string text = "agentos: " + printable(error.message()) + "\n";
  if (!error.hint().empty()) text += "hint: " + printable(error.hint()) + "\n";
  say(text);
}

void note(std::string_view text) {
  say("agentos: " + printable(text) + "\n");
}

void note_json(const boost::json::object& fact) {
  say(json_line(fact));
}

Result<> print(std::string_view text) {
  return write_out(STDOUT_FILENO, text);
}
Result<> print_error(std::string_view text) {
  return write_out(STDERR_FILENO, text);
}

}  // namespace agentos::cli
