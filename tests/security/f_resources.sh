#!/usr/bin/env bash
# Resources: who takes all there is of something takes it from himself, and nothing stays of an agent or gets out of its group.
. "$(dirname "$0")/lib.sh"
supervisor_start
ws=$(workspace taker)
install -m 644 "$here/take.py" "$ws"
cd "$ws" || exit 1
all=1000000
has_all() { until_true "$1: an agent takes all it gets" sh -c "'$agentos' logs $1 | grep -q 'has all'"; }
reported() { "$agentos" logs "$1" | tr '\n' ' '; }
one() { python3 take.py 1 "$@" | tr '\n' ' '; } # as root of the host
one_inside() { "$agentos" run --rm -- python3 take.py 1 "$@" 2>/dev/null | tr '\n' ' '; }
responsive() { # WHAT: the supervisor and another agent, while somebody takes all he gets
  status "$1: the supervisor answers" 0 timeout 10 "$agentos" ps
  status "$1: another agent runs" 0 timeout 20 "$agentos" run --rm -- true
}

# What the kernel counts by user: each agent is a user, and the host's root is another.
printf 'version: 1\nprocess: {limits: {nofile: 4096}}\n' >"$folder/files.yaml" # less to take where all is slow
"$agentos" run --detach --name taker --policy-file "$folder/files.yaml" -- python3 take.py $all inotify ptys signals files >/dev/null 2>&1
has_all taker
for end in "inotify: [0-9]* EMFILE" "ptys: [0-9]* ENOSPC" "signals: [0-9]* EAGAIN" "files: [0-9]* EMFILE"; do
  is "that has an end: ${end%:*}" "$(reported taker | grep -c "$end")" 1
done
each="inotify: 1 no end ptys: 1 no end signals: 1 no end files: 1 no end "
is "the host's root has its own" "$(one inotify ptys signals files)" "$each"
is "another agent has its own" "$(one_inside inotify ptys signals files)" "$each"
responsive "taker"
"$agentos" terminate --grace 0 taker >/dev/null
# And what it counts for all together is not for agents.
is "asynchronous I/O contexts, allowed" "$(one aio)" "aio: 1 no end "
# Message queues would be counted by user too. Landlock leaves agents none: their file system is mounted nowhere.
is "message queues, allowed" "$(one mqueues)" "mqueues: 1 no end "
is "in an agent: none, so the host's stay; nor message queues" "$(one_inside aio mqueues)" "aio: 0 ENOSYS mqueues: 0 EACCES "

# Processes: by the agent's group where the host counts them there, and by the policy everywhere.
printf 'version: 1\nprocess: {limits: {nproc: 60}}\n' >"$folder/few.yaml"
"$agentos" run --detach --name forks --policy-file "$folder/few.yaml" -- python3 take.py $all processes >/dev/null 2>&1
has_all forks
has "processes: that has an end" "$(reported forks)" EAGAIN
responsive "processes"
pids=$(readlink "/proc/$("$agentos" inspect forks | jq .pid)/ns/pid")
of_agent() { # the processes of this host in the pid namespace $pids, which nobody can leave
  find -L /proc/[0-9]*/ns/pid -maxdepth 0 -inum "${pids//[!0-9]/}" 2>/dev/null
}
is "processes: there are many" "$([ "$(of_agent | wc -l)" -gt 40 ] && echo many)" many
group=$("$agentos" inspect forks | jq -r .sandbox.cgroup)
status "processes: terminate" 0 "$agentos" terminate --grace 0 forks
is "processes: none is left" "$(of_agent)" ""
is "processes: nor their group" "$(ls -d "$group" 2>/dev/null)" ""
if [ -n "$installed" ]; then
  "$agentos" run --detach --name bomb --pids 60 -- python3 take.py $all processes >/dev/null
  has_all bomb
  has "by the group: that has an end" "$(reported bomb)" EAGAIN
  responsive "by the group"
  "$agentos" terminate --grace 0 bomb >/dev/null
  # Memory: of a program, and of the file systems that are memory.
  for kind in 'a = bytearray(1 << 30)' 'open("/tmp/f", "wb").write(bytes(1 << 27))' 'open("/dev/shm/f", "wb").write(bytes(1 << 27))'; do
    "$agentos" run --rm --memory 48M -- python3 -c "$kind" >"$folder/out" 2>&1
    is "memory, $kind: it ended, or was told that there is no more" "$([ $? != 0 ] && echo yes)" yes
  done
else
  "$agentos" run --rm -- true 2>"$folder/err"
  for what in "memory limit" "process limit" "CPU share" "I/O share"; do
    has "run says that this host enforces no $what" "$(cat "$folder/err")" "$what"
  done
fi
# Without the controllers too: what is memory has a size, and so many files.
mounts=$("$agentos" run --rm -- cat /proc/mounts 2>/dev/null)
is "every tmpfs has a size and a number of files" "$(grep -c ' tmpfs ' <<<"$mounts")" "$(grep ' tmpfs ' <<<"$mounts" | grep 'size=' | grep -c nr_inodes=)"
"$agentos" run --detach --name inodes -- python3 take.py 2000 inodes >/dev/null 2>&1
until_true "files in memory" sh -c "'$agentos' logs inodes | grep -q '2000 no end'"
"$agentos" terminate --grace 0 inodes >/dev/null

# Who leaves its parent, session and terminal behind stays in the group, and ends with the agent.
escape='import os, time
for _ in range(2):
    if os.fork(): os._exit(0)
    os.setsid()
os.chdir("/")
for fd in range(3): os.close(fd)
time.sleep(1000)'
"$agentos" run --detach --name parent -- sh -c "python3 -c '$escape'; sleep 1000" >/dev/null 2>&1
group=$("$agentos" inspect parent | jq -r .sandbox.cgroup)
pids=$(readlink "/proc/$("$agentos" inspect parent | jq .pid)/ns/pid")
until_true "a daemon that left everything behind" sh -c "[ \"\$(grep -c '' '$group/cgroup.procs')\" -ge 3 ]"
space=$(readlink "/proc/$("$agentos" inspect parent | jq .pid)/ns/net")
holders() { # of that network namespace: processes in it, descriptors of it, mounts of it
  readlink /proc/[0-9]*/ns/net /proc/[0-9]*/fd/* 2>/dev/null | grep -c -x -F "$space"
  cat /proc/[0-9]*/mountinfo 2>/dev/null | grep -c -F "$space"
}
is "its network namespace has processes, and nothing else holds it" "$(holders | tr '\n' ' ' | sed 's/^[1-9][0-9]* /some /')" "some 0 "
"$agentos" terminate --grace 0 parent >/dev/null
is "it ended with the agent" "$(of_agent)" ""
is "and nothing holds its network namespace" "$(holders | tr '\n' ' ')" "0 0 "

# Who kills whatever it can reach kills itself alone; and without agentos-init nothing goes on.
status "kill -9 -1" 0 "$agentos" run --name killer -- sh -c 'sleep 1000 & kill -9 -1; wait $!; echo $?'
is "kills what else there is of the agent" "$out" 137
is "and its record is there" "$("$agentos" inspect killer | jq -r '.status')" completed
"$agentos" run --detach --name orphans -- sh -c 'sleep 1000 & sleep 1000' >/dev/null 2>&1
pid=$("$agentos" inspect orphans | jq .pid)
pids=$(readlink "/proc/$pid/ns/pid")
until_true "its programs run" sh -c "[ \"\$(grep -c '' '$("$agentos" inspect orphans | jq -r .sandbox.cgroup)/cgroup.procs')\" -ge 3 ]"
kill -9 "$pid"
status "an agent whose init was killed has ended" 137 timeout 20 "$agentos" wait orphans
is "with all its programs" "$(of_agent)" ""

# Paused in its first moments an agent is still one that is known to run.
for i in {1..12}; do
  "$agentos" run --detach --name "early$i" -- sleep 1000 >/dev/null 2>&1 &
  early=$!
  until "$agentos" pause "early$i" >/dev/null 2>&1 || ! kill -0 $early 2>/dev/null; do :; done
  wait $early
  "$agentos" pause "early$i" >/dev/null 2>&1 # where it was there before the first try
  is "paused as it starts, $i" "$("$agentos" inspect "early$i" | jq -r '.status')" paused
done
is "no process runs without a record" "$(cgroups | wc -l)" "$("$agentos" ps -q | wc -l)"
"$agentos" ps -q | xargs "$agentos" terminate --grace 0 >/dev/null

# Nobody comes before others because agentos-spawnd does.
if [ -z "$installed" ]; then
  kill_spawnd
  start_spawnd
  renice -n -10 -p "$spawnd" >/dev/null
  chrt --fifo --pid 5 "$spawnd" && ionice -c 1 -n 0 -p "$spawnd"
  echo -500 >"/proc/$spawnd/oom_score_adj" 2>/dev/null || echo "note this machine's root cannot spare a process from running out of memory"
  until_true "a supervisor that comes first" "$agentos" run --rm -- true
  is "it does" "$(chrt -p "$spawnd" | head -n 1 | grep -o SCHED_FIFO) $(ionice -p "$spawnd" | cut -d: -f1)" "SCHED_FIFO realtime"
  is "its agents do not" "$("$agentos" run --rm -- sh -c 'chrt -p $$ | head -n 1 | grep -o "SCHED_[A-Z]*"; nice; ionice | cut -d: -f1; cat /proc/self/oom_score_adj' 2>/dev/null | tr '\n' ' ')" \
    "SCHED_OTHER 0 none 0 "
fi
"$agentos" prune -f >/dev/null
is "no folder, log or record of an agent is left" "$(find "${folder}/state" "$folder/run" -mindepth 1 ! -name 'agentos.db*' ! -name agentos.sock ! -path '*/state/policies/*' ! -path '*/state/journal/*' 2>/dev/null | grep -v -x -e "$folder/[a-z]*/[a-z]*" | head)" ""
finish
