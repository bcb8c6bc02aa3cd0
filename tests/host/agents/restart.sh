#!/usr/bin/env bash
# Agents outlive both daemons, confined, and are the same afterwards: logs, exit status, state.
source "$(dirname "$0")/lib.sh"
supervisor_start
ws=$(workspace ws)
cd "$ws" || exit 1
state() { "$agentos" inspect "$1" | jq -r '.status'; }

"$agentos" run -w :bind --detach --name long -- sh -c 'n=0; while [ ! -e stop ]; do n=$((n+1)); echo line $n; sleep 0.1; done; exit 5' >/dev/null
"$agentos" run -w :bind --detach --name still -- sleep 1000 >/dev/null
"$agentos" run -w :bind --detach --name frozen -- sleep 1000 >/dev/null
"$agentos" pause frozen
"$agentos" run -w :bind --detach --name brief -- sh -c 'while [ ! -e brief ]; do sleep 0.05; done; exit 6' >/dev/null
("$agentos" run -w :bind --name front -- sh -c 'echo first; while [ ! -e front ]; do sleep 0.05; done; echo last; exit 7' >"$folder/front" 2>&1; echo $? >"$folder/front-status") &
until_true "the foreground agent runs" grep -q first "$folder/front"
pid=$("$agentos" inspect still | jq -r '.pid')

kill_agentosd
touch brief front
until_true "an attached terminal goes on without agentosd" grep -q last "$folder/front"
has "processes go on" "$(cat /proc/"$pid"/status)" "NoNewPrivs:	1"
revive_agentosd
is "still running" "$(state still)" running
is "still the same process" "$("$agentos" inspect still | jq -r '.pid')" "$pid"
is "still paused" "$(state frozen)" paused
until_true "one that ended meanwhile has its exit status" sh -c "[ \"\$('$agentos' inspect brief | jq -r '.exit_code')\" = 6 ]"
until_true "and so has the one in the foreground" sh -c "[ \"\$(cat '$folder/front-status' 2>/dev/null)\" = 7 ]"
is "resume after a restart" "$("$agentos" resume frozen >/dev/null; state frozen)" running
status "exec after a restart" 0 "$agentos" exec still -- true

kill_spawnd
is "agents outlive agentos-spawnd" "$(state still)" running
has "confined" "$(grep NoNewPrivs /proc/"$pid"/status)" 1
status "and answer" 0 "$agentos" exec still -- true
revive_spawnd
until_true "new agents start again" "$agentos" run -w :bind --rm -- true

kill_agentosd
kill_spawnd
revive_spawnd
revive_agentosd
is "both at once" "$(state still) $(state long)" "running running"
touch stop
status "the exit status of one that was adopted twice" 5 "$agentos" wait long
log=$("$agentos" logs long)
is "its log has every line in order" "$(echo "$log" | sed 's/line //' | awk '{if ($1 != NR) bad = 1} END {print bad + 0}')" 0
"$agentos" terminate still frozen >/dev/null
is "terminate after a restart" "$(state still) $(state frozen)" "terminated terminated"

# A daemon that dies while agents start: each is running and known afterwards, or was refused and has left nothing.
for i in 1 2 3 4 5 6; do "$agentos" run -w :bind --detach --name "storm$i" -- sleep 1000 >/dev/null 2>&1 & done
kill_agentosd
wait $(jobs -p | grep -v -e "${spawnd:-x}" -e "${agentosd:-x}") 2>/dev/null
revive_agentosd
known=$("$agentos" ps -q | sort | tr '\n' ' ')
until_true "the cgroups that are there are those of known agents" \
  sh -c "[ \"\$(find '$cgroup2/$slice' -mindepth 2 -maxdepth 2 -type d -name 'a????????????' -printf '%f\n' | sort | tr '\n' ' ')\" = \"\$('$agentos' ps -q | sort | tr '\n' ' ')\" ]"
finish
