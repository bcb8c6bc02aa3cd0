#!/usr/bin/env bash
# Agents started and ended, AT_ONCE at a time, up to each of the numbers in COUNTS: nothing grows with their number. What
# is there after the first of these has been taken once and is kept (heap, caches); what comes after it is what agents
# leave behind.
source "$AGENTOS_SOURCE/tests/host/agents/lib.sh"
supervisor_start
cd "$(workspace ws)" || exit 1
read -ra counts <<<"${COUNTS:-500 1000}"
at_once=${AT_ONCE:-50}
[ -z "$installed" ] || { agentosd=$(pgrep -x agentosd) spawnd=$(pgrep -x agentos-spawnd); }
state=${installed:+/var/lib/agentos-spawnd}
state=${state:-$folder/spawnd-state}
records=${installed:+/var/lib/agentos}
records=${records:-$folder/state}

# What they print but what a host cannot enforce; an agent that fails prints more.
many() { seq "$1" | xargs -P "$at_once" -I{} "$agentos" run --rm -- /bin/true 2>&1 | grep -v "not enforced"; }
field() { awk -v name="$2:" '$1 == name {print $2}' "/proc/$1/status"; }
inside() { find "$@" -mindepth 1 2>/dev/null | wc -l; }
ticks() { awk '{print $14 + $15}' "/proc/$1/stat"; }
names=(agentosd-KiB spawnd-KiB descriptors threads cgroups mounts processes bpf namespaces rows database-KiB files journal-KiB)
measure() { # measure HOW-MANY: in the order of the names
  # What is made ahead and deleted later is done when agentos-spawnd sleeps.
  until_true "the supervisor has come to rest after $1" sh -c "[ -z \"\$(ls -A '$state/trash')\" ] && [ \"\$(awk '\$1 == \"State:\" {print \$2}' /proc/$spawnd/status)\" = S ]"
  now=("$(field "$agentosd" VmRSS)" "$(field "$spawnd" VmRSS)" "$(inside "/proc/$agentosd/fd" "/proc/$spawnd/fd")"
    "$(($(field "$agentosd" Threads) + $(field "$spawnd" Threads)))" "$(inside "$cgroup2/$slice" -type d)"
    "$(wc -l </proc/self/mountinfo)" "$(pgrep -c -P "$spawnd")" "$(inside "/sys/fs/bpf/${slice//./_}")"
    "$(lsns -n -t net | wc -l)"
    "$(python3 -c 'import sqlite3, sys; print(sqlite3.connect(sys.argv[1]).execute("SELECT count(*) FROM agent").fetchone()[0])' "$records/agentos.db")"
    "$(($(stat -c %s "$records"/agentos.db* | paste -sd+)))" "$(inside "$records/agents" "$state/layers" "$state/trash")"
    "$(du -sk "$records/journal" | cut -f1)")
  now[10]=$((now[10] / 1024))
  printf '%6s agents:' "$1"
  for at in "${!names[@]}"; do printf ' %s %s' "${names[at]}" "${now[at]}"; done
  printf '   load %s\n' "$(cut -d' ' -f1 /proc/loadavg)"
}

done_before=0 first=()
for count in "${counts[@]}"; do
  began=$SECONDS
  is "agents end well, up to $count" "$(many $((count - done_before)))" ""
  done_before=$count
  echo "in $((SECONDS - began)) s"
  measure "$count"
  [ ${#first[@]} -gt 0 ] || first=("${now[@]}")
done
grew() { echo "$((now[$1] - first[$1]))"; }
is "less than 1 MiB more memory of agentosd" "$(($(grew 0) < 1024))" 1
is "less than 1 MiB more memory of agentos-spawnd" "$(($(grew 1) < 1024))" 1
is "no more descriptors but networks made ahead" "$(($(grew 2) <= 8))" 1
for at in 3 4 5 6 7; do is "no more ${names[at]}" "$(grew $at)" 0; done
is "no more network namespaces but those made ahead" "$(($(grew 8) <= 8))" 1
is "no record" "${now[9]}" 0
is "the database does not grow" "$(($(grew 10) < 256))" 1
is "no file of an agent" "${now[11]}" "${first[11]}"
is "no layer" "$(find "$state/layers" "$state/trash" -mindepth 1 -name 'a*' | wc -l)" 0
is "the audit journal keeps to its bound" "$((now[12] <= 65 * 16 * 1024))" 1

# At rest.
used=$(($(ticks "$agentosd") + $(ticks "$spawnd")))
sleep 30
used=$(($(ticks "$agentosd") + $(ticks "$spawnd") - used))
echo "at rest for 30 s: $((used * 1000 / $(getconf CLK_TCK))) ms of CPU"
is "less than a thousandth of a CPU at rest" "$((used * 1000 / $(getconf CLK_TCK) <= 30))" 1
finish
