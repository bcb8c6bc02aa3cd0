#!/usr/bin/env bash
# Group C of the attacks: paths in a workspace on which root mounts something when an agent is started, and that somebody
# exchanges meanwhile: a folder for a link out of the workspace and back, at each place above and at a mount target.
# Shown to work: without the exchange each start succeeds, hides and protects. What stops it: spawnd finds the targets
# beneath the workspace without following links (openat2), so such a start is refused or lands on what is really there.
source "$(dirname "$0")/../host/agents/lib.sh"
supervisor_start
tries=1200
[ -z "$installed" ] || tries=60 # a start takes a second in the guest
tries=${AGENTOS_TEST_TRIES:-$tries}
chmod 755 "$folder"
ws=$(workspace ws)
outside=$(workspace outside)
mkdir -p "$outside/deep" "$ws/d/deep"
for at in "$ws/d" "$outside"; do
  echo hidden >"$at/deep/secret"
  echo guarded >"$at/deep/guard"
done
echo canary >"$outside/deep/canary"
ln -s "$outside" "$ws/link"         # exchanged with d
ln -s "$outside/deep" "$ws/d/other" # exchanged with d/deep
ln -s /etc/passwd "$ws/d/deep/file" # exchanged with d/deep/secret
cat >"$policies/paths.yaml" <<'YAML'
version: 1
filesystem: {hidden: [./d/deep/secret], read_only: [./d/deep/guard], workspace: bind}
YAML
until_true "agentosd has read the policy" sh -c "'$agentos' policy list | grep -q paths"
cd "$ws" || exit 1

# What an agent tells: where it has mounts, and what it reaches of the two.
cat >"$ws/look" <<'SH'
awk '{print "mount " $5}' /proc/self/mountinfo
cmp -s d/deep/secret - <<X && echo "reads hidden"
hidden
X
(echo x >>d/deep/guard) 2>/dev/null && echo "writes guarded"
[ -e "$1/deep/canary" ] && echo "is outside"
head -c 5 /etc/passwd | grep -q . || echo "lost /etc/passwd"
exit 0
SH
start() { "$agentos" run --rm --policy paths -w "$ws:bind" -- sh ./look "$outside" 2>&1; }
start >"$folder/quiet" || bad "a start that nobody disturbs" "$(cat "$folder/quiet")"
has "a start that nobody disturbs mounts over the hidden file" "$(cat "$folder/quiet")" "mount $ws/d/deep/secret"
has "and over the guarded one" "$(cat "$folder/quiet")" "mount $ws/d/deep/guard"
has_not "and keeps what it hides" "$(cat "$folder/quiet")" "reads"
has_not "and what it guards" "$(cat "$folder/quiet")" "writes"
status "in the workspace itself all of it can be read and written" 0 sh -c "grep -q hidden d/deep/secret && : >>d/deep/guard"
host_before=$(ls -lR /etc 2>/dev/null | cksum; find "$outside" -printf '%P %y %m %s %U\n' | sort; grep -c . /proc/self/mountinfo)
cat >"$folder/exchange.py" <<'PY'
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
os.chdir(sys.argv[1])
pairs = [(b"d", b"link"), (b"d/deep", b"d/other"), (b"d/deep/secret", b"d/deep/file")]
print("ready", flush=True)
at = 0
while True:
    a, b = pairs[at // 2 % 3] # there and back, as often as it goes
    libc.renameat2(-100, a, -100, b, 2)
    at += 1
PY
exec {exchange}< <(exec python3 "$folder/exchange.py" "$ws")
exchanger=$!
read -r -u "$exchange"
some() { # some NUMBER COUNT
  local at
  for ((at = 0; at < $2; at++)); do
    if start >"$folder/said-$1" 2>&1; then echo started; else echo refused; fi >>"$folder/outcomes-$1"
    cat "$folder/said-$1" >>"$folder/all-$1"
  done
}
workers=()
for number in 1 2 3 4; do
  some $number $((tries / 4)) &
  workers+=($!)
done
wait "${workers[@]}"
kill "$exchanger"
wait "$exchanger" 2>/dev/null
started=$(cat "$folder"/outcomes-* | grep -c started)
refused=$(cat "$folder"/outcomes-* | grep -c refused)
echo "$((started + refused)) starts: $started succeeded, $refused were refused"
is "every start came to an end" "$((started + refused))" "$tries"
is "some succeeded" "$((started > 0))" 1
is "some were refused" "$((refused > 0))" 1
cat "$folder"/all-* >"$folder/all"
is "none was anywhere but in the workspace" "$(grep -c 'is outside' "$folder/all")" 0
is "nor lost what it should see" "$(grep -c 'lost' "$folder/all")" 0
# A mount follows its folder to the name that it has by then, in the workspace.
is "no mount is anywhere else than in the workspace and where every agent has one" \
  "$(grep '^mount ' "$folder/all" | sort -u | grep -v "^mount $ws/" | grep -vxFf <(grep '^mount ' "$folder/quiet"))" ""
is "nothing of the host has changed" \
  "$(ls -lR /etc 2>/dev/null | cksum; find "$outside" -printf '%P %y %m %s %U\n' | sort; grep -c . /proc/self/mountinfo)" "$host_before"
status "and agents start as before" 0 "$agentos" run --rm -- true
rm -f "$policies/paths.yaml"
finish
