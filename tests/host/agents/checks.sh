# Sourced by the tests of this folder: checks that go on after a failure and are counted. They take no root.
set -uo pipefail
checks=0
failures=0
folder=$(mktemp -d /var/tmp/agentos-test-XXXXXX)
chmod 755 "$folder"

good() { checks=$((checks + 1)); echo "ok   $1"; }
bad() {
  checks=$((checks + 1))
  failures=$((failures + 1))
  echo "FAIL $1"
  shift
  printf '     %s\n' "$@"
}

# is WHAT GOT WANTED
is() { if [ "$2" = "$3" ]; then good "$1"; else bad "$1" "got:    $2" "wanted: $3"; fi; }
# has WHAT TEXT PART
has() { case "$2" in *"$3"*) good "$1" ;; *) bad "$1" "no '$3' in: $2" ;; esac; }
# has_not WHAT TEXT PART
has_not() { case "$2" in *"$3"*) bad "$1" "'$3' is in: $2" ;; *) good "$1" ;; esac; }
# status WHAT WANTED COMMAND...: its exit status; what it prints is left in $out and $err
status() {
  local what=$1 wanted=$2 got
  shift 2
  "$@" >"$folder/out" 2>"$folder/err" </dev/null
  got=$?
  out=$(cat "$folder/out")
  err=$(cat "$folder/err")
  if [ "$got" = "$wanted" ]; then good "$what"; else bad "$what" "status $got, wanted $wanted" "out: $out" "err: $err"; fi
}
# until WHAT COMMAND...: waits for it to succeed, 20 s at most
until_true() {
  local what=$1 end=$((SECONDS + 20))
  shift
  until "$@" >/dev/null 2>&1; do
    if [ $SECONDS -ge $end ]; then
      bad "$what" "not within 20 s: $*"
      return 1
    fi
    sleep 0.05
  done
  good "$what"
}


tell_and_exit() {
  rm -rf "$folder"
  echo "$((checks - failures)) checks passed, $failures failed"
  [ $failures = 0 ] && [ $checks -gt 0 ]
  exit $?
}
