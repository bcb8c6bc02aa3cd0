#!/usr/bin/env bash
# Workspaces on a file system that an ordinary user serves (FUSE): what cannot be is refused in words, and a server that
# answers nothing keeps neither spawnd nor anybody else's agent waiting.
# In a mount namespace of its own: nothing that is mounted here is left behind.
[ -n "${IN_NAMESPACE:-}" ] || exec env IN_NAMESPACE=1 unshare --mount "$0" "$@"
source "$(dirname "$0")/lib.sh"
server=$build/tests/host/agents/fuse_server
[ -x "$server" ] || { echo "skipped: built without libfuse3"; exit 77; }
command -v fusermount3 >/dev/null || { echo "skipped: needs fusermount3"; exit 77; }
alice=$(id -u games) # fusermount3 wants a name
supervisor_start
chmod 755 "$folder"
cp "$server" "$folder/fuse_server"
mknod -m 666 "$folder/fuse" c 10 229 && mount --bind "$folder/fuse" /dev/fuse
echo user_allow_other >"$folder/fuse.conf" && mount --bind "$folder/fuse.conf" /etc/fuse.conf
disk=$(workspace disk "$alice")

serve() { # serve NAME [OPTION...]: its folder, and the server's pid in $served
  at=$(workspace "$1" "$alice")
  shift
  setpriv --reuid="$alice" --regid="$alice" --clear-groups "$folder/fuse_server" -f -s "$@" "$at" &
  served=$!
  until_true "the file system is served" as "$alice" test -e "$at/file"
}
run() { as "$alice" timeout 60 "$agentos" run --rm -w "$@"; }
other() { # WHAT: somebody else's agent starts, and soon
  status "$1: another agent starts" 0 timeout 20 env -C "$disk" "$agentos" run --rm -- true
}

serve closed
status "on a disk it works" 0 run "$disk:overlay" -- true
is "its user reads it" "$(as "$alice" cat "$at/file")" served
for mode in overlay ro bind empty; do
  status "one that only its user can enter is refused, as $mode" 125 run "$at:$mode" -- true
  has "in words" "$err" "only its user can enter (FUSE)"
done
kill -USR1 "$served"
status "one that has fallen silent too" 125 run "$at:overlay" -- true
other "while it is silent"
kill -9 "$served"

serve open -o allow_other
is "root reads it" "$(cat "$at/file")" served
for mode in overlay ro bind; do
  status "one that all can enter is refused, as $mode" 125 run "$at:$mode" -- true
  has "with a place to go" "$err" "hint: "
done
kill -USR1 "$served"
for mode in overlay bind; do
  run "$at:$mode" -- true >/dev/null 2>&1 &
  waiting=$!
  other "while a start on the silent one is under way, as $mode"
  kill "$waiting" 2>/dev/null
  wait "$waiting"
  other "and behind it"
done
kill -9 "$served"
wait "$served"
umount -l "$at" "$folder/closed" 2>/dev/null
finish
