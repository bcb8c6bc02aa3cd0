# Sourced by the tests of this folder: a supervisor of the test's own (or the installed one, where systemd is PID 1), users of
# two tenants, and checks. Each test is a script that ends with `finish`.
set -uo pipefail

[ "$(id -u)" = 0 ] || { echo "skipped: needs root"; exit 77; }

build=${AGENTOS_BUILD:?the build directory}
. "$(dirname "${BASH_SOURCE[0]}")/checks.sh"

# The users: root and alice are of tenant default, bob of tenant other, eve of none.
alice=$(id -u alice 2>/dev/null || echo 21001)
bob=$(id -u bob 2>/dev/null || echo 21002)
eve=$(id -u eve 2>/dev/null || echo 21003)

as() { # as UID COMMAND...
  local uid=$1
  shift
  setpriv --reuid="$uid" --regid="$uid" --clear-groups env -i PATH="$PATH" HOME=/nonexistent LANG=C.UTF-8 TERM=xterm \
    ${ASAN_OPTIONS+"ASAN_OPTIONS=$ASAN_OPTIONS"} AGENTOS_SOCKET="${AGENTOS_SOCKET:-}" "$@"
}

workspace() { # workspace NAME [UID]: a directory of that user
  mkdir -p "$folder/$1"
  chown "${2:-0}:${2:-0}" "$folder/$1"
  echo "$folder/$1"
}

config() {
  cat <<YAML
version: 1
tenants:
  default:
    roles:
      admin: {users: [root]}
      operator: {users: ["$alice"]}
  other:
    roles:
      operator: {users: ["$bob"]}
YAML
}

start_spawnd() {
  "$build/src/spawnd/agentos-spawnd" --socket "$folder/spawnd/spawnd.sock" --user nobody --cgroup-slice "$slice" \
    --init "${init:-$build/src/init/agentos-init}" --state-dir "$folder/spawnd-state" >>"$folder/spawnd.log" 2>&1 &
  spawnd=$!
}
start_agentosd() {
  "$build/src/daemon/agentosd" --socket "$AGENTOS_SOCKET" --spawnd-socket "$folder/spawnd/spawnd.sock" --user nobody \
    --state-dir "$folder/state" --run-dir "$folder/run" --config "$folder/agentos.yaml" --policies-dir "$policies" \
    --tenants-dir "$tenants" --profiles-dir "$folder/profiles" >>"$folder/agentosd.log" 2>&1 &
  agentosd=$!
}
ready() { "$agentos" version >/dev/null 2>&1; }
wait_ready() {
  local end=$((SECONDS + 20))
  until ready; do
    if [ $SECONDS -ge $end ]; then
      echo "FAIL the supervisor has not started"
      cat "$folder"/*.log
      exit 1
    fi
    sleep 0.02
  done
}

supervisor_start() {
  if [ -d /run/systemd/system ]; then
    installed=1
    agentos=/usr/bin/agentos
    slice=agentos.slice
    policies=/etc/agentos/policies tenants=/etc/agentos/tenants
    export AGENTOS_SOCKET=/run/agentos/agentos.sock
    cp /etc/agentos/agentos.yaml "$folder/agentos.yaml.before"
    config >/etc/agentos/agentos.yaml
    systemctl restart agentos-spawnd agentosd
  else
    installed=
    agentos=$build/src/cli/agentos
    slice=agentos-test-$$.slice
    export AGENTOS_SOCKET=$folder/run/agentos.sock
    policies=$folder/policies tenants=$folder/tenants
    mkdir "$policies" "$tenants" "$folder/profiles"
    cp "$(dirname "${BASH_SOURCE[0]}")"/../../../policies/*.yaml "$folder/profiles"
    chmod 755 "$policies" "$tenants" "$folder/profiles"
    config >"$folder/agentos.yaml"
    mkdir "$folder/spawnd" "$folder/state" "$folder/run"
    chown nobody "$folder/state" "$folder/run"
    chmod 711 "$folder/spawnd"
    start_spawnd
    start_agentosd
  fi
  cgroup2=$(awk '$3 == "cgroup2" {print $2; exit}' /proc/mounts)
  wait_ready
}

kill_spawnd() { if [ -n "$installed" ]; then systemctl kill --signal=KILL agentos-spawnd; else kill -9 "$spawnd"; wait "$spawnd" 2>/dev/null; fi; }
kill_agentosd() { if [ -n "$installed" ]; then systemctl kill --signal=KILL agentosd; else kill -9 "$agentosd"; wait "$agentosd" 2>/dev/null; fi; }
# Down until it is revived: systemd restarts what was killed.
stop_spawnd() { if [ -n "$installed" ]; then systemctl stop agentos-spawnd; else kill_spawnd; fi; }
stop_agentosd() { if [ -n "$installed" ]; then systemctl stop agentosd; else kill_agentosd; fi; }
revive_spawnd() { if [ -n "$installed" ]; then systemctl start agentos-spawnd; else start_spawnd; fi; }
revive_agentosd() { if [ -n "$installed" ]; then systemctl reset-failed agentosd; systemctl start agentosd; else start_agentosd; fi; wait_ready; }

supervisor_stop() {
  for id in $("$agentos" ps -q 2>/dev/null) $(as "$bob" "$agentos" ps -q 2>/dev/null); do
    "$agentos" terminate --grace 0 "$id" >/dev/null 2>&1 || as "$bob" "$agentos" terminate --grace 0 "$id" >/dev/null 2>&1
  done
  "$agentos" ps -a -q 2>/dev/null | xargs -r "$agentos" rm --discard >/dev/null 2>&1
  as "$bob" "$agentos" ps -a -q 2>/dev/null | as "$bob" xargs -r "$agentos" rm --discard >/dev/null 2>&1
  if [ -n "$installed" ]; then
    cp "$folder/agentos.yaml.before" /etc/agentos/agentos.yaml
    systemctl reload-or-restart agentosd
  else
    kill "$agentosd" "$spawnd" 2>/dev/null
    wait "$agentosd" "$spawnd" 2>/dev/null
  fi
}

# Agents' cgroups that are still there.
cgroups() { find "$cgroup2/$slice" -mindepth 2 -maxdepth 2 -type d -name 'a????????????' 2>/dev/null; }

finish() {
  supervisor_stop
  is "nothing is left of the agents in the cgroup tree" "$(cgroups)" ""
  is "nothing is left of the agents in the mount table" "$(grep -c "$folder" /proc/mounts)" 0
  if [ -z "$installed" ]; then
    is "nor of what counted them" "$(ls -d "/sys/fs/bpf/${slice//./_}" 2>/dev/null)" ""
    find "$cgroup2/$slice" -depth -type d -exec rmdir {} + 2>/dev/null
  fi
  # Where the programs are built with sanitizers (tests/run host-sanitized): what they found, of both daemons and the CLI.
  [ -z "${SANITIZER_REPORTS-}" ] || is "the sanitizers have found nothing" "$(cat "$SANITIZER_REPORTS"/* 2>/dev/null)" ""
  [ $failures = 0 ] || for log in spawnd agentosd; do
    [ -s "$folder/$log.log" ] && { echo "--- $log"; tail -20 "$folder/$log.log"; }
  done
  tell_and_exit
}
trap 'kill ${agentosd:-} ${spawnd:-} 2>/dev/null' EXIT
