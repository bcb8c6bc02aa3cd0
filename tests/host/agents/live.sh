#!/usr/bin/env bash
# agentos top and the completions as a person meets them: on a terminal, in real shells, with real agents.
source "$(dirname "$0")/lib.sh"
supervisor_start
cd "$(workspace ws)" || exit 1
here=$AGENTOS_SOURCE/tests/host/agents
export TERM=xterm agentos
person() { python3 "$here/person.py" "$@"; }

"$agentos" run --detach --name builder -- sh -c 'while :; do :; done' >/dev/null
out=$(person "$agentos" top --interval 200ms <<'S'
expect 1 agent,
expect builder
run "$agentos" run --detach --name tester -- sleep 1000
expect 2 agents,
expect tester
run "$agentos" terminate --grace 0 tester
expect 1 agent,
resize 10 60
expect builder
send m
expect builder
send q
end
S
)
is "top shows agents as they come and go, and q leaves it" $? 0
has "on a screen of its own" "$out" $'\033[?1049h'
has "the terminal is as before" "$out" $'\033[?25h\033[?1049l'
out=$(person "$agentos" top <<'S'
expect builder
send \x03
end
S
)
is "ctrl-c leaves it" $? 0
has "this, too" "$out" $'\033[?25h\033[?1049l'

# The completions of this checkout, and agentos in front of everything in PATH.
PATH=$(dirname "$agentos"):$PATH
files=$AGENTOS_SOURCE/packaging/completions
completes() { # completes SHELL COMMAND...: the shell's start on stdin
  local shell=$1
  shift
  out=$({
    cat
    cat <<'S'
send agentos ins\t--help\r
expect Usage: agentos inspect
send agentos inspect bui\t\r
expect "name": "builder"
send exit 5\r
end
S
  } | HOME=$folder person "$@")
  is "$shell completes a command and an agent's name" $? 5 || echo "$out"
}
completes bash bash --norc -i <<S
send PS1=re''ady; source $files/agentos.bash\r
expect ready
S
completes zsh zsh -f -i <<S
send fpath=($files \$fpath); autoload -U compinit; compinit -u -D; PS1=re''ady\r
expect ready
S
completes fish fish --no-config -i <<S
send source $files/agentos.fish; echo re''ady\r
expect ready
S
finish
