#!/usr/bin/env bash
# What AGENTS idle agents cost beyond their workload: memory, descriptors, processes; and whether the last one starts as
# fast as the first.
source "$AGENTOS_SOURCE/tests/host/agents/lib.sh"
supervisor_start
cd "$(workspace ws)" || exit 1
agents=${AGENTS:-200}
[ -z "$installed" ] || { agentosd=$(pgrep -x agentosd) spawnd=$(pgrep -x agentos-spawnd); }

available() { sync; echo 3 >/proc/sys/vm/drop_caches; awk '/^MemAvailable:/ {print $2}' /proc/meminfo; }
descriptors() { find "/proc/$agentosd/fd" "/proc/$spawnd/fd" -mindepth 1 | wc -l; }
start_many() { # start_many COUNT: ms for each
  local began
  began=$(date +%s%N)
  for _ in $(seq "$1"); do "$agentos" run --detach -- sleep 100000 >/dev/null 2>"$folder/err" || cat "$folder/err"; done
  echo $((($(date +%s%N) - began) / 10000 / $1)) | sed 's/..$/.&/'
}

"$agentos" run --rm -- /bin/true 2>/dev/null
before=$(available)
for _ in $(seq "$agents"); do sleep 100000 & sleepers+=($!); done
workload=$(((before - $(available)) / agents))
kill "${sleepers[@]}"
wait "${sleepers[@]}" 2>/dev/null

before=$(available) fds=$(descriptors)
first=$(start_many 20)
start_many $((agents - 40)) >/dev/null
last=$(start_many 20)
is "all of them run" "$("$agentos" ps -q | wc -l)" "$agents"
each=$(((before - $(available)) / agents))
printf '%s idle agents: %s KiB each (the workload: %s KiB), %s descriptors each, start %s ms, of the last %s ms\n' \
  "$agents" "$each" "$workload" "$((($(descriptors) - fds) / agents))" "$first" "$last"
is "less than 1 MiB each beyond the workload" "$((each - workload < 1024))" 1
began=$(date +%s%N)
"$agentos" ps -q | xargs "$agentos" terminate --grace 0 >/dev/null
echo "all terminated in $((($(date +%s%N) - began) / 1000000)) ms"
finish
