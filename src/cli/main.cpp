#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <string>
#include <vector>

#include "agentos/base/text.hpp"
#include "cli/command.hpp"
#include "cli/report.hpp"

namespace agentos::cli {
namespace {

// A program may be started with 0, 1 or 2 closed; the next file opened would then become its stdout.
void open_standard_streams() {
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd) {
    if (::fcntl(fd, F_GETFD) < 0 && ::open("/dev/null", fd == STDIN_FILENO ? O_RDONLY : O_WRONLY) != fd) ::_exit(125);
  }
}

std::string overview() {
  std::string text =
      "Run AI agents, each in its own sandbox.\n"
      "Usage: agentos COMMAND [OPTIONS] ...\n";
  const char* group = "";
  for (const auto& command : commands()) {
    if (std::string_view(group) != command.group) {
      group = command.group;
      text += "\n" + std::string(group) + ":\n";
    }
    std::string line = "  " + std::string(command.name);
    line.resize(14, ' ');
    text += line + command.summary + "\n";
  }
  return text +
         "\nagentos COMMAND --help explains a command, man agentos everything.\n"
         "\nExamples:\n"
         "  agentos run bash                     a shell in a sandbox, with this folder as its workspace\n"
         "  agentos run --rm -- claude --version\n"
         "  agentos ps -a\n";
}

Error unknown_command(std::string_view given) {
  const auto near =
      std::ranges::min_element(commands(), {}, [&](const auto& c) { return edit_distance(given, c.name); });
  std::string hint = "agentos --help lists the commands";
  if (given.size() <= 20 && edit_distance(given, near->name) <= (given.size() > 4 ? 2U : 1U))
    hint = "did you mean 'agentos " + std::string(near->name) + "'?";
  return {ErrorKind::invalid, "'" + std::string(given) + "' is not a command", std::move(hint)};
}

int fail_with(const Error& error, bool json, const CommandInfo* info) {
  report(error, json);
  return info != nullptr && info->program_status ? exit_status::agentos_failed : status_of(error.kind());
}

int run_command(const CommandInfo& info, std::span<const std::string> arguments, Context context) {
  const auto command = info.make();
  Options options(info.name, info.summary);
  declare(info, *command, context, options);
  const auto parsed = options.parse(arguments);
  // --json may stand behind the mistake.
  if (!parsed)
    return fail_with(parsed.error(), context.json || std::ranges::find(arguments, "--json") != arguments.end(), &info);
  if (!*parsed) {
    const auto printed = print(options.help());
    return printed ? exit_status::ok : fail_with(printed.error(), context.json, &info);
  }
  const auto status = command->run(context);
  return status ? *status : fail_with(status.error(), context.json, &info);
}

int main(std::vector<std::string> arguments) {
  Context context;
  const char* socket = std::getenv("AGENTOS_SOCKET");
  context.socket = socket != nullptr && *socket != '\0' ? socket : client::default_socket;

  // Options in front of the command, the same as behind it.
  std::vector<std::string> rest;
  bool version = false;
  Options options("", "Run AI agents, each in its own sandbox");
  options.flag("--version", version, "Show the versions");
  options.flag("--json", context.json, "Answer, and say errors, as JSON");
  options.value("--tenant", "TENANT", context.tenant, "Tenant to act in");
  options.value("--socket", "PATH", context.socket, "Socket of agentosd");
  options.rest("COMMAND", rest, "The command");
  const auto parsed = options.parse(arguments);
  if (!parsed) return fail_with(parsed.error(), context.json, nullptr);
  if (version) rest = {"version"};
  if (!*parsed || (!rest.empty() && rest[0] == "help")) {
    if (rest.size() > 1) {
      rest = {rest[1], "--help"};
    } else {
      const auto printed = print(overview());
      return printed ? exit_status::ok : fail_with(printed.error(), context.json, nullptr);
    }
  }
  if (rest.empty()) {
    return fail_with({ErrorKind::invalid, "no command given", "agentos --help lists the commands"}, context.json,
                     nullptr);
  }
  const auto* info = command_named(rest[0]);
  if (info == nullptr) return fail_with(unknown_command(rest[0]), context.json, nullptr);
  return run_command(*info, std::span(rest).subspan(1), std::move(context));
}

}  // namespace
}  // namespace agentos::cli

int main(int argc, char** argv) {
  agentos::cli::open_standard_streams();
  return agentos::cli::main(std::vector<std::string>(argv + (argc > 0 ? 1 : 0), argv + argc));
}
