#!/usr/bin/env bash
# The agents people run, as npm installs them: each tells its version inside as outside.
source "$(dirname "$0")/lib.sh"
supervisor_start
tools=${AGENTOS_CACHE:-$HOME/.cache/agentos}/clis
mkdir -p "$tools"
cd "$tools" || exit 1
[ -f package.json ] || npm init -y >/dev/null
[ -x node_modules/.bin/gemini ] || npm install --no-audit --no-fund --silent @anthropic-ai/claude-code @openai/codex @google/gemini-cli || bad "npm install of the agents"
for tool in claude codex gemini; do
  outside=$(HOME=$folder node_modules/.bin/$tool --version 2>/dev/null | tail -n 1)
  has "$tool is there" "$outside" .
  is "$tool --version" "$("$agentos" run --rm --workspace "$tools" -- node_modules/.bin/$tool --version 2>"$folder/err" | tail -n 1)" "$outside"
done
[ $failures = 0 ] || cat "$folder/err"
finish
