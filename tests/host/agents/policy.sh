#!/usr/bin/env bash
# Policies: what they allow and forbid binds, ceilings bind, a bad file keeps the last good one, and why says the truth.
source "$(dirname "$0")/lib.sh"
supervisor_start
ws=$(workspace ws)
cd "$ws" || exit 1
trap 'rm -f "$policies"/test-*.yaml "$tenants/default.yaml"; kill ${agentosd:-} ${spawnd:-} 2>/dev/null' EXIT
policy() { # policy NAME: from stdin, at once in force
  cat >"$policies/$1.yaml.new"
  mv "$policies/$1.yaml.new" "$policies/$1.yaml"
  "$agentos" policy reload >/dev/null 2>&1
}
ceiling() {
  cat >"$tenants/default.yaml"
  "$agentos" policy reload >/dev/null 2>&1
}
no_ceiling() { rm -f "$tenants/default.yaml"; "$agentos" policy reload >/dev/null 2>&1; }
run() { "$agentos" run --rm "$@"; }

# --- paths
mkdir -p secrets .git/hooks src
echo key >secrets/key; echo env >.env; echo hook >.git/hooks/pre-commit; echo code >src/main
policy test-paths <<'YAML'
version: 1
filesystem:
  hidden: [./secrets, ./.env, /usr/bin/head, ./not-there]
  read_only: [./.git/hooks]
  workspace: bind
YAML
bind=(--workspace "$ws:bind")
status "without the policy a secret is read" 0 run "${bind[@]}" -- cat secrets/key .env
is "both of them" "$out" "key
env"
status "with it a hidden folder cannot be entered" 1 run --policy test-paths "${bind[@]}" -- cat secrets/key
has "permission denied" "$err" "Permission denied"
status "nor listed" 2 run --policy test-paths "${bind[@]}" -- ls secrets
status "nor a hidden file be read" 1 run --policy test-paths "${bind[@]}" -- cat .env
status "nor be moved away from under it" 1 run --policy test-paths "${bind[@]}" -- sh -c 'mv secrets open && cat open/key'
mkdir -p holder/in && echo deep >holder/in/secret
policy test-deep <<'YAML'
version: 1
filesystem: {hidden: [./holder/in/secret], workspace: bind}
YAML
status "without the policy a folder can be moved" 0 run "${bind[@]}" -- sh -c 'mv holder held && mv held holder'
status "with it not with what is hidden in it, for the next agent to find" 1 run --policy test-deep "${bind[@]}" -- mv holder held
status "nor the folder within" 1 run --policy test-deep "${bind[@]}" -- mv holder/in holder/out
rm -r holder
status "nor a hidden program of the host be run" 126 run --policy test-paths "${bind[@]}" -- head -n 1 src/main
status "which runs without the policy" 0 run "${bind[@]}" -- head -n 1 src/main
status "what is not hidden is there" 0 run --policy test-paths "${bind[@]}" -- cat src/main
status "without the policy a hook can be written" 0 run "${bind[@]}" -- sh -c 'echo changed >.git/hooks/pre-commit'
echo hook >.git/hooks/pre-commit
status "a protected one not" 2 run --policy test-paths "${bind[@]}" -- sh -c 'echo changed >.git/hooks/pre-commit'
status "nor made anew beside it" 1 run --policy test-paths "${bind[@]}" -- touch .git/hooks/post-commit
status "nor by another folder in its parent's place" 1 run --policy test-paths "${bind[@]}" -- mv .git .git2
status "nor through a hard link" 1 run --policy test-paths "${bind[@]}" -- ln .git/hooks/pre-commit linked
status "nor by removing it" 1 run --policy test-paths "${bind[@]}" -- rm -r .git/hooks
is "it is as it was" "$(cat .git/hooks/pre-commit)" hook
status "beside it can be written" 0 run --policy test-paths "${bind[@]}" -- sh -c 'echo x >.git/index && mv .git/index .git/index2'
status "an overlay is held to it too" 2 run --policy test-paths -- sh -c 'echo changed >.git/hooks/pre-commit'
status "and hides" 1 run --policy test-paths -- cat secrets/key
"$agentos" ps -a -q | xargs -r "$agentos" rm --discard >/dev/null 2>&1
# On a mount that has peers, as systemd makes them all: what is mounted inside stays inside, and outside what is outside.
shared=$(workspace shared)
mount --bind "$shared" "$shared" && mount --make-shared "$shared"
mkdir -p "$shared/secrets" "$shared/.git/hooks" "$shared/later"
"$agentos" run --detach --name peer --policy test-paths --workspace "$shared:bind" -- sleep 1000 >/dev/null 2>&1
status "the agent's folder is hidden from it" 2 "$agentos" exec peer -- ls secrets/key
is "nothing is mounted on the host's" "$(grep -c " $shared/" /proc/self/mountinfo)" 0
mount -t tmpfs none "$shared/later" && echo host >"$shared/later/file"
is "what the host mounts later is not inside" "$("$agentos" exec peer -- ls later 2>/dev/null)" ""
is "but outside" "$(cat "$shared/later/file")" host
umount "$shared/later"
"$agentos" terminate --grace 0 peer >/dev/null
umount "$shared"
mv .git/hooks elsewhere
status "what is to be protected and is not there: refused" 125 run --policy test-paths "${bind[@]}" -- true
has "and said" "$err" "protect what the workspace does not have"
ln -s ../elsewhere .git/hooks
status "a link in its place: refused" 125 run --policy test-paths "${bind[@]}" -- true
has "and said" "$err" "a link leads there"
rm .git/hooks
mv elsewhere .git/hooks
ln -s /etc/shadow secrets-link
rm -r secrets && ln -s /etc secrets
status "a link in the place of what is hidden: refused" 125 run --policy test-paths "${bind[@]}" -- true
rm secrets secrets-link && mkdir secrets && echo key >secrets/key

# --- why says what is so
agree() { # agree PATH OP: the agent tries, and why must say the same
  local path=$1 op=$2 does says
  case $op in
    read) "$agentos" run --rm --policy test-paths "${bind[@]}" -- sh -c 'if [ -d "$0" ]; then ls "$0"; else head_() { dd if="$0" bs=1 count=1 2>/dev/null; }; : <"$0"; fi' "$path" >/dev/null 2>&1 && does=0 || does=4 ;;
    write) "$agentos" run --rm --policy test-paths "${bind[@]}" -- sh -c 'if [ -d "$0" ]; then : >"$0/agree" && rm "$0/agree"; else : >>"$0"; fi' "$path" >/dev/null 2>&1 && does=0 || does=4 ;;
    exec) "$agentos" run --rm --policy test-paths "${bind[@]}" -- test -x "$path" >/dev/null 2>&1 && does=0 || does=4 ;;
  esac
  "$agentos" why --path "$path" --op "$op" --policy test-paths "${bind[@]}" >"$folder/out" 2>&1
  says=$?
  is "why $op $path" "$says" "$does"
  [ "$says" = "$does" ] || cat "$folder/out"
}
for path in ./src/main ./.env ./secrets ./.git/hooks/pre-commit ./.git /usr/bin/env /bin/sh /etc/passwd /etc/shadow /tmp /home/agent \
  /home/alice /root /proc/kcore /proc/sys/kernel/core_pattern /dev/null /dev/shm /var/tmp / /usr /sys/fs/cgroup; do
  agree "$path" read
  agree "$path" write
done
for path in /usr/bin/env /usr/bin/head /bin/sh; do agree "$path" exec; done
has "a hidden path's line is named" "$("$agentos" why --path ./.env --policy test-paths)" "$policies/test-paths.yaml:3:23"
status "a call that passes" 0 "$agentos" why --syscall openat
status "one that does not" 4 "$agentos" why --syscall mount
has "with its answer" "$out" EPERM
status "by number" 4 "$agentos" why --syscall 165
status "no such call" 2 "$agentos" why --syscall no_such_call
status "of an agent: from what it was started with" 0 "$agentos" run -d --name asked --policy test-paths "${bind[@]}" -- sleep 1000
rm "$policies/test-paths.yaml"
"$agentos" policy reload >/dev/null
status "though the file is gone" 4 "$agentos" why --path ./.env --agent asked
has "with its line" "$out" "test-paths.yaml:3:23"
is "and the agent agrees" "$("$agentos" exec asked -- cat .env 2>&1)" "cat: .env: Permission denied"
"$agentos" terminate --grace 0 asked >/dev/null

# --- ceilings
policy test-limits <<'YAML'
version: 1
resources: {memory: 1GiB, on_missing: warn}
environment:
  pass: [TEST_PASSED, "TEST_ASKED_*"]
  set: {TEST_SET: by the policy}
process: {limits: {nofile: 200}}
YAML
status "more than the ceiling: refused, not lowered" 125 run --policy test-limits --memory 2G -- true
has "with both places" "$err" "--memory: resources.memory 2GiB is more than 1GiB, which is the most ($policies/test-limits.yaml:2:21)"
status "less is fine" 0 run --policy test-limits --memory 64M -- true
status "the ceiling applies without a wish" 0 "$agentos" run -d --name limited --policy test-limits -- sleep 1000
is "it is in the record" "$("$agentos" inspect limited | jq .limits.memory_max)" $((1 << 30))
is "with the policy's name" "$("$agentos" inspect limited | jq -r .policy)" test-limits
status "exec is held to it" 125 "$agentos" exec -e OTHER=x limited -- true
has "and says why" "$err" "environment variable 'OTHER' may not enter"
status "what it lets in enters by exec" 0 "$agentos" exec -e TEST_ASKED_B=x limited -- sh -c 'echo $TEST_ASKED_B $TEST_SET'
is "beside what it sets" "$out" "x by the policy"
"$agentos" terminate --grace 0 limited >/dev/null
status "variables" 0 env TEST_PASSED=p TEST_ASKED_A=a OTHER=o "$agentos" run --rm --policy test-limits -e TEST_ASKED_A -- env
has "one that is named enters by itself" "$out" TEST_PASSED=p
has "one that may be asked for" "$out" TEST_ASKED_A=a
has "one that is set" "$out" "TEST_SET=by the policy"
has_not "no other" "$out" OTHER
status "another cannot be asked for" 125 env OTHER=o "$agentos" run --rm --policy test-limits -e OTHER -- true
has "with the place" "$err" "test-limits.yaml:4:"
status "a limit of processes" 0 run --policy test-limits -- sh -c 'ulimit -n'
is "binds" "$out" 200
ceiling <<'YAML'
version: 1
resources: {pids: 100, on_missing: warn}
filesystem: {workspace: ro}
limits: {wall: 2s}
policies: [default, test-limits]
YAML
status "the tenant's ceiling" 125 run --pids 200 -- true
has "is named" "$err" "is more than 100, which is the most ($tenants/default.yaml:2:19)"
status "bind is above ro" 125 run "${bind[@]}" -- true
has "with both places" "$err" "--workspace: filesystem.workspace bind is more than ro, which is the most ($tenants/default.yaml:3:25)"
status "without a wish it is ro" 2 run -- sh -c 'echo x >new'
status "a policy that is not the tenant's" 125 run --policy build -- true
has "is refused by name" "$err" "may not use the policy 'build'"
"$agentos" run --name timed -- sleep 60 >/dev/null 2>&1
is "its time is over" "$("$agentos" inspect timed | jq -r '.status + ": " + .reason')" "terminated: its time is over: limits.wall is 2s ($tenants/default.yaml:4:16)"
no_ceiling
printf 'version: 1\nlimits: {idle: 2s}\n' | policy test-idle
"$agentos" run --name idle --policy test-idle -- sleep 60 >/dev/null 2>&1
is "one that is idle is ended" "$("$agentos" inspect idle | jq -r '.status + ": " + .reason')" "terminated: idle for 2s (limits.idle, $policies/test-idle.yaml:2:16)"
status "one that works is not" 0 run --policy test-idle -- python3 -c 'import time
end = time.monotonic() + 5
while time.monotonic() < end: pass'

# --- the user's own file
cat >mine.yaml <<'YAML'
version: 1
process: {seccomp: strict}
filesystem: {hidden: [./secrets]}
YAML
family='import socket; socket.socket(socket.AF_INET); print("inet")'
status "a socket without it" 0 run -- python3 -c "$family"
status "not with it" 1 run --policy-file mine.yaml -- python3 -c "$family"
has "as the strict set says" "$err" "Address family not supported"
status "it hides" 2 run --policy-file mine.yaml -- ls secrets
status "alice uses her own" 0 as "$alice" sh -c "cd $(workspace alice "$alice") && printf 'version: 1\nlimits: {wall: 1h}\n' >my.yaml && '$agentos' run --rm --policy-file my.yaml -- true"
printf 'version: 1\nresources: {memory: 4GiB}\nwho: me\n' >greedy.yaml
status "every mistake of it" 125 run --policy-file greedy.yaml -- true
has "with its place" "$err" "greedy.yaml:3:1: unknown key 'who'"
status "a file in the workspace is no policy" 0 sh -c "mkdir -p .agentos && cp greedy.yaml .agentos/policy.yaml && cp greedy.yaml agentos.yaml && '$agentos' run --rm -- true"

# --- files that change
printf 'version: 1\nfilesystem: {workspace: ro}\n' | policy test-live
status "a policy" 2 run --policy test-live -- sh -c 'echo x >new'
printf 'version: 1\nfilesystem: {workspace: bind}\n' >"$policies/test-live.yaml"
until_true "is read again when its file changes" "$agentos" run --rm --policy test-live "${bind[@]}" -- sh -c 'echo x >new'
printf 'version: 1\nfilesystem: {workspace: rw}\n' >"$policies/test-live.yaml"
until_true "a bad file is noticed" sh -c "'$agentos' policy list 2>/dev/null | grep -q 'test-live *last-good'"
status "the last good one is in force" 0 run --policy test-live "${bind[@]}" -- sh -c 'echo y >new'
has "and run says so" "$err" "the last good version of $policies/test-live.yaml, read at 20"
has "with the mistake" "$err" ", is in force: $policies/test-live.yaml:2:25: 'rw' is not known here"
has "show says so" "$("$agentos" policy show test-live 2>&1)" "the last good version, read at 20"
has "list says so" "$("$agentos" policy list 2>&1)" "'rw' is not known here"
read=$("$agentos" policy show --json test-live | jq -r .read)
stop_agentosd; revive_agentosd
is "it survives a restart of agentosd" "$("$agentos" policy show --json test-live | jq -r '.state + " " + .read')" "last-good $read"
status "and is in force" 0 run --policy test-live "${bind[@]}" -- sh -c 'echo y >new'
has "which run says" "$err" "the last good version of $policies/test-live.yaml, read at $read, is in force"
has "and doctor" "$("$agentos" doctor)" "the last good version, read at $read, is in force"
has "list says so" "$("$agentos" policy list 2>&1)" "test-live.yaml:2:25"
status "reload says so" 1 "$agentos" policy reload
has "with the place" "$err" "test-live.yaml:2:25: 'rw' is not known here"
has "doctor says so" "$("$agentos" doctor)" "test-live.yaml:2:25"
[ -n "$installed" ] || has "the log says so" "$(cat "$folder/agentosd.log")" "test-live.yaml:2:25"
status "reload takes the role admin" 4 as "$alice" "$agentos" policy reload
rm "$policies/test-live.yaml"
until_true "a policy whose file is gone is gone" sh -c "! '$agentos' policy show test-live"
printf 'version: 2\n' | policy test-bad
status "one that was never good is refused" 125 run --policy test-bad -- true
has "with its mistake" "$err" "test-bad.yaml:1:10"
rm "$policies/test-bad.yaml"
printf 'version: 2\n' >"$tenants/default.yaml"
"$agentos" policy reload >/dev/null 2>&1
status "ceilings that were never good: nothing starts" 125 run -- true
has "and says why" "$err" "the ceilings of tenant 'default' cannot be read: $tenants/default.yaml:1:10"
no_ceiling
status "without them it does" 0 run -- true
# A folder made anew is found on SIGHUP; until then nobody watches it.
mv "$tenants" "$tenants.old" && mkdir "$tenants"
printf 'version: 1\nresources: {pids: 50}\n' >"$tenants/default.yaml"
if [ -n "$installed" ]; then systemctl reload agentosd; else kill -HUP "$agentosd"; fi
until_true "SIGHUP reads them again" sh -c "! '$agentos' run --rm --pids 60 -- true 2>/dev/null"
rm -r "$tenants" && mv "$tenants.old" "$tenants"
"$agentos" policy reload >/dev/null
status "no such policy" 125 run --policy test-none -- true
has "the hint lists those there are" "$err" "read-only"

# --- words for people
status "check" 1 "$agentos" policy check mine.yaml greedy.yaml
has "says each mistake" "$out" "greedy.yaml:3:1: unknown key 'who'"
has "and what is good" "$out" "mine.yaml: good"
has "explain knows the place of each line" "$("$agentos" policy explain build)" "build.yaml:9:11"
has "diff" "$("$agentos" policy diff default mine.yaml)" "+ process.seccomp: strict (mine.yaml:2:20)"
for command in "policy list" "policy show build" "policy explain" "policy diff default build" "policy check mine.yaml" "why --syscall mount"; do
  # shellcheck disable=SC2086 # words
  has "$command --json is JSON" "$("$agentos" $command --json 2>/dev/null | jq -r type)" "$([ "$command" = "policy check mine.yaml" ] && echo array || echo object)"
done

check=$build/tests/unit/daemon/openapi/openapi_check
if [ -x "$check" ]; then
  line() { jq -c "{method: \"$1\", path: \"$2\", status: 200, body: .}"; }
  {
    "$agentos" policy list --json | line GET /v1/policies
    "$agentos" policy show build --json | line GET '/v1/policies/{name}'
    "$agentos" policy explain --json | line POST /v1/policies/explain
    "$agentos" policy diff default build --json | line POST /v1/policies/diff
    "$agentos" policy check mine.yaml greedy.yaml --json | jq '.[] | del(.file)' | line POST /v1/policies/check
    "$agentos" policy reload --json | line POST /v1/policies/reload
    "$agentos" why --syscall mount --json | line POST /v1/why
    "$agentos" why --path ./x --json | line POST /v1/why
    "$agentos" run -d --policy build -- true >/dev/null 2>&1
    "$agentos" inspect "$("$agentos" ps -a -q | head -n 1)" | line GET '/v1/agents/{ref}'
  } >"$folder/answers" 2>/dev/null
  status "answers are as described" 0 sh -c "'$check' <'$folder/answers'"
  has "all of them" "$out" "10 answers checked, 0 not as described"
else
  echo "     $check is not there: answers are not held against their description"
fi

# --- each profile runs its program
rm -f mine.yaml greedy.yaml agentos.yaml new
status "default: sh" 0 run -- sh -c 'echo hello >made && cat made'
"$agentos" ps -a -q | xargs -r "$agentos" rm --discard >/dev/null 2>&1
status "read-only: git reads" 0 run --policy read-only -- sh -c 'git -c safe.directory="*" --version && ls && find . -type f | wc -l'
status "but writes nothing" 2 run --policy read-only -- sh -c 'echo x >new'
printf '#include <thread>\n#include <cstdio>\nint main() { std::thread([] { std::puts("built"); }).join(); }\n' >main.cpp
status "build: g++ with its flags" 0 env CXXFLAGS=-O1 "$agentos" run --rm --policy build "${bind[@]}" -- sh -c 'g++ $CXXFLAGS -o main main.cpp -pthread && ./main && echo $CXXFLAGS'
has "has built" "$out" "built
-O1"
status "python-agent: python" 0 run --policy python-agent -- python3 -c 'import asyncio, subprocess, multiprocessing
async def main(): return (await asyncio.gather(*(asyncio.sleep(0, n) for n in range(3))))
print(asyncio.run(main()), subprocess.run(["echo", "child"], capture_output=True, text=True).stdout.strip())
with multiprocessing.Pool(2) as pool: print(pool.map(abs, [-1, -2]))'
is "threads, children, event loops" "$out" "[0, 1, 2] child
[1, 2]"
tools=${AGENTOS_CACHE:-$HOME/.cache/agentos}/clis
for profile in claude-code:claude codex:codex gemini-cli:gemini; do
  tool=${profile#*:} profile=${profile%:*}
  status "$profile: node" 0 run --policy "$profile" -- node -e 'console.log(process.env.HOME)'
  if [ -x "$tools/node_modules/.bin/$tool" ]; then
    node=$(dirname "$(readlink -f "$tools/node_modules/node/bin/node" 2>/dev/null || command -v node)")
    outside=$(HOME=$folder PATH=$node:$PATH "$tools/node_modules/.bin/$tool" --version 2>/dev/null | tail -n 1)
    is "$profile: $tool --version" "$(run --policy "$profile" --workspace "$tools" -- env PATH="$tools/node_modules/node/bin:/usr/local/bin:/usr/bin:/bin" "node_modules/.bin/$tool" --version 2>"$folder/err" | tail -n 1)" "$outside"
  else
    echo "     $tool is not installed here (clis.sh installs it)"
  fi
done
finish
