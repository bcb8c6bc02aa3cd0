// Prints a man page's source with the parts that the programs know better than any text:
//   @OPTIONS run@     the options of a command, from its own table
//   @COMMANDS@        all commands
//   @STATUSES@        the statuses of an agent's life, @TRANSITIONS@: the ways between them
#include <fstream>
#include <iostream>

#include "agentos/model/lifecycle.hpp"
#include "cli/command.hpp"

namespace {

using namespace agentos;

// Text in which nothing is markup to scdoc(5).
std::string plain(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (std::string_view("\\*_[]|#`").find(c) != std::string_view::npos) result += '\\';
    result += c;
  }
  return result;
}

bool print_options(std::string_view name) {
  const auto* info = cli::command_named(name);
  if (info == nullptr) return false;
  const auto command = info->make();
  cli::Options options(info->name, info->summary);
  cli::Context context;
  cli::declare(*info, *command, context, options);
  for (const auto& entry : options.entries()) {
    if (entry.positional) continue;
    std::string names = entry.names;
    if (const auto comma = names.find(','); comma != std::string::npos) names.replace(comma, 1, "*, *");
    std::cout << "*" << names << "*";
    if (!entry.value.empty()) std::cout << " _" << plain(entry.value) << "_";
    std::cout << "\n\t" << plain(entry.help) << ".\n\n";
  }
  return true;
}

void print_commands() {
  for (const auto& info : cli::commands())
    std::cout << "*agentos-" << info.name << "*(1)\n\t" << plain(info.summary) << ".\n\n";
}

void print_statuses() {
  for (int i = 0; i <= static_cast<int>(Status::rejected); ++i) {
    const auto status = static_cast<Status>(i);
    std::cout << "- *" << plain(name(status)) << "*" << (is_final(status) ? " (final)" : "") << "\n";
  }
}

void print_transitions() {
  std::cout << "[[ *from*\n:[ *event*\n:[ *to*\n";
  for (const auto& way : transitions) {
    std::cout << "|  " << plain(name(way.from)) << "\n:  " << plain(name(way.event)) << "\n:  " << plain(name(way.to))
              << "\n";
  }
}

}  // namespace

int main(int count, char** arguments) {
  std::ifstream source(count == 2 ? arguments[1] : "");
  if (!source) {
    std::cerr << "usage: expand PAGE.scd\n";
    return 2;
  }
  for (std::string line; std::getline(source, line);) {
    if (line.starts_with("@OPTIONS ") && line.ends_with('@')) {
      const auto command = line.substr(9, line.size() - 10);
      if (!print_options(command)) {
        std::cerr << arguments[1] << ": there is no command '" << command << "'\n";
        return 1;
      }
    } else if (line == "@COMMANDS@") {
      print_commands();
    } else if (line == "@STATUSES@") {
      print_statuses();
    } else if (line == "@TRANSITIONS@") {
      print_transitions();
    } else if (line.starts_with('@')) {
      std::cerr << arguments[1] << ": unknown part '" << line << "'\n";
      return 1;
    } else {
      std::cout << line << '\n';
    }
  }
  return 0;
}
