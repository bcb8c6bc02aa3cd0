#!/usr/bin/env bash
# The agents people run, as npm installs them: each tells its version inside as outside.
source "$(dirname "$0")/lib.sh"
supervisor_start
tools=${AGENTOS_CACHE:-$HOME/.cache/agentos}/clis
mkdir -p "$tools"
cd "$tools" || exit 1
[ -f package.json ] || npm init -y >/dev/null
[ -x node_modules/.bin/gemini ] || npm install --no-audit --no-fund --silent @anthropic-ai/claude-code @openai/codex @google/gemini-cli || bad "npm install of the agents"
# Gemini CLI takes Node 20, Debian 12 has 18; npm has Node too.
if [ "$(node -p 'process.versions.node.split(".")[0]')" -lt 20 ]; then
  [ -x node_modules/node/bin/node ] || npm install --no-audit --no-fund --silent node@22 || bad "npm install of node"
  PATH=$tools/node_modules/node/bin:$PATH
fi
for tool in claude codex gemini; do
  outside=$(HOME=$folder node_modules/.bin/$tool --version 2>/dev/null | tail -n 1)
  has "$tool is there" "$outside" .
  is "$tool --version" "$("$agentos" run --rm -e PATH --workspace "$tools" -- node_modules/.bin/$tool --version 2>"$folder/err" | tail -n 1)" "$outside"
done
[ $failures = 0 ] || cat "$folder/err"
finish
