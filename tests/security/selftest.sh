#!/usr/bin/env bash
# agentos selftest: on a sandbox as it is made, on one that does not hold, and when it is interrupted.
. "$(dirname "$0")/lib.sh"
supervisor_start
cd "$folder" || exit 1
nothing_left() {
  until_true "$1: no agent is left" sh -c "[ -z \"\$('$agentos' ps -a -q)\" ]"
  is "$1: no folder is left" "$(find /var/tmp -maxdepth 1 -name 'agentos-selftest-*')" ""
}

# Emulated, each takes seconds; there alice has hers in tests/host/agents/user.sh.
policies_tried=(read-only build claude-code codex gemini-cli python-agent)
callers=("root:0" "alice:$alice" "bob:$bob")
if [ -n "$installed" ]; then
  policies_tried=(claude-code)
  callers=("root:0")
fi
for caller in "${callers[@]}"; do
  status "selftest of ${caller%:*}: all hold" 0 as "${caller#*:}" "$agentos" selftest
  has "says so" "$out" ", 0 open"
done
nothing_left "all hold"
has "a case, its group, what was expected and found, and what stopped it" "$(tr -s ' ' <<<"$out")" \
  "held system calls mount EPERM EPERM seccomp: the set 'agent' answers EPERM; it is one of 'mounts'"
status "as JSON" 0 "$agentos" selftest --json
is "as many cases as it counts, each of them whole, every group, and what the host cannot enforce" \
  "$(jq -c '[(.cases | length) == .held and .held > 100,
    ([.cases[] | select(.group == "" or .name == "" or .expected == [] or .found == "" or .state != "held")] | length),
    ([.cases[].group] | unique | join(", ")), (.not_enforced | length)]' <<<"$out")" \
  "[true,0,\"descriptors, identity, system calls, terminals and IPC\",$([ -n "$installed" ] && echo 0 || echo 4)]"
for policy in "${policies_tried[@]}"; do
  status "under policy $policy" 0 "$agentos" selftest --policy $policy
done
printf 'version: 1\nprocess: {seccomp: strict}\n' >strict.yaml
status "with the set strict" 0 "$agentos" selftest --policy-file strict.yaml
has "which is what answers" "$out" "the set 'strict' answers"
status "under one that is not there" 3 "$agentos" selftest --policy no-such-policy
nothing_left "other policies"

# Interrupted while the agent starts, while it runs, and while it is held up.
for delay in 0.005 0.05; do
  timeout --foreground --signal=INT $delay "$agentos" selftest >/dev/null 2>"$folder/err"
  nothing_left "interrupted after $delay s"
done
"$agentos" selftest >"$folder/out" 2>&1 &
selftest=$!
until_true "its agent is there" sh -c "'$agentos' ps -q | grep -q . && '$agentos' pause \$('$agentos' ps -q) || ! kill -0 $selftest"
kill -TERM $selftest # a shell's background jobs ignore SIGINT
wait $selftest
ended=$?
is "interrupted while its agent was held up: $(tail -n 3 "$folder/out" | tr "\n" " ")" "$ended" "$(grep -q held "$folder/out" && echo 0 || echo 143)"
nothing_left "interrupted"

# With an agentos-init that leaves its programs root of the sandbox: what is open is found, and nothing else is said to be.
if [ -z "$installed" ]; then
  kill_spawnd
  init=$build/tests/security/security_weak_init start_spawnd
  until_true "a supervisor with a weak init" "$agentos" run --rm -- true
  is "there the program is root" "$("$agentos" run --rm -- id -u 2>/dev/null)" 0
  status "selftest: something is open" 9 "$agentos" selftest
  has "capabilities are" "$(tr -s ' ' <<<"$out")" "OPEN identity capabilities none CapPrm=00000000000001e0 CapEff=00000000000001e0"
  for name in capabilities become-root join-groups raise-capabilities; do
    has "$name: named at the end" "$(tail -n 30 <<<"$out")" "OPEN: identity: $name"
  done
  has "what still holds is still told as held" "$(tr -s ' ' <<<"$out")" "held system calls mount EPERM"
  status "as JSON: something is open" 9 "$agentos" selftest --json
  has "which" "$(jq -r '.cases[] | select(.state == "open").name' <<<"$out")" capabilities
  nothing_left "open"
fi
finish
