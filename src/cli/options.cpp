#include "cli/options.hpp"

#include <algorithm>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

namespace agentos::cli {
namespace {

CLI::Validator not_empty() {
  return {[](const std::string& value) { return value.empty() ? "a name must not be empty" : ""; }, ""};
}

}  // namespace

struct Options::Parser {
  CLI::App app;
  std::string usage_tail;
};

Options::Options(std::string_view command, std::string_view summary) : parser_(std::make_unique<Parser>()) {
  auto& app = parser_->app;
  app.name("agentos" + std::string(command.empty() ? "" : " ") + std::string(command));
  app.description(std::string(summary) + ".");
  app.set_help_flag("-h,--help", "Show this help");
  app.option_defaults()->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  app.get_formatter()->column_width(34);
  entries_.push_back({"-h,--help", "", "Show this help", false});
}

Options::~Options() = default;

void Options::flag(const char* names, bool& value, const char* help) {
  parser_->app.add_flag(names, value, help);
  entries_.push_back({names, "", help, false});
}

void Options::value(const char* names, const char* what, std::string& value, const char* help) {
  parser_->app.add_option(names, value, help)->type_name(what);
  entries_.push_back({names, what, help, false});
}

void Options::list(const char* names, const char* what, std::vector<std::string>& values, const char* help) {
  // Without allow_extra_args(false) one -e would swallow the arguments behind its value.
  parser_->app.add_option(names, values, help)
      ->type_name(what)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->allow_extra_args(false);
  entries_.push_back({names, what, help, false});
}

void Options::positional(const char* name, std::string& value, const char* help) {
  parser_->app.add_option(name, value, help)->type_name("")->required()->check(not_empty());
  entries_.push_back({name, name, help, true});
}

void Options::positionals(const char* name, std::vector<std::string>& values, const char* help, std::size_t least) {
  auto* option = parser_->app.add_option(name, values, help)->type_name("")->check(not_empty());
  option->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  if (least > 0) option->required();
  entries_.push_back({name, name, help, true});
}

void Options::rest(const char* name, std::vector<std::string>& values, const char* help) {
  rest_ = &values;
  // Known to the library for the help text only.
  parser_->app.add_option(name, values, help)->type_name("");
  entries_.push_back({name, name, help, true});
}

void Options::examples(std::string_view text) {
  parser_->app.footer("Examples:\n" + std::string(text));
}

bool Options::takes_value(std::string_view option) const {
  const auto* found = parser_->app.get_option_no_throw(std::string(option));
  return found != nullptr && found->get_items_expected_max() > 0;
}

// The arguments that the library is to see: "--name=value" in two, and nothing of the rest.
std::vector<std::string> Options::split_rest(std::span<const std::string> arguments) {
  std::vector<std::string> seen;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string& argument = arguments[i];
    const bool option = argument.size() > 1 && argument[0] == '-' && argument != "--";
    if (rest_ != nullptr && !option) {
      rest_->assign(arguments.begin() + static_cast<std::ptrdiff_t>(i) + (argument == "--" ? 1 : 0), arguments.end());
      break;
    }
    if (argument == "--") {
      seen.insert(seen.end(), arguments.begin() + static_cast<std::ptrdiff_t>(i), arguments.end());
      break;
    }
    const auto equals = argument.find('=');
    if (argument.starts_with("--") && equals != std::string::npos && takes_value(argument.substr(0, equals))) {
      seen.push_back(argument.substr(0, equals));
      seen.push_back(argument.substr(equals + 1));
      continue;
    }
    seen.push_back(argument);
    // "-e NAME": the value is the next argument, whatever it looks like; "-eNAME" has it inside.
    if (option && takes_value(argument) && i + 1 < arguments.size()) seen.push_back(arguments[++i]);
  }
  return seen;
}

Result<bool> Options::parse(std::span<const std::string> arguments) {
  auto seen = split_rest(arguments);
  std::ranges::reverse(seen);  // the library takes them from the back
  try {
    parser_->app.parse(std::move(seen));
  } catch (const CLI::CallForHelp&) {
    return false;
  } catch (const CLI::Error& error) {
    std::string what = error.what();
    while (what.ends_with('\n')) what.pop_back();
    return fail(ErrorKind::invalid, what, "see " + parser_->app.get_name() + " --help");
  }
  return true;
}

std::string Options::help() const {
  return parser_->app.help();
}

}  // namespace agentos::cli
