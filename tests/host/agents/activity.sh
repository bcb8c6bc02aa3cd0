#!/usr/bin/env bash
# What the kernel counts of agents is the truth: a program of known numbers, beside the counters of its loopback device,
# and across a restart of agentos-spawnd.
source "$(dirname "$0")/lib.sh"
supervisor_start
works=$build/tests/host/agents/activity
ws=$(workspace ws)
cd "$ws" || exit 1
cp "$works" "$ws/activity"
counted() { "$agentos" inspect "$1" | jq -c ".usage.activity | $2"; }
if [ "$(counted "$("$agentos" run --detach -- true)" .forks)" = null ]; then
  has "a host that cannot count says so" "$("$agentos" doctor)" "not counted"
  [ -z "$installed" ] || bad "the virtual machine counts"
  finish
fi

# --- known numbers: beside those of an agent that does nothing
status "an agent that does nothing" 0 "$agentos" run --name nothing -- ./activity 0 0 0 0 0
status "one that does something" 0 "$agentos" run --name known -- ./activity 70 6 50 4 9
more() { echo $(($(counted known "$1") - $(counted nothing "$1"))); }
is "processes" "$(more .forks)" 120
is "which ended" "$(more .exits)" 120
is "threads" "$(more .threads)" 6
is "programs" "$(more .execs)" 50
is "connections, and datagrams without one" "$(more .connects)" 13
has "as a table" "$("$agentos" stats known)" "known"
is "and as JSON" "$("$agentos" stats known --json | jq '.[0].activity.threads')" "$(counted known .threads)"
is "nothing was lost" "$(counted known .dropped)" 0

# --- bytes: as the loopback device counts them
status "what goes over the loopback device" 0 "$agentos" run --name bytes -- sh -c './activity 0 0 0 20 30; cat /proc/net/dev'
read -r device_bytes device_packets < <(awk '/lo:/ {print $2, $3}' <<<"$out")
is "packets sent" "$(counted bytes .sent.packets)" "$device_packets"
is "bytes sent" "$(counted bytes .sent.bytes)" "$device_bytes"
is "packets received" "$(counted bytes .received.packets)" "$device_packets"
is "bytes received" "$(counted bytes .received.bytes)" "$device_bytes"

# --- at the same time: each its own
for n in 1 2 3 4; do "$agentos" run --detach --name "side$n" -- ./activity $((n * 100)) 0 0 0 0 >/dev/null; done
"$agentos" wait side1 side2 side3 side4 >/dev/null
for n in 1 2 3 4; do is "agent $n beside others" $(($(counted "side$n" .forks) - $(counted nothing .forks))) $((n * 100)); done

# --- spawnd may be killed meanwhile
"$agentos" run --detach -w :bind --name through -- sh -c './activity 200 0 0 0 0; touch half; while [ ! -e go ]; do sleep 0.05; done; exec ./activity 300 0 0 0 0' >/dev/null
until_true "half of it is done" test -e half
kill_spawnd
touch go
is "it ends without agentos-spawnd" "$("$agentos" wait through)" 0
revive_spawnd
sleeps=$(($(counted through .forks) - 501))
[ "$sleeps" -ge 1 ] && good "what it did meanwhile is counted" || bad "what it did meanwhile is counted" "$(counted through .)"
is "and what ended" "$(($(counted through .exits) - $(counted through .forks)))" 1

# --- and agentosd, while an agent ends
"$agentos" run --detach -w :bind --name unseen -- sh -c 'until [ -e on ]; do sleep 0.05; done; ./activity 40 0 0 0 0' >/dev/null
kill_agentosd
touch on
until_true "it ends without agentosd" sh -c "[ -z \"\$(cat $cgroup2/$slice/*/a*/cgroup.procs 2>/dev/null)\" ]"
revive_agentosd
until_true "what it did is known" test "$(counted unseen .exits)" -gt 40

# --- many short ones: fewer where the machine is emulated
many=${MANY:-$([ -n "$installed" ] && echo 1000 || echo 10000)}
status "$many short processes" 0 "$agentos" run --name storm -- ./activity "$many" 0 0 0 0
is "none is missed" $(($(counted storm .forks) - $(counted nothing .forks))) "$many"
is "each end is told or counted as lost" $(($(counted storm '.events + .dropped') - $(counted nothing .events))) "$many"
# A record of 80 bytes for each: the buffer of 4 MiB holds 52,428, more are told only when they are taken out meanwhile.
status "more datagrams than the buffer has room for" 0 "$agentos" run --name flood -- ./activity 0 0 0 0 150000
[ "$(counted flood .events)" -gt 60000 ] && good "they are taken out" || bad "they are taken out" "$(counted flood .)"
is "each is told or counted as lost" "$(($(counted flood '.events + .dropped') - $(counted nothing '.events')))" 150000
status "and agentosd answers after it" 0 timeout 10 "$agentos" ps
"$agentos" ps -a -q | xargs "$agentos" rm --discard >/dev/null
finish
