#!/usr/bin/env bash
# agentos run: stdio, exit statuses, names, logs, the record.
source "$(dirname "$0")/lib.sh"
supervisor_start
ws=$(workspace ws)
cd "$ws" || exit 1

status "true exits 0" 0 "$agentos" run -- true
status "exit status comes back" 7 "$agentos" run -- sh -c 'exit 7'
status "death by signal is 128 + n" 137 "$agentos" run -- sh -c 'kill -9 $$'
status "a missing program is 127" 127 "$agentos" run -- no-such-program
has "and is named" "$err" "no-such-program"
status "a file that is no program is 126" 126 "$agentos" run -- /etc/passwd
status "stdout and stderr stay apart" 0 "$agentos" run -- sh -c 'echo out; echo err >&2'
is "stdout" "$out" "out"
has "stderr" "$err" "err"
has_not "stderr is not stdout" "$err" "out"

head -c 3000000 /dev/urandom >"$folder/bytes"
is "3 MB pass through stdin and stdout unchanged" \
  "$("$agentos" run -- cat <"$folder/bytes" 2>/dev/null | sha256sum)" "$(sha256sum <"$folder/bytes")"
is "a slow reader gets every byte" \
  "$("$agentos" run -- sh -c 'head -c 2000000 /dev/zero' 2>/dev/null | (sleep 0.5; wc -c))" 2000000
is "end of stdin is end of stdin" "$(printf 'a\nb\n' | "$agentos" run -- wc -l 2>/dev/null)" 2

status "the agent is not root" 0 "$agentos" run -- id -u
is "its uid" "$out" 1000
status "environment: only what is named" 0 env SECRET=x NAMED=y "$agentos" run -e NAMED -e GIVEN=z -- env
has "named" "$out" "NAMED=y"
has "given" "$out" "GIVEN=z"
has_not "not named" "$out" SECRET
status "it works in the workspace" 0 "$agentos" run -w :bind -- sh -c 'pwd; echo hello >made'
is "same path as outside" "$out" "$ws"
is "what it writes is the caller's" "$(stat -c %u:%g made) $(cat made)" "0:0 hello"

status "--detach prints the id" 0 "$agentos" run --detach --name worker --goal 'sleep a while' -- sh -c 'echo begun; sleep 1000'
id=$out
is "an id is 13 characters" "${#id}" 13
until_true "its output is in the log" sh -c "'$agentos' logs worker | grep -q begun"
has "ps shows it" "$("$agentos" ps)" worker
is "name and id mean the same" "$("$agentos" inspect worker | jq -r '.id')" "$id"
is "the goal is in the record" "$("$agentos" inspect "$id" | jq -r '.goal')" "sleep a while"
status "the name is taken" 125 "$agentos" run --detach --name worker -- true
has "and the error says so" "$err" worker
status "exec runs beside it" 0 "$agentos" exec worker -- sh -c 'echo $AGENTOS_AGENT_ID'
is "in the same sandbox" "$out" "$id"
status "exec gives its own exit status" 9 "$agentos" exec worker -- sh -c 'exit 9'
status "pause" 0 "$agentos" pause worker
is "paused" "$("$agentos" inspect worker | jq -r '.status')" paused
status "a paused agent is not paused again" 5 "$agentos" pause worker
status "resume" 0 "$agentos" resume worker
status "a running agent is not removed" 5 "$agentos" rm worker
status "terminate" 0 "$agentos" terminate --reason 'no longer needed' worker
is "terminated" "$("$agentos" inspect worker | jq -r '.status + ": " + .reason')" "terminated: no longer needed"
status "wait gives the status of one that has ended" 143 "$agentos" wait worker
status "rm" 0 "$agentos" rm worker
status "it is gone" 3 "$agentos" inspect worker

status "one that ignores SIGTERM is killed after its grace" 0 \
  "$agentos" run --detach --name stubborn -- sh -c 'trap "" TERM; echo ready; while :; do sleep 1; done'
until_true "it runs" sh -c "'$agentos' logs stubborn | grep -q ready"
status "terminate with a grace of 1 s" 0 "$agentos" terminate --grace 1s stubborn
is "terminated" "$("$agentos" inspect stubborn | jq -r '.status')" terminated
status "a paused agent can be terminated" 0 sh -c "'$agentos' run -d --name frozen -- sleep 1000 && '$agentos' pause frozen && '$agentos' terminate frozen"

status "--rm leaves no record" 0 "$agentos" run --rm --name fleeting -- true
status "fleeting is gone" 3 "$agentos" inspect fleeting
status "prune removes what has ended" 0 "$agentos" prune -f
is "none is left" "$("$agentos" ps -a -q)" ""

"$agentos" run --name chatty -- printf 'one\n\033[2Jtwo\n' >/dev/null
has_not "logs show no escape sequence" "$("$agentos" logs chatty)" $'\033'
has "but what it was" "$("$agentos" logs chatty)" 'x1b'
is "tail" "$("$agentos" logs --tail 1 chatty | tail -n 1)" '\x1b[2Jtwo'
status "a goal with an escape sequence" 0 "$agentos" run --name painter --goal $'\033[31mred' -- true
has_not "ps shows no escape sequence" "$("$agentos" ps -a)" $'\033'

env --default-signal=INT "$agentos" run --name signalled -- sh -c 'trap "echo caught; exit 3" INT; echo ready; while :; do sleep 0.1; done' >"$folder/out" &
runner=$!
until_true "it runs in the foreground" grep -q ready "$folder/out"
kill -INT $runner
wait $runner
is "SIGINT reaches the agent" "$?: $(tail -n 1 "$folder/out")" "3: caught"

# Neither does input that the program does not read hold it up: the first one counts.
interrupted() { # interrupted COMMAND...: its exit status when it gets SIGINT once, behind input without end
  mkfifo "$folder/endless"
  yes >"$folder/endless" 2>/dev/null &
  env --default-signal=INT "$@" <"$folder/endless" >"$folder/out" 2>"$folder/err" &
  runner=$!
  until_true "it runs: $*" grep -q ready "$folder/out"
  until_true "its input is stuck" sh -c 'read -r was </proc/$0/io; sleep 0.2; read -r now </proc/$0/io; [ "$was" = "$now" ]' $runner
  local began=$SECONDS
  kill -INT $runner
  wait $runner
  got=$?
  took=$((SECONDS - began))
  rm "$folder/endless"
}
interrupted "$agentos" run --name stuck -- sh -c 'echo ready; exec sleep 1000'
is "one SIGINT ends it behind unread input" "$got, $((took < 10))" "130, 1"
"$agentos" run --detach --name host -- sleep 1000 >/dev/null
interrupted "$agentos" exec host -- sh -c 'echo ready; exec sleep 1000'
is "and an exec" "$got, $((took < 10))" "130, 1"
is "not the agent" "$("$agentos" inspect host | jq -r '.status')" running
finish
