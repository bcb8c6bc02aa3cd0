#!/usr/bin/env bash
# agentos doctor on each kind of host: what it says is so, and --json says the same.
source "$(dirname "$0")/lib.sh"
supervisor_start
cd "$(workspace ws)" || exit 1

status "doctor: agents can run here" 0 "$agentos" doctor
report=$out
status "doctor --json" 0 "$agentos" doctor --json
json=$out
is "both say the same of every feature" "$(echo "$json" | jq -r '.checks[] | .state + " " + .name + " " + .detail')" \
  "$(echo "$report" | sed -n '2,/^$/p' | sed '/^$/d; s/   */ /; s/   */ /')"
is "what is not enforced has what mends it, in both" \
  "$(echo "$json" | jq -r '.checks[] | select(.state != "enforced" and .remedy != "").remedy' | sort -u)" \
  "$(echo "$report" | sed -n '/^What mends it:/,$p' | sed -n 's/^  [^:]*: //p' | sort -u)"
told() { echo "$json" | jq -r ".checks[] | select(.name == \"$1\").state"; }
binds() { "$agentos" run --rm "$@" -- true >/dev/null 2>&1 && echo enforced || echo degraded; }

if [ -n "$installed" ]; then wanted=enforced; else wanted=degraded; fi
for pair in 'cpu:--cpus=1' 'memory:--memory=64M' 'pids:--pids=64' 'io:--io-weight=50'; do
  is "cgroup2 ${pair%%:*}" "$(told "cgroup2 ${pair%%:*}")" $wanted
  is "and so it is: ${pair#*:}" "$(binds "${pair#*:}")" $wanted
done
is "systemd" "$(told systemd)" $wanted
if [ -z "$installed" ]; then
  has "the line that mends the controllers" "$report" \
    "  cgroup2 cpu, cgroup2 memory, cgroup2 pids, cgroup2 io: boot with systemd.unified_cgroup_hierarchy=1"
else
  has_not "nothing is to be mended in the controllers" "$report" "systemd.unified_cgroup_hierarchy"
fi
finish
