#!/usr/bin/env bash
# agentos-init: its agent neither stops nor misleads it, and those who attach do not either.
. "$(dirname "$0")/lib.sh"
supervisor_start
ws=$(workspace beset)
install -m 644 "$here/beset.py" "$ws"
cd "$ws" || exit 1
inside_agent() { timeout 60 "$agentos" run --rm -w :bind -- "$@" 2>/dev/null; }
of_init() { # ID: kilobytes and descriptors of its init, from outside
  local pid
  pid=$("$agentos" inspect "$1" | jq .pid)
  awk '/^VmRSS/ {print $2}' "/proc/$pid/status"
  find "/proc/$pid/fd" -mindepth 1 | wc -l
}
bounded() { # WHAT ID
  local size
  mapfile -t size < <(of_init "$2")
  is "$1: its init has less than 8 MiB" "$((${size[0]:-99999} < 8192))" 1
  is "$1: and less than 100 descriptors" "$((${size[1]:-999} < 100))" 1
}

# Signals and files of process 1.
is "signals reach a child and never process 1" "$(inside_agent python3 beset.py signals | tr '\n' ' ')" \
  "process 1: EPERM a child: ok 9 "
of_one=$(inside_agent python3 beset.py files)
is "the agent opens its own of these" "$(grep -c ': open 1: ' <<<"$of_one")" 10
is "and of process 1 none" "$(grep -c '1: ok' <<<"$of_one")" 0

# Children that lose their parent are reaped, however many.
is "thousands of orphans" "$(inside_agent python3 beset.py orphans 3000)" "orphans left: 0"

# Ends are told as they were, and by nobody else.
for end in 0 1 127 128 255; do
  status "exit $end" "$end" inside_agent sh -c "exit $end"
done
for number in 1 6 9 11 15 31 34 64; do
  status "ended by signal $number" $((128 + number)) inside_agent sh -c "kill -$number \$\$; sleep 20"
done
status "a program that leaves others with its output" 7 inside_agent sh -c 'setsid sleep 1000 & (trap "" HUP TERM; yes) & exit 7'
status "a program that closes all it has" 5 inside_agent sh -c 'exec 0<&- 1>&- 2>&-; exit 5'
"$agentos" run --name forger -- sh -c 'for fd in 3 4 5 6 7 8 9; do echo completed >&$fd; done; exit 9' >/dev/null 2>&1
is "who writes to the descriptors of init has none" "$("$agentos" inspect forger | jq -r '.exit_code // .exit.code // .exit_status')" 9

state=${installed:+/var/lib/agentos} state=${state:-$folder/state}
# The log has an end, whatever is written, and what is short stays whole.
is "a short log is whole" "$(inside_agent printf 'a\0b\377\n' | od -An -tx1 | tr -d ' ')" 610062ff0a
for what in 'yes "" | head -c 20000000' 'head -c 50000000 /dev/zero' 'head -c 20000000 /dev/urandom'; do
  "$agentos" run --detach --name writer -- sh -c "$what; echo has all; sleep 1000" >/dev/null 2>&1
  until_true "written: $what" sh -c "'$agentos' logs writer | tail -c 100 | grep -aq 'has all'"
  bounded "$what" writer
  size=$(find "$state" -path "*/$("$agentos" inspect writer | jq -r .id)/log.[01]" -printf '%s\n' | awk '{all += $1} END {print all + 0}')
  is "its logs have an end: two files of 8 MiB" "$((size > 1 << 20 && size <= (16 << 20)))" 1
  status "another program runs beside it" 0 timeout 20 "$agentos" exec writer -- true
  "$agentos" terminate --grace 0 writer >/dev/null
  "$agentos" rm --discard writer >/dev/null
done

# Terminals that nobody reads, and that are told to stop.
"$agentos" run --detach --tty --name terminal -- sh -c 'stty ixon; printf "\023"; (yes | head -c 5000000); echo has all; sleep 1000' >/dev/null 2>&1
until_true "an agent writes to a terminal that nobody reads" sh -c "'$agentos' logs terminal | tail -c 100 | grep -aq 'has all'"
bounded "terminal" terminal
"$agentos" terminate --grace 0 terminal >/dev/null

# Who attaches.
"$agentos" run --detach --name attached -- sh -c 'while :; do echo output; done' >/dev/null 2>&1
id=$("$agentos" inspect attached | jq -r .id)
socket=$(find "$(dirname "$AGENTOS_SOCKET")" -name "*$id*" -type s | head -n 1)
has "the agent has a socket for that" "$socket" "$id"
mkfifo "$folder/hold"
for how in "garbage 300" "huge 20" "silent 5" "many 1000"; do
  # shellcheck disable=SC2086
  timeout 60 python3 beset.py clients "$socket" $how <"$folder/hold" >"$folder/clients" 2>&1 &
  client=$!
  exec 9>"$folder/hold"
  for _ in {1..200}; do
    grep -q "^${how% *} " "$folder/clients" || ! kill -0 $client 2>/dev/null && break
    sleep 0.05
  done
  is "clients that keep no rule" "$(cat "$folder/clients")" "$how"
  bounded "clients: $how" attached
  exec 9>&-
  wait $client
  status "another is served after it: $how" 0 timeout 20 "$agentos" exec attached -- true
done
status "and the agent is terminated" 0 timeout 20 "$agentos" terminate --grace 0 attached
finish
