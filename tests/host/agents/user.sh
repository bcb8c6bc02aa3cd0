#!/usr/bin/env bash
# An ordinary user and the installed supervisor, without root anywhere: in the guest alice, an operator of tenant acme.
# shellcheck source=tests/host/agents/checks.sh
. "$(dirname "$0")/checks.sh"
here=$(cd "$(dirname "$0")" && pwd)
[ "$(id -u)" != 0 ] || { echo "skipped: is for an ordinary user"; exit 77; }
me=$(id -u):$(id -g)
state() { agentos inspect "$1" | jq -r '.status'; }
mkdir "$folder/work" && cd "$folder/work" || exit 1

is "she has no capability" "$(sed -n 's/^CapEff:\t//p' /proc/self/status)" 0000000000000000
status "she runs an agent" 0 agentos run -- id -u
is "which is not she" "$out" 1000
status "exit statuses come back" 7 agentos run -- sh -c 'exit 7'
status "a missing program is 127" 127 agentos run -- no-such-program
is "bytes pass" "$(head -c 300000 /dev/zero | agentos run -- cat | wc -c)" 300000
echo secret >mine && chmod 600 mine
status "the agent reads her private files and makes others" 0 agentos run --name maker -- sh -c 'cat mine; mkdir sub && echo x >sub/made && chmod 640 sub/made'
is "the private one" "$out" secret
is "they are not in her folder yet" "$(ls -d sub 2>/dev/null)" ""
has "but she sees them" "$(agentos diff maker)" "+x"
status "she takes them over" 0 agentos commit maker
is "those it makes are hers" "$(stat -c %u:%g sub sub/made | sort -u) $(stat -c %a sub/made)" "$me 640"
rm -r sub
out=$(echo end | python3 "$here/person.py" agentos run -- sh -c 'tty; exit 4')
is "on a terminal" $? 4
has "there is one" "$out" /dev/pts/0

# Her own state of a program, by the packaged policy: written where it is hers, and nothing beside it.
mkdir -p ~/.claude/projects && echo '{}' >~/.claude/settings.json
claude() { agentos run --rm --policy claude-code -- sh -c "$1"; }
status "an agent keeps its sessions in her home" 0 claude 'echo kept >~/.claude/projects/session && cat ~/.claude/settings.json'
is "as hers" "$(cat ~/.claude/projects/session) $(stat -c %u:%g ~/.claude/projects/session)" "kept $me"
status "it finds them at their own path too" 0 claude "cat $HOME/.claude/projects/session"
status "its settings it cannot change" 2 claude 'echo bad >~/.claude/settings.json'
claude 'mkdir -p ~/.claude/hooks && echo bad >~/.claude/hooks/new && echo bad >~/.claude/settings.local.json' 2>"$folder/err"
is "nor make others" "$(find ~/.claude -type f | sort | xargs -n 1 basename | xargs)" "session settings.json"
rm -r ~/.claude

status "detach" 0 agentos run --detach --name worker --memory 256M -- sh -c 'echo begun; sleep 1000'
id=$out
has "ps" "$(agentos ps)" worker
is "it is in her tenant" "$(agentos inspect worker | jq -r '.tenant')" acme
until_true "logs" sh -c 'agentos logs worker | grep -q begun'
status "exec" 0 agentos exec worker -- sh -c 'echo $AGENTOS_AGENT_ID'
is "in the same sandbox" "$out" "$id"
status "pause" 0 agentos pause worker
is "paused" "$(state worker)" paused
status "resume" 0 agentos resume worker
is "running" "$(state worker)" running
pid=$(agentos inspect worker | jq -r '.pid')
kill -0 "$pid" 2>"$folder/err"
has "it is beyond her signals" "$(cat "$folder/err")" "not permitted"
status "terminate" 0 agentos terminate --reason enough worker
is "terminated" "$(agentos inspect worker | jq -r '.status + ": " + .reason')" "terminated: enough"
status "wait" 143 agentos wait worker
status "rm" 0 agentos rm worker
status "gone" 3 agentos inspect worker

status "her own tenant by name" 0 agentos ps --tenant acme
status "bob's she may not see" 4 agentos ps --tenant umbra
has "and is told so" "$err" umbra
status "nor run in" 125 agentos run --tenant umbra -- true
status "root's directory she may not give" 125 agentos run --workspace /root -- true
has "and is told which" "$err" /root
status "her own home she may" 0 agentos run --workspace "$HOME" -- true
for path in /var/lib/agentos /run/agentos-spawnd/spawnd.sock; do
  is "$path is not hers" "$([ -r $path ] && echo readable)" ""
done

status "what her agents must not be able to do they cannot" 0 agentos selftest
has "every case" "$out" ", 0 open"

status "prune" 0 agentos prune -f
until_true "nothing is left of her agents" sh -c "[ -z \"\$(find /sys/fs/cgroup/agentos.slice -mindepth 2 -maxdepth 2 -type d -name 'a????????????')\" ]"
is "nor of their records" "$(agentos ps -a -q)" ""
tell_and_exit
