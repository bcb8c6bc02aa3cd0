#!/usr/bin/env bash
# The agents people run, as npm installs them: each tells its version inside as outside.
source "$(dirname "$0")/lib.sh"
supervisor_start
source "$(dirname "$0")/clis_installed.sh"
for tool in claude codex gemini; do
  outside=$(HOME=$folder node_modules/.bin/$tool --version 2>/dev/null | tail -n 1)
  has "$tool is there" "$outside" .
  is "$tool --version" "$("$agentos" run --rm -e PATH --workspace "$tools" -- node_modules/.bin/$tool --version 2>"$folder/err" | tail -n 1)" "$outside"
done
[ $failures = 0 ] || cat "$folder/err"
finish
