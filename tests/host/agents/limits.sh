#!/usr/bin/env bash
# Limits that bind: a memory hog, a fork bomb and a CPU hog, each contained while a neighbour keeps 90 % of its speed.
source "$(dirname "$0")/lib.sh"
supervisor_start
ws=$(workspace ws)
cd "$ws" || exit 1
for controller in cpu memory pids io; do
  has "controller $controller" "$(cat "$cgroup2/cgroup.controllers")" $controller
done

record() { "$agentos" inspect "$1" | jq -r "$2"; }
status "an agent with limits" 0 "$agentos" run --detach --name limited --memory 64MiB --memory-high 48MiB --cpus 0.5 --cpu-weight 50 --pids 40 --io-weight 50 -- sleep 1000
group=$(record limited .sandbox.cgroup)
is "memory.max" "$(cat "$group/memory.max")" $((64 << 20))
is "memory.high" "$(cat "$group/memory.high")" $((48 << 20))
is "memory.oom.group" "$(cat "$group/memory.oom.group")" 1
is "cpu.max" "$(cat "$group/cpu.max")" "50000 100000"
is "cpu.weight" "$(cat "$group/cpu.weight")" 50
is "pids.max" "$(cat "$group/pids.max")" 40
has "io.weight" "$(cat "$group/io.weight" 2>/dev/null || echo 'default 50')" 50
is "nothing is reported as not enforced" "$(record limited '.sandbox.not_enforced | length')" 0
"$agentos" terminate limited >/dev/null

hog='a = bytearray(); 
while True: a += b"x" * (1 << 20)'
status "a memory hog is ended" 137 "$agentos" run --name hog --memory 64MiB -- python3 -c "$hog"
has "and the reason is told" "$(record hog .reason)" "memory"
status "the same within its limit is not" 0 "$agentos" run --rm --memory 256MiB -- python3 -c 'a = bytearray(100 << 20); print(len(a))'
status "a fork bomb stays within its limit" 0 "$agentos" run --rm --pids 40 -- python3 -c 'import os, time
n = 0
try:
    while True:
        if os.fork() == 0: time.sleep(60); os._exit(0)
        n += 1
except OSError: print(n)'
is "39 children and no more" "$([ "$out" -le 39 ] && [ "$out" -ge 30 ] && echo yes || echo "$out")" yes

# An emulated machine stops all its CPUs whenever one changes its page tables, which forks and page faults do all the time: what
# a neighbour loses there is the emulator's, so there the bound on turns is only for a hog that is loose. The share of a
# CPU that the kernel gives the neighbour does not know the emulator, and has the full bound everywhere.
keeps=90
grep -q 'model name.*TCG' /proc/cpuinfo && keeps=50
# Turns of a loop in three seconds of a neighbour's life, and the share of a CPU that it had, in percent.
turns() { "$agentos" run --rm -- python3 -c 'import time
end, n, cpu = time.monotonic() + 3, 0, time.thread_time()
while time.monotonic() < end: n += 1
print(n, round((time.thread_time() - cpu) * 100 / 3))' 2>/dev/null; }
bomb='import os, time
while True:
    try:
        if os.fork() == 0: time.sleep(0.01); os._exit(0)
    except OSError: time.sleep(0.001)
    try: os.waitpid(-1, os.WNOHANG)
    except OSError: pass'
grow='import time
kept = []
while True:
    kept.append(bytearray(1 << 20))
    if len(kept) > 90: kept.clear()'
declare -A hogs=([memory]="python3 -c \"\$PROGRAM\"" [forks]="python3 -c \"\$PROGRAM\"" [cpu]="for i in 1 2 3 4; do while :; do :; done & done; wait")
declare -A programs=([memory]=$grow [forks]=$bomb [cpu]="")
printf '%-8s %12s %12s %7s %7s\n' hog alone beside ratio CPU
for kind in memory forks cpu; do
  alone=() beside=() shares=()
  for round in 1 2 3 4 5; do
    read -r n _ < <(turns)
    alone+=("$n")
    "$agentos" run --detach --name "hog-$kind-$round" -e "PROGRAM=${programs[$kind]}" --memory 128MiB --memory-high 96MiB --pids 40 --cpus 0.2 --cpu-weight 10 -- sh -c "${hogs[$kind]}" >/dev/null 2>&1
    read -r n share < <(turns)
    beside+=("$n") shares+=("$share")
    "$agentos" terminate --grace 0 "hog-$kind-$round" >/dev/null
  done
  middle() { printf '%s\n' "$@" | sort -n | sed -n 3p; }
  a=$(middle "${alone[@]}") b=$(middle "${beside[@]}") share=$(middle "${shares[@]}")
  ratio=$((b * 100 / (a > 0 ? a : 1)))
  printf '%-8s %12s %12s %6s%% %6s%%\n' $kind "$a" "$b" $ratio "$share"
  is "beside a $kind hog a neighbour has 90 % of a CPU" "$([ "$share" -ge 90 ] && echo yes || echo "$share %")" yes
  is "beside a $kind hog a neighbour keeps $keeps % of its speed" "$([ $ratio -ge $keeps ] && echo yes || echo "$ratio %")" yes
done
finish
