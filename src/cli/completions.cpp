#include "cli/completions.hpp"

#include <algorithm>
#include <vector>

#include "agentos/model/lifecycle.hpp"
#include "cli/command.hpp"

namespace agentos::cli {
namespace {

constexpr const char* made = " completion for agentos, made from its own option tables (src/cli/completions.cpp).\n";

std::vector<Options::Entry> entries_of(const CommandInfo& info) {
  const auto command = info.make();
  Options options(info.name, info.summary);
  Context context;
  declare(info, *command, context, options);
  return options.entries();
}

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  for (;;) {
    const auto end = text.find(separator);
    parts.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

std::string statuses() {
  std::string all;
  for (int i = 0; i <= static_cast<int>(Status::rejected); ++i)
    all += (i == 0 ? "" : " ") + std::string(name(static_cast<Status>(i)));
  return all;
}

// What a value is completed with.
enum class Kind { nothing, folder, file, status, variable };

Kind kind_of(std::string_view value) {
  if (value == "DIR") return Kind::folder;
  if (value == "PATH") return Kind::file;
  if (value == "STATUS") return Kind::status;
  if (value.starts_with("NAME[=")) return Kind::variable;
  return Kind::nothing;
}

// Which agents a command acts on: only those that run, or also those that have ended.
const char* agents_for(std::string_view command) {
  for (const auto* running : {"exec", "attach", "pause", "resume", "terminate"}) {
    if (command == running) return "";
  }
  return "-a";
}

constexpr const char* policy_verbs = "check list show explain diff reload";

std::string positional_of(const CommandInfo& info) {
  for (const auto& entry : entries_of(info)) {
    if (entry.positional) return entry.names;
  }
  return {};
}

// "agentos diff AGENT PATH...": the agent first, then paths.
bool takes_paths(const CommandInfo& info) {
  return std::ranges::any_of(entries_of(info),
                             [](const auto& entry) { return entry.positional && entry.names == "PATH"; });
}

std::string bash_value(std::string_view value) {
  switch (kind_of(value)) {
    case Kind::folder:
      return "compgen -d -- \"$cur\"";
    case Kind::file:
      return "compgen -f -- \"$cur\"";
    case Kind::status:
      return "compgen -W '" + statuses() + "' -- \"$cur\"";
    case Kind::variable:
      return "compgen -e -- \"$cur\"";
    case Kind::nothing:
      break;
  }
  return ":";
}

}  // namespace

std::string bash_completion() {
  std::string names, options, values;
  for (const auto& info : commands()) {
    names += (names.empty() ? "" : " ") + std::string(info.name);
    std::string all;
    for (const auto& entry : entries_of(info)) {
      if (entry.positional) continue;
      for (const auto& option : split(entry.names, ',')) all += (all.empty() ? "" : " ") + option;
      std::string quoted;
      for (const auto& one : split(entry.names, ','))
        quoted += (quoted.empty() ? "'" : " | '") + std::string(info.name) + " " + one + "'";
      if (!entry.value.empty()) values += "    " + quoted + ") " + bash_value(entry.value) + " ;;\n";
    }
    const auto positional = positional_of(info);
    const std::string agents =
        positional.starts_with("AGENT") ? " agents='" + std::string(agents_for(info.name)) + "'" : "";
    const std::string verbs = positional == "VERB" ? " verbs='" + std::string(policy_verbs) + "'" : "";
    const std::string rest = positional == "COMMAND" ? " rest=1" : positional == "AGENT COMMAND" ? " rest=2" : "";
    const std::string paths = takes_paths(info) ? " paths=1" : "";
    options += "    " + std::string(info.name) + ") options='" + all + "'" + agents + verbs + rest + paths + " ;;\n";
  }
  return "# bash" + std::string(made) +
         R"sh(
# What may stand behind an option that takes a value; status 1: it takes none.
_agentos_value() { # "COMMAND OPTION"
  local cur=$2
  case $1 in
)sh" + values +
         R"sh(    *) return 1 ;;
  esac
}

_agentos() {
  local cur=${COMP_WORDS[COMP_CWORD]} before='' command='' options='' agents=none verbs='' rest=0 paths=0 words=0 i
  COMPREPLY=()
  # readline parts words at '=' too: "--status=failed" is three of them.
  ((COMP_CWORD == 0)) || before=${COMP_WORDS[COMP_CWORD - 1]}
  [[ $cur != = ]] || cur=''
  [[ $before != = ]] || before=${COMP_WORDS[COMP_CWORD - 2]}
  for ((i = 1; i < COMP_CWORD; i++)); do
    case ${COMP_WORDS[i]} in
      --socket | --tenant) [[ -n $command ]] || ((i++)) ;;&
      -*)
        if [[ -n $command ]] && _agentos_value "$command ${COMP_WORDS[i]}" '' >/dev/null; then
          ((i++))
          [[ ${COMP_WORDS[i]} != = ]] || ((i++))
        fi
        ;;
      =) ((i++)) ;;
      *)
        if [[ -z $command ]]; then command=${COMP_WORDS[i]}; else ((words++)); fi
        # From here on it is another program's command line.
        if ((rest > 0 && words >= rest)); then
          if declare -F _command_offset >/dev/null; then _command_offset "$i"; else mapfile -t COMPREPLY < <(compgen -f -- "$cur") && compopt -o filenames 2>/dev/null; fi
          return
        fi
        ;;
    esac
    [[ $command != "${COMP_WORDS[i]}" || $words -gt 0 ]] || case $command in
)sh" + options +
         R"sh(    esac
  done
  if [[ -z $command ]]; then
    case $before in
      --socket) mapfile -t COMPREPLY < <(compgen -f -- "$cur") ;;
      --tenant) ;;
      *) mapfile -t COMPREPLY < <(compgen -W ')sh" +
         names + R"sh( --help --version --json --tenant --socket' -- "$cur") ;;
    esac
    return
  fi
  if _agentos_value "$command $before" "$cur" >/dev/null; then
    mapfile -t COMPREPLY < <(_agentos_value "$command $before" "$cur")
    [[ ! -e ${COMPREPLY-} ]] || compopt -o filenames 2>/dev/null
  elif [[ $cur == -* ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$options" -- "$cur")
  elif ((paths > 0 && words > 0)); then
    mapfile -t COMPREPLY < <(compgen -f -- "$cur") && compopt -o filenames 2>/dev/null
  elif [[ $agents != none ]] && ((words == 0 || rest == 0)); then
    # shellcheck disable=SC2086 # an option, or nothing
    mapfile -t COMPREPLY < <(compgen -W "$(agentos ps -q --names $agents 2>/dev/null)" -- "$cur")
  elif [[ -n $verbs ]] && ((words == 0)); then
    mapfile -t COMPREPLY < <(compgen -W "$verbs" -- "$cur")
  elif [[ -n $verbs ]]; then
    mapfile -t COMPREPLY < <(compgen -f -- "$cur") && compopt -o filenames 2>/dev/null
  elif ((rest > 0)); then
    mapfile -t COMPREPLY < <(compgen -c -- "$cur")
  fi
}
complete -F _agentos agentos
)sh";
}

namespace {

// In single quotes, within an _arguments spec in zsh: brackets and colons are its own.
std::string zsh_text(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (c == '\'') {
      result += "'\\''";
    } else if (c == '[' || c == ']' || c == ':') {
      result += std::string("\\") + c;
    } else {
      result += c;
    }
  }
  return result;
}

std::string zsh_value(std::string_view value) {
  const auto what = ":" + zsh_text(value) + ":";
  switch (kind_of(value)) {
    case Kind::folder:
      return what + "_files -/";
    case Kind::file:
      return what + "_files";
    case Kind::status:
      return what + "(" + statuses() + ")";
    case Kind::variable:
      return what + "_parameters -g \"*export*\"";
    case Kind::nothing:
      break;
  }
  return what;
}

std::string zsh_specs(const CommandInfo& info) {
  std::string specs;
  for (const auto& entry : entries_of(info)) {
    if (entry.positional) continue;
    const auto names = split(entry.names, ',');
    const bool repeated = entry.value.starts_with("NAME[=");
    const auto rest = "[" + zsh_text(entry.help) + "]" + (entry.value.empty() ? "" : zsh_value(entry.value)) + "'";
    std::string line;
    for (const auto& option : names) line += (line.empty() ? "" : ",") + option;
    if (repeated) {
      line = "'*'{" + line + "}'" + rest;
    } else if (names.size() > 1) {
      line = "'(" + names[0] + " " + names[1] + ")'{" + line + "}'" + rest;
    } else {
      line = "'" + names[0] + rest;
    }
    specs += "        " + line + " \\\n";
  }
  const auto positional = positional_of(info);
  const auto agents = std::string("_agentos_agents") + (*agents_for(info.name) == '\0' ? "" : "_all");
  if (positional == "COMMAND") {
    specs += "        '(-)1:program:_command_names -e' '*::arguments:_normal'";
  } else if (positional == "AGENT COMMAND") {
    specs += "        '(-)1:agent:" + agents + "' '(-)2:program:_command_names -e' '*::arguments:_normal'";
  } else if (takes_paths(info)) {
    specs += "        '1:agent:" + agents + "' '*:path:_files'";
  } else if (positional == "AGENT" && std::string_view(info.name) != "attach" &&
             std::string_view(info.name) != "logs") {
    specs += "        '*:agent:" + agents + "'";
  } else if (positional == "VERB") {
    specs += "        '1:verb:(" + std::string(policy_verbs) + ")' '*:file:_files'";
  } else if (positional == "AGENT") {
    specs += "        '1:agent:" + agents + "'";
  } else {
    specs.erase(specs.size() - 3);
  }
  return specs;
}

std::string fish_text(std::string_view text) {
  std::string result;
  for (const char c : text) result += c == '\'' || c == '\\' ? std::string("\\") + c : std::string(1, c);
  return result;
}

std::string fish_value(std::string_view value) {
  switch (kind_of(value)) {
    case Kind::folder:
      return " -xa '(__fish_complete_directories)'";
    case Kind::file:
      return " -r";
    case Kind::status:
      return " -xa '" + statuses() + "'";
    case Kind::variable:
      return " -xa '(set --names --export)'";
    case Kind::nothing:
      break;
  }
  return " -x";
}

}  // namespace

std::string zsh_completion() {
  std::string names, cases;
  for (const auto& info : commands()) {
    names += "    '" + std::string(info.name) + ":" + zsh_text(info.summary) + "'\n";
    cases += "    " + std::string(info.name) + ")\n      _arguments -S \\\n" + zsh_specs(info) + "\n      ;;\n";
  }
  return "#compdef agentos\n# zsh" + std::string(made) + R"sh(
_agentos_agents() {
  local -a agents
  agents=(${(f)"$(agentos ps -q --names $1 2>/dev/null)"})
  compadd -a agents
}
_agentos_agents_all() { _agentos_agents -a }

_agentos() {
  local curcontext=$curcontext state line
  local -a commands
  commands=(
)sh" + names +
         R"sh(  )
  _arguments -C \
    '(-h --help)'{-h,--help}'[Show help]' \
    '--version[Show the versions]' \
    '--json[Answer as JSON]' \
    '--tenant[Tenant to act in]:TENANT:' \
    '--socket[Socket of agentosd]:PATH:_files' \
    '1:command:->command' '*::arguments:->arguments'
  if [[ $state == command ]]; then
    _describe command commands
    return
  fi
  [[ $state == arguments ]] || return
  case $line[1] in
)sh" + cases +
         R"sh(  esac
}

_agentos "$@"
)sh";
}

std::string fish_completion() {
  std::string text = "# fish" + std::string(made) + R"sh(
function __agentos_command -a wanted
    set -l words (commandline -opc)
    set -e words[1]
    while set -q words[1]
        switch $words[1]
            case --socket --tenant
                set -e words[1]
            case '-*'
            case '*'
                test "$words[1]" = "$wanted"
                return
        end
        set -e words[1]
    end
    test -z "$wanted"
end

complete -c agentos -f
complete -c agentos -n '__agentos_command ""' -s h -l help -d 'Show help'
complete -c agentos -n '__agentos_command ""' -l version -d 'Show the versions'
complete -c agentos -n '__agentos_command ""' -l json -d 'Answer as JSON'
complete -c agentos -n '__agentos_command ""' -l tenant -x -d 'Tenant to act in'
complete -c agentos -n '__agentos_command ""' -l socket -r -d 'Socket of agentosd'
)sh";
  for (const auto& info : commands()) {
    const std::string name = info.name;
    const std::string condition = "complete -c agentos -n '__agentos_command " + name + "'";
    text += "\ncomplete -c agentos -n '__agentos_command \"\"' -a " + name + " -d '" + fish_text(info.summary) + "'\n";
    for (const auto& entry : entries_of(info)) {
      if (entry.positional) continue;
      std::string options;
      for (const auto& option : split(entry.names, ',')) {
        options += option.starts_with("--") ? " -l " + option.substr(2) : " -s " + option.substr(1);
      }
      text += condition + options + (entry.value.empty() ? "" : fish_value(entry.value)) + " -d '" +
              fish_text(entry.help) + "'\n";
    }
    const auto positional = positional_of(info);
    const std::string all = agents_for(info.name);
    if (positional.starts_with("AGENT")) {
      text += condition + " -a '(agentos ps -q --names " + (all.empty() ? "" : all + " ") + "2>/dev/null)'\n";
    }
    if (takes_paths(info)) text += condition + " -F\n";
    if (positional == "VERB") text += condition + " -xa '" + policy_verbs + "'\n";
    if (positional.ends_with("COMMAND")) text += condition + " -a '(__fish_complete_subcommand)'\n";
  }
  return text;
}

}  // namespace agentos::cli
