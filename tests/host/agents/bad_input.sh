#!/usr/bin/env bash
# One clear message each that says what to do, the exit status for scripts, and nothing left over.
source "$(dirname "$0")/lib.sh"
supervisor_start
ws=$(workspace ws)
cd "$ws" || exit 1
one_line() { is "$1: one message" "$(echo "$err" | grep -c '^agentos: ')" 1; }

status "no command" 125 "$agentos" run
status "unknown subcommand" 2 "$agentos" fly
has "names the help" "$err" "--help"
status "unknown option" 125 "$agentos" run --no-such-option -- true
status "missing workspace" 125 "$agentos" run --workspace "$folder/none" -- true
one_line "missing workspace"
has "names the directory" "$err" "$folder/none"
touch "$folder/file"
status "workspace that is a file" 125 "$agentos" run --workspace "$folder/file" -- true
one_line "workspace that is a file"
for path in / /usr /etc /proc; do
  status "workspace $path" 125 "$agentos" run --workspace "$path" -- true
  has "says why" "$err" "$path"
done
status "bad name" 125 "$agentos" run --name 'No Good' -- true
one_line "bad name"
status "bad size" 125 "$agentos" run --memory lots -- true
has "shows how to write it" "$err" "512MiB"
status "bad variable" 125 "$agentos" run -e '=x' -- true
status "no such agent" 3 "$agentos" inspect nobody-there
has "names it" "$err" nobody-there

if [ -z "$installed" ]; then
  status "a limit this host cannot enforce is refused" 125 "$agentos" run --memory 64MiB -- true
  has "and says what is missing" "$err" memory
  status "without limits it runs" 0 "$agentos" run -- true
  has "and says in a line what is not enforced" "$err" "not enforced"
fi

stop_agentosd
status "daemon down" 6 "$agentos" ps
one_line "daemon down"
has "says how to start it" "$err" "start"
revive_agentosd
stop_spawnd
status "agentos-spawnd down" 125 "$agentos" run -- true
one_line "agentos-spawnd down"
has "names it" "$err" "agentos-spawnd"
revive_spawnd
until_true "it is used again when it is back" "$agentos" run --rm -- true

mkdir -m 700 "$folder/closed"
status "socket forbidden" 4 as "$alice" env AGENTOS_SOCKET="$folder/closed/agentos.sock" "$agentos" ps
one_line "socket forbidden"

if [ -z "$installed" ]; then
  kill "$agentosd"; wait "$agentosd" 2>/dev/null
  mount -t tmpfs -o size=256k,mode=755 none "$folder/state" && chown nobody "$folder/state"
  start_agentosd; wait_ready
  su_fill() { head -c 1M /dev/zero >"$folder/state/filler" 2>/dev/null; true; }
  su_fill
  status "disk full" 125 "$agentos" run -- true
  one_line "disk full"
  rm "$folder/state/filler"
  until_true "and fine when there is room again" "$agentos" run --rm -- true
  kill "$agentosd"; wait "$agentosd" 2>/dev/null
  umount "$folder/state"
  printf 'this is no database' >"$folder/state/agentos.db"; chown nobody "$folder/state/agentos.db"
  start_agentosd; wait "$agentosd"
  is "a database that is none: agentosd does not start" "$?" 1
  has "and says which file" "$(tail -n 3 "$folder/agentosd.log")" "agentos.db"
  rm -f "$folder"/state/agentos.db*
  start_agentosd; wait_ready
  printf 'version: 1\ntenants: {default: {rolls: {}}}\n' >"$folder/bad.yaml"
  "$build/src/daemon/agentosd" --socket "$folder/x.sock" --user nobody --state-dir "$folder/x" --run-dir "$folder/x" --config "$folder/bad.yaml" >"$folder/out" 2>&1
  is "a bad configuration: agentosd does not start" "$?" 1
  has "file, line and column" "$(cat "$folder/out")" "bad.yaml:2:"
fi
status "prune" 0 "$agentos" prune -f
finish
