#!/usr/bin/env bash
# One clear message each that says what to do, the exit status for scripts, and nothing left over.
source "$(dirname "$0")/lib.sh"
supervisor_start
ws=$(workspace ws)
cd "$ws" || exit 1
# What agents have on disk, and that a refused start has added nothing to it and no cgroup.
kept() { find "$folder/state" "$folder/run" -mindepth 1 ! -name 'agentos.db*' ! -name filler | sort; }
nothing_left() {
  is "$1: no file is left" "$(kept)" "$before"
  is "$1: no cgroup is left" "$(cgroups)" ""
}
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
status "an empty agent's name" 2 "$agentos" inspect ''
one_line "an empty agent's name"
status "also in a list" 2 "$agentos" pause worker ''
status "also for exec" 125 "$agentos" exec '' -- true
has "says what is missing" "$err" "no agent given"
status "no such agent" 3 "$agentos" inspect nobody-there
has "names it" "$err" nobody-there

if [ -z "$installed" ]; then
  before=$(kept)
  status "a limit this host cannot enforce is refused" 125 "$agentos" run --memory 64MiB -- true
  has "and says what is missing" "$err" memory
  nothing_left "a refused limit"
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
  before=$(kept)
  status "disk full" 125 "$agentos" run -- true
  one_line "disk full"
  nothing_left "disk full"
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

  # Another program holds the lock for writing, until it is told to let go.
  before=$(kept)
  mkfifo "$folder/let-go"
  python3 -c '
import sqlite3, sys
database = sqlite3.connect(sys.argv[1], isolation_level=None)
database.execute("BEGIN EXCLUSIVE")
print("held", flush=True)
open(sys.argv[2]).read()' "$folder/state/agentos.db" "$folder/let-go" >"$folder/holder" &
  holder=$!
  until_true "the database is locked" grep -q held "$folder/holder"
  status "database locked" 125 "$agentos" run --name locked -- touch "$ws/ran"
  one_line "database locked"
  has "which" "$err" "agentos.db is locked by another program"
  has "and what to do" "$err" "fuser -v"
  is "nothing ran" "$(ls "$ws")" ""
  nothing_left "database locked"
  status "reading goes on" 0 "$agentos" ps -a
  has_not "there is no record" "$out" locked
  : >"$folder/let-go"
  wait $holder
  status "and fine when it is let go" 0 "$agentos" run --rm --name locked -- true
  kill "$agentosd"; wait "$agentosd" 2>/dev/null

  # A real agentosd of another version of the API: this one, with other paths.
  mkdir -p "$folder/v2/src/daemon"
  sed 's,/v1/,/v2/,g' "$build/src/daemon/agentosd" >"$folder/v2/src/daemon/agentosd" && chmod 755 "$folder/v2/src/daemon/agentosd"
  build=$folder/v2 start_agentosd
  until_true "an agentosd of another version answers" curl -sf --unix-socket "$AGENTOS_SOCKET" http://localhost/v2/version
  for command in "run -- true" "ps" "inspect locked" "pause locked"; do
    case $command in run*) wanted=125 ;; *) wanted=7 ;; esac
    # shellcheck disable=SC2086 # words
    status "another version: $command" $wanted "$agentos" $command
    one_line "another version: $command"
    has "says so" "$err" "does not know what this agentos"
    has "and what to do" "$err" "install the same version of both"
  done
  nothing_left "another version"
  kill "$agentosd"; wait "$agentosd" 2>/dev/null
  start_agentosd; wait_ready
  status "fine with its own version" 0 "$agentos" run --rm -- true

  printf 'version: 1\ntenants: {default: {rolls: {}}}\n' >"$folder/bad.yaml"
  "$build/src/daemon/agentosd" --socket "$folder/x.sock" --user nobody --state-dir "$folder/x" --run-dir "$folder/x" --config "$folder/bad.yaml" >"$folder/out" 2>&1
  is "a bad configuration: agentosd does not start" "$?" 1
  has "file, line and column" "$(cat "$folder/out")" "bad.yaml:2:"
fi
status "prune" 0 "$agentos" prune -f
finish
