#!/usr/bin/env bash
# What agents and people do is recorded; the journal outlives kill -9, and an edit of it is found.
source "$(dirname "$0")/lib.sh"
supervisor_start
journal=$folder/state/journal
[ -z "$installed" ] || journal=/var/lib/agentos/journal
ws=$(workspace ws)
cd "$ws" || exit 1
verify() { "$agentos" audit verify --journal "$1" --json; }

name=worker$$
"$agentos" run -w :bind --name "$name" -- sh -c 'exit 3' >/dev/null 2>&1
id=$("$agentos" inspect "$name" | jq -r '.id')
until_true "the end of an agent is recorded" sh -c "'$agentos' audit --json '$id' | grep -q '\"to\":\"failed\"'"
is "and each step before it" "$("$agentos" audit --kind agent.status --json "$id" | jq -r '.body.to' | tr '\n' ' ')" \
  "submitted admitted starting running failed "
is "by its name too" "$("$agentos" audit --kind agent.status --json "$name" | wc -l)" "$("$agentos" audit --kind agent.status --json "$id" | wc -l)"
has "who started it" "$("$agentos" audit --kind api.call --json "$id")" '"uid":0'

# --- what it did, as the kernel tells it
if [ "$("$agentos" inspect "$name" | jq .usage.activity)" != null ]; then
  cp "$build/tests/host/agents/activity" "$ws/activity"
  acts='cp /bin/true renamed; ./renamed one "two words"; printf "#!/bin/sh\nexit 3\n" >script; chmod +x script; ./script; exec ./activity 0 0 0 1 0'
  status "an agent that executes programs" 0 "$agentos" run -w :bind --name "acts$$" -- sh -c "$acts"
  told() { "$agentos" audit --kind "$1" --json "acts$$" | jq -c "$2"; }
  until_true "its connection is recorded" sh -c "'$agentos' audit --kind network.connect --json acts$$ | grep -q 127.0.0.1"
  is "a renamed program by its own name" "$(told process.exec 'select(.body.path | endswith("/renamed")) | .body.arguments')" '["./renamed","one","two words"]'
  is "a script as one" "$(told process.exec 'select(.body.arguments[1] == "./script") | [.body.how, .body.named]')" '["script","./script"]'
  is "and how it ended" "$(told process.exit 'select(.body.status == 3) | .body.status')" 3
  # The share of one agent is 10,000 records and 50 a second: to use it up takes an emulated machine too long.
  if [ -z "$installed" ]; then
    status "an agent that floods" 0 "$agentos" run -w :bind --name "flood$$" -- ./activity 0 0 0 0 20000
    status "another one" 0 "$agentos" run -w :bind --name "quiet$$" -- ./activity 0 0 0 1 0
    until_true "it is recorded all the same" sh -c "'$agentos' audit --kind network.connect --json quiet$$ | grep -q 127.0.0.1"
    # What comes after an agent's end is waited for, for some seconds: then its last count is told when anything else is.
    all_counted() {
      "$agentos" run --rm -- true >/dev/null 2>&1
      kept=$("$agentos" audit --kind network.connect --json "flood$$" | wc -l)
      withheld=$("$agentos" audit --kind audit.withheld --json "flood$$" | jq -s 'map(.body.records) | add // 0')
      [ $((kept + withheld + $("$agentos" inspect "flood$$" | jq .usage.activity.dropped))) -ge 20000 ]
    }
    until_true "what was withheld is counted" all_counted
    is "the flood is not recorded beyond its share" "$((kept > 9000 && kept < 15000 && withheld > 4000))" 1
    "$agentos" rm "flood$$" "quiet$$" >/dev/null
  fi
  "$agentos" rm "acts$$" >/dev/null
fi

as "$bob" "$agentos" policy reload >/dev/null 2>&1
status "another tenant sees nothing of it" 0 as "$bob" "$agentos" audit --json "$id"
is "nothing" "$out" ""
status "an operator does not see the host's" 4 as "$alice" "$agentos" audit --all

# The daemon is killed while it writes.
for i in 1 2 3 4 5 6 7 8; do "$agentos" run -w :bind --rm -- true >/dev/null 2>&1 & done
kill_agentosd
wait $(jobs -p | grep -v -e "${spawnd:-x}" -e "${agentosd:-x}") 2>/dev/null
revive_agentosd
until_true "the journal is whole after kill -9" "$agentos" audit verify --journal "$journal"
has "and a record says that it ended so" "$(strings -a "$journal"/*.seg)" audit.reopened
status "what was recorded before is still there" 0 "$agentos" audit --json "$id"
has "all of it" "$out" '"to":"failed"'

# An edit, on a copy.
cp -r "$journal" "$folder/edited"
is "a copy is whole" "$(verify "$folder/edited" | jq .whole)" true
segment=$(find "$folder/edited" -name '*.seg' | sort | head -1)
offset=$(grep -abo '"uid":0' "$segment" | head -1 | cut -d: -f1)
printf '"uid":7' | dd of="$segment" bs=1 seek="$offset" conv=notrunc 2>/dev/null
status "an edit is found" 10 "$agentos" audit verify --journal "$folder/edited"
has "with its file" "$out" "$(basename "$segment")"
is "and nothing else" "$(verify "$folder/edited" | jq '.faults | length')" 1
finish
