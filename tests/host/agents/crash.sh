#!/usr/bin/env bash
# A part of the supervisor or of an agent is killed (SIGKILL) at a random moment while an agent starts, runs, is paused, resumed,
# terminated, committed, discarded or removed. Once the dead are back nothing is lost, nothing is left over, and no agent ran
# unconfined. SEED=N repeats a run; ROUNDS=N makes it longer.
source "$(dirname "$0")/lib.sh"
supervisor_start
here=$(cd "$(dirname "$0")" && pwd)
export CRASH_AGENTOS=$agentos CRASH_SLICE=$cgroup2/$slice CRASH_INSTALLED=$installed CRASH_FOLDER=$folder
if [ -n "$installed" ]; then
  export CRASH_STATE=/var/lib/agentos CRASH_RUN=/run/agentos CRASH_SPAWND_STATE=/var/lib/agentos-spawnd
  export CRASH_SPAWND_PROGRAM=/usr/libexec/agentos/agentos-spawnd CRASH_INIT=/usr/libexec/agentos/agentos-init
else
  export CRASH_STATE=$folder/state CRASH_RUN=$folder/run CRASH_SPAWND_STATE=$folder/spawnd-state
  export CRASH_SPAWND_PROGRAM=$build/src/spawnd/agentos-spawnd CRASH_INIT=$build/src/init/agentos-init
fi
export CRASH_AGENTOSD=${agentosd:-} CRASH_SPAWND=${spawnd:-} CRASH_PIDS=$folder/pids
python3 -B "$here/crash/matrix.py"
is "nothing is lost, nothing is left over, nobody ran unconfined" $? 0
if [ -z "$installed" ]; then read -r agentosd spawnd <"$folder/pids"; fi
finish
