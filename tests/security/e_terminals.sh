#!/usr/bin/env bash
# Terminals and what processes of one host share by name: sockets, System V and POSIX IPC, folders for everybody.
. "$(dirname "$0")/lib.sh"
supervisor_start
name=agentos-shared-$$
mkfifo "$folder/end"
python3 "$here/shared.py" hold "$name" <"$folder/end" >"$folder/holder" 2>&1 &
holder=$!
exec 9>"$folder/end"
until_true "a program of the host holds one of each" grep -q held "$folder/holder"

# Here the control run keeps the networks and IPC of the host: they are what is to be seen.
control() {
  mkdir -p "$folder/control"
  (cd "$folder/control" && unshare --mount --pid --fork --mount-proc --propagation private "$probe" --free "$@" 9>&-)
}
shown "$(control e)" "${not_here[@]}"
held alice "$(inside "$alice" e)"

# The same by name, and a socket of the supervisor by its path.
ws=$(workspace shared "$alice")
install -m 644 "$here/shared.py" "$ws"
cd "$ws" || exit 1
reached() { tr '\n' ' '; }
is "allowed: each is reached" "$(as "$alice" python3 shared.py reach "$name" "$AGENTOS_SOCKET" 2>&1 | reached)" \
  "abstract: ok shm: ok sem: ok msg: ok mqueue: ok /tmp: ok /var/tmp: ok /dev/shm: ok path: ok "
is "in an agent: none" "$(as "$alice" "$agentos" run --rm -- python3 shared.py reach "$name" "$AGENTOS_SOCKET" 2>/dev/null | reached)" \
  "abstract: ECONNREFUSED shm: ENOENT sem: ENOENT msg: ENOENT mqueue: ENOENT /tmp: ENOENT /var/tmp: ENOENT /dev/shm: ENOENT path: ENOENT "
own=$(as "$alice" "$agentos" run --rm -- sh -c 'readlink /proc/self/ns/*' 2>/dev/null)
for space in cgroup ipc mnt net pid user uts; do
  has_not "it was the $space namespace: it is another" "$own" "$(readlink /proc/self/ns/$space)"
  has "of which there is one" "$own" "$space:["
done
exec 9>&-
wait $holder

# A socket in the workspace is granted with it where it is the caller's own, and only with the folder itself. (A mount that is
# read-only does not keep from connecting: the socket is not written.)
install -m 755 /dev/stdin serve.py <<'PYTHON'
import os, socket, sys
server = socket.socket(socket.AF_UNIX)
server.bind(sys.argv[1])
os.chmod(sys.argv[1], 0o777)
server.listen(8)
print("listens", flush=True)
sys.stdin.read()
PYTHON
servers=()
as "$alice" python3 serve.py own <"$folder/end" >"$folder/own" 2>&1 &
servers+=($!)
python3 serve.py others <"$folder/end" >"$folder/others" 2>&1 &
servers+=($!)
exec 9>"$folder/end"
until_true "alice has a server in the folder" grep -q listens "$folder/own"
until_true "and so has root" grep -q listens "$folder/others"
connects() { # MODE: to both
  as "$alice" "$agentos" run --rm -w ":$1" -- python3 -c 'import errno, socket, sys
for path in sys.argv[1:]:
  try: socket.socket(socket.AF_UNIX).connect(path); print(path, "ok")
  except OSError as error: print(path, errno.errorcode[error.errno])' own others 2>/dev/null | reached
}
is "where the agent has the folder itself: alice's; root's not, which she reaches herself" "$(connects bind)" "own ok others EACCES "
is "in a layer over it: none" "$(connects overlay)" "own ECONNREFUSED others EACCES "
is "where it has the folder read-only: alice's" "$(connects ro)" "own ok others EACCES "
exec 9>&-
wait "${servers[@]}"

# Another agent of the same user shares nothing either, but what both are given.
"$agentos" run --detach --name first -- python3 -c '
import ctypes, time
ctypes.CDLL(None).shmget(0x61676e74, 4096, 0o1666)
open("/dev/shm/first", "w").close()
open("/tmp/first", "w").close()
print("made", flush=True)
time.sleep(1000)' >/dev/null 2>&1
until_true "an agent makes its own" sh -c "'$agentos' logs first | grep -q made"
is "its exec sees them" "$("$agentos" exec first -- ls /dev/shm /tmp | reached)" "/dev/shm: first  /tmp: first "
is "another agent does not" "$("$agentos" run --rm -- sh -c 'ls /dev/shm /tmp; tail -n +2 /proc/sysvipc/shm' 2>/dev/null | reached)" "/dev/shm:  /tmp: "

# What an agent prints and is called by others reaches a terminal neutralised.
"$agentos" run --name loud --goal $'\033]0;owned\007' -- printf 'a\033]52;c;ZWNobyBvd25lZA==\007\033[6n\x9b6n\n' >/dev/null 2>&1
for command in "logs loud" "ps -a" "inspect loud" "logs --json loud"; do
  # shellcheck disable=SC2086 # words
  said=$("$agentos" $command 2>&1 | LC_ALL=C tr -d '[:print:]\n\t')
  is "$command: no control character, and no byte that a terminal takes for one" "$(printf %s "$said" | LC_ALL=C tr -dc '\000-\037\177\233' | od -An -tx1)" ""
done
has "raw, when asked for: they are there" "$("$agentos" logs --raw loud 2>/dev/null | od -An -tx1 | tr -d ' \n')" 1b5d3532
finish
