#!/usr/bin/env bash
# What idle agents cost beyond their workload: seconds, memory, descriptors, processes; and whether the last one starts
# as fast as the first. 100 are started at once, then one after the other up to each of the numbers in AGENTS.
source "$AGENTOS_SOURCE/tests/host/agents/lib.sh"
supervisor_start
cd "$(workspace ws)" || exit 1
read -ra numbers <<<"${AGENTS:-1000 5000}"
[ -z "$installed" ] || { agentosd=$(pgrep -x agentosd) spawnd=$(pgrep -x agentos-spawnd); }

# KiB that are in use: what the kernel could not give to somebody else.
used() { echo 2 >/proc/sys/vm/drop_caches; awk '/^MemTotal:/ {all = $2} /^MemAvailable:/ {print all - $2}' /proc/meminfo; }
parts() { grep -E '^(AnonPages|KernelStack|PageTables|Percpu|Shmem|SUnreclaim|SReclaimable|Cached|VmallocUsed):' /proc/meminfo; }
anonymous() { awk '/^Anonymous:/ {print $2}' "/proc/$1/smaps_rollup"; }
descriptors() { find "/proc/$agentosd/fd" "/proc/$spawnd/fd" -mindepth 1 | wc -l; }
processes() { find /proc -maxdepth 1 -name '[0-9]*' | wc -l; }
one_by_one() { python3 "$AGENTOS_SOURCE/tests/bench/interleaved.py" --rounds 50 --command "start of the next" "$agentos" run --detach -- sleep 1000000; }
live() { "$agentos" ps -q | wc -l; }
# shellcheck disable=SC2329 # called by xargs
many() { seq "$1" | xargs -P "$2" -I{} "$agentos" run --detach -- sleep 1000000 2>&1 | grep -v 'not enforced\|^a[0-9a-z]*$'; }
seconds() { awk -v ns="$1" 'BEGIN {printf "%.2f", ns / 1e9}'; }

"$agentos" run --rm -- /bin/true 2>/dev/null
base=$(used)
bash -c 'for _ in {1..100}; do sleep 1000000 & done; wait' &
until_true "the workload alone runs" sh -c "[ \"\$(pgrep -c -P $! -x sleep)\" = 100 ]"
workload=$((($(used) - base) / 100))
pkill -P $! -x sleep
wait $!
echo "the workload, sleep(1), bare: $workload KiB"

base=$(used) fds=$(descriptors) before=$(processes) daemons=$(($(anonymous "$agentosd") + $(anonymous "$spawnd")))
parts >"$folder/parts"
first=$(one_by_one)
echo "$first"
"$agentos" ps -q | xargs "$agentos" terminate --grace 0 >/dev/null
until_true "they have ended" sh -c "[ \"\$('$agentos' ps -q | wc -l)\" = 0 ]"

began=$(date +%s%N)
is "100 at once" "$(many 100 100)" ""
echo "100 started at once in $(seconds $(($(date +%s%N) - began))) s"
for number in "${numbers[@]}"; do
  there=$(live) began=$(date +%s%N)
  is "up to $number" "$(many $((number - 52 - there)) 4)" ""
  echo "$((number - 52 - there)) more, 4 at a time, in $(seconds $(($(date +%s%N) - began))) s"
  one_by_one
  is "all of them run" "$(live)" "$number"
  each=$((($(used) - base) / number))
  printf '%s idle agents: %s KiB each, %s beyond the workload; %s descriptors and %s processes each; daemons %s KiB each\n' "$number" \
    "$each" "$((each - workload))" "$((($(descriptors) - fds) / number))" "$((($(processes) - before) / number))" \
    "$((($(anonymous "$agentosd") + $(anonymous "$spawnd") - daemons) / number))"
  parts | awk -v n="$number" 'NR == FNR {was[$1] = $2; next} {printf "  %s %.1f", $1, ($2 - was[$1]) / n} END {print " KiB each"}' "$folder/parts" -
  is "less than 1 MiB each beyond the workload" "$((each - workload < 1024))" 1
done
began=$(date +%s%N)
"$agentos" ps -q | xargs "$agentos" terminate --grace 0 >/dev/null
until_true "they have ended" sh -c "[ \"\$('$agentos' ps -q | wc -l)\" = 0 ]"
echo "all terminated in $(seconds $(($(date +%s%N) - began))) s"
finish
