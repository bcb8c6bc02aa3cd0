#!/usr/bin/env bash
# That a leak in a daemon which has given up root would be told, where the other tests look for it.
. "$(dirname "${BASH_SOURCE[0]}")/../agents/checks.sh"
[ "$(id -u)" = 0 ] || { echo "skipped: needs root"; exit 77; }
chmod 1777 "$folder"
status "a daemon that leaks ends as one that failed" 23 \
  env ASAN_OPTIONS="log_path=$folder/report" "${AGENTOS_BUILD:?the build directory}/tests/host/sanitizers/leaking_daemon"
has "and a report says where" "$(cat "$folder"/report.*)" "256 byte(s) in 1 object(s) allocated from"
tell_and_exit
