# Sourced: installs the agents people run from npm, once, into $tools, and puts a Node that they take into PATH.
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
