#!/usr/bin/env bash
# agentos run, attach and exec on a terminal.
source "$(dirname "$0")/lib.sh"
supervisor_start
cd "$(workspace ws)" || exit 1
here=$AGENTOS_SOURCE/tests/host/agents
person() { python3 "$here/person.py" "$@"; }

out=$(person "$agentos" run -- sh -c 'tty; stty size; exit 4' <<'S'
end
S
)
is "exit status on a terminal" $? 4
has "a terminal of its own" "$out" "/dev/pts/0"
has "of the same size" "$out" "33 111"

out=$(person "$agentos" run -- bash --norc -i <<'S'
expect $
send bash -c 'echo be""gun; exec sleep 1000'\r
expect begun
send \x1a
expect Stopped
send jobs\r
expect Stopped
send bg\r
expect &
send kill %1; wait %1; echo waited $?\r
expect waited 143
send bash -c 'echo ag""ain; exec sleep 1000'\r
expect again
send \x03
send echo "status $?"\r
expect status 130
send stty size\r
expect 33 111
resize 20 70
send sh -c 'until [ "$(stty size)" = "20 70" ]; do sleep 0.05; done; echo re""sized'\r
expect resized
send exit 6\r
end
S
)
is "job control, ^Z, bg, ^C, window size" "$?" 6 || echo "$out"
[ $failures = 0 ] || echo "$out"

"$agentos" run --detach -t --name shell -- bash --norc -i >/dev/null
out=$(person "$agentos" attach shell <<'S'
send echo att''ached\r
expect attached
send \x10\x11
end
S
)
is "detach keys leave it running" "$("$agentos" inspect shell | jq -r '.status')" running
out=$(person "$agentos" attach shell <<'S'
send echo ag''ain; exit 5\r
expect again
end
S
)
is "attach gives the exit status" $? 5
"$agentos" run --detach --name quiet -- sleep 1000 >/dev/null
out=$(person "$agentos" exec quiet -- sh -c 'tty; exit 3' <<'S'
end
S
)
is "exec on a terminal" "$?" 3
has "has one" "$out" /dev/pts/
finish
