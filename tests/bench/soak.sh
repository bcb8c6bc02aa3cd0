#!/usr/bin/env bash
# COUNT agents started and ended, AT_ONCE at a time: nothing grows with their number. The first half is for what is
# taken once and kept (heap, caches); what the second half adds is what each agent leaves behind.
source "$AGENTOS_SOURCE/tests/host/agents/lib.sh"
supervisor_start
cd "$(workspace ws)" || exit 1
count=${COUNT:-1000} at_once=${AT_ONCE:-50}
[ -z "$installed" ] || { agentosd=$(pgrep -x agentosd) spawnd=$(pgrep -x agentos-spawnd); }

many() { seq "$1" | xargs -P "$at_once" -I{} "$agentos" run --rm -- /bin/true 2>&1 | grep -v "not enforced"; }
field() { awk -v name="$2:" '$1 == name {print $2}' "/proc/$1/status"; }
descriptors() { find "/proc/$1/fd" -mindepth 1 | wc -l; }
measure() {
  # What is made ahead and deleted later is done when agentos-spawnd is in the host's network, and sleeps.
  until_true "the supervisor has come to rest" sh -c "[ -z \"\$(ls -A '${state:-/var/lib/agentos-spawnd}/trash')\" ]"
  rss=$(($(field "$agentosd" VmRSS) + $(field "$spawnd" VmRSS)))
  fds=$(($(descriptors "$agentosd") + $(descriptors "$spawnd")))
  threads=$(($(field "$agentosd" Threads) + $(field "$spawnd" Threads)))
  groups=$(find "$cgroup2/$slice" -type d | wc -l)
  mounts=$(wc -l </proc/self/mountinfo)
  printf '%-12s %10s KiB %6s descriptors %4s threads %6s cgroups %6s mounts\n' "$1" "$rss" "$fds" "$threads" "$groups" "$mounts"
}
ticks() { awk '{print $14 + $15}' "/proc/$1/stat"; }

state=${installed:+/var/lib/agentos-spawnd}
state=${state:-$folder/spawnd-state}
is "the first half runs" "$(many $((count / 2)))" ""
measure "$((count / 2)) agents"
before=("$rss" "$fds" "$threads" "$groups" "$mounts")
is "the second half runs" "$(many $((count / 2)))" ""
measure "$count agents"
is "less than 1 MiB more memory" "$((rss - before[0] < 1024))" 1
is "no more descriptors but networks made ahead" "$((fds - before[1] <= 8))" 1
is "no more threads" "$threads" "${before[2]}"
is "no more cgroups" "$groups" "${before[3]}"
is "no more mounts" "$mounts" "${before[4]}"
is "no record" "$("$agentos" ps -a -q | wc -l)" 0
is "no layer" "$(ls -A "$state/layers" "$state/trash" | grep -c '^a')" 0

# At rest.
used=$(($(ticks "$agentosd") + $(ticks "$spawnd")))
sleep 10
used=$(($(ticks "$agentosd") + $(ticks "$spawnd") - used))
echo "at rest for 10 s: $((used * 1000 / $(getconf CLK_TCK))) ms of CPU"
is "less than 1 % of a CPU at rest" "$((used * 1000 / $(getconf CLK_TCK) < 100))" 1
finish
