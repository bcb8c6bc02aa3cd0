#!/usr/bin/env bash
# The agents people run, at work under the profiles made for them: each mends a bug with its own tools, and meets its limits.
# Their model is a local server beside them that speaks the provider's wire format and plays a script.
if [ -z "${own_mounts-}" ]; then # in which ~ is another folder
  own_mounts=1 AGENTOS_CACHE=${AGENTOS_CACHE:-$HOME/.cache/agentos} exec unshare --mount "$0"
fi
source "$(dirname "$0")/lib.sh"
supervisor_start
here=$(cd "$(dirname "$0")" && pwd)
source "$here/clis_installed.sh"
# A workspace of its own: a checkout with a bug, beside the agents themselves.
ws=$(workspace ws)
cp -al "$tools/node_modules" "$ws/" 2>/dev/null || cp -a "$tools/node_modules" "$ws/"
cp "$here/../../services/model.py" "$ws/"
mkdir "$ws/work" && cd "$ws/work" || exit 1
printf 'def add(a, b):\n    return a - b\n' >sums.py
git init -q && git add . && git -c user.name=t -c user.email=t@t commit -qm begin

# A home of its own, in which the agents were before.
home=$(getent passwd "$(id -u)" | cut -d: -f6)
# What else is there stays to be seen: this checkout may be in it.
mkdir "$folder/over" && mount -t tmpfs none "$folder/over" && mkdir "$folder/over/upper" "$folder/over/work" &&
  mount -t overlay -o "lowerdir=$home,upperdir=$folder/over/upper,workdir=$folder/over/work" none "$home" || exit 1
for state in .claude .codex .gemini; do
  mkdir -p "$folder/home/$state" "$home/$state" && mount --bind "$folder/home/$state" "$home/$state" || exit 1
done
mkdir -p "$home"/.claude/projects "$home"/.codex/sessions "$home"/.gemini/tmp
echo '{}' >"$home/.claude/settings.json"
echo '{"security": {"auth": {"selectedType": "gemini-api-key"}, "folderTrust": {"enabled": false}}}' >"$home/.gemini/settings.json"
cat >"$home/.codex/config.toml" <<'TOML'
model = "gpt-5"
model_provider = "local"
[model_providers.local]
name = "local"
base_url = "http://127.0.0.1:8099/v1"
wire_api = "responses"
env_key = "OPENAI_API_KEY"
TOML

# Three turns: what it may do, what it may not, and the end. The tools are those that run a shell command, as each agent
# names it; what they answered the model finds in the next request, and its log has it.
jq -n --arg mend "sed -i 's/a - b/a + b/' sums.py && python3 -B -c 'import sums; print(sums.add(2, 3))'" \
  --arg beyond "for f in ~/.claude/settings.json $home/.claude/settings.json ~/.codex/config.toml ~/.gemini/settings.json; do echo evil >>\$f && echo changed; done; cat /etc/shadow && echo read" '
  def turn($c): {tools: {Bash: {command: $c, description: "work"}, exec_command: {cmd: $c}, run_shell_command: {command: $c}}};
  [turn($mend), turn($beyond), {text: "The sum is mended."}]' >"$ws/script.json"

works() { # works PROFILE COMMAND...; $environment is given beside it
  local profile=$1
  shift
  cd "$ws" || exit 1
  status "$profile: at work" 0 env ANTHROPIC_API_KEY=key OPENAI_API_KEY=key GEMINI_API_KEY=key "$agentos" run --name "$profile" \
    --policy "$profile" "${environment[@]}" -- sh -c '
    export PATH="'"$tools_path"'$PATH"
    python3 model.py --script script.json --port 8099 --log model.log >port 2>&1 &
    while ! [ -s port ]; do sleep 0.05; done
    cd work && "$@" </dev/null' sh "$@"
  has "$profile: says so" "$out" "The sum is mended."
  status "$profile: the change waits" 0 "$agentos" diff --stat "$profile" work
  has "$profile: in the file" "$out" "sums.py"
  is "$profile: outside it is as it was" "$(git -C work status --porcelain)" ""
  status "$profile: committed" 0 "$agentos" commit "$profile" work/sums.py model.log
  is "$profile: mended" "$(python3 -B -c 'import sys; sys.path.insert(0, "work"); import sums; print(sums.add(2, 3))')" 5
  has "$profile: /etc/shadow is not there for it" "$(grep -o '/etc/shadow: [A-Za-z ]*' model.log | sort -u)" "No such file"
  has_not "$profile: its settings are not its to change" "$(cat "$home"/.claude/settings.json "$home"/.codex/config.toml "$home"/.gemini/settings.json)" evil
  status "$profile: the rest is discarded" 0 "$agentos" rm --discard "$profile"
  git -C work checkout -q . && rm -f model.log
}
tools_path=
[ ! -x "$ws/node_modules/node/bin/node" ] || tools_path=$ws/node_modules/node/bin:
environment=(-e ANTHROPIC_BASE_URL=http://127.0.0.1:8099)
works claude-code "$ws/node_modules/.bin/claude" -p "Mend add in sums.py" --allowedTools Bash
has "claude-code: its session is kept in the caller's home" "$(find "$home/.claude/projects" -name '*.jsonl' | head -n 1)" jsonl
environment=()
works codex "$ws/node_modules/.bin/codex" exec --skip-git-repo-check --dangerously-bypass-approvals-and-sandbox "Mend add in sums.py"
has "codex: its session is kept in the caller's home" "$(find "$home/.codex/sessions" -name '*.jsonl' | head -n 1)" jsonl
environment=(-e GOOGLE_GEMINI_BASE_URL=http://127.0.0.1:8099)
works gemini-cli "$ws/node_modules/.bin/gemini" -p "Mend add in sums.py" --yolo
umount --recursive --lazy "$home" && umount "$folder/over"
finish
