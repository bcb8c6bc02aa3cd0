#!/usr/bin/env bash
# What it takes to run /bin/true: bare, in bubblewrap, and as an agent with every isolation on; from call to exit status.
source "$AGENTOS_SOURCE/tests/host/agents/lib.sh"
command -v bwrap >/dev/null || { echo "skipped: bubblewrap is not installed"; exit 77; }
supervisor_start
cd "$(workspace ws)" || exit 1
python3 "$AGENTOS_SOURCE/tests/bench/interleaved.py" --rounds "${ROUNDS:-100}" \
  --command "bare" /bin/true \
  --command "bwrap --unshare-all" bwrap --unshare-all --ro-bind / / --proc /proc --dev /dev /bin/true \
  --command "agentos run --rm" "$agentos" run --rm -- /bin/true
is "every round ran" $? 0
finish
