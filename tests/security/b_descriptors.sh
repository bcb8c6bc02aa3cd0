#!/usr/bin/env bash
# Descriptors: none is inherited, one that is passed to an agent opens nothing, and hostile ones keep no daemon.
. "$(dirname "$0")/lib.sh"
supervisor_start
echo secret >"$folder/file"
exec 7<"$folder/file" 8<"$folder"
shown "$(control b <"$folder/file")"
held alice "$(inside "$alice" b <"$folder/file")"
exec 7<&- 8<&-

# A folder of the host, passed over a socket in the workspace by somebody outside.
ws=$(workspace passed "$alice")
install -m 644 "$here/pass.py" "$ws"
mkdir -m 777 "$folder/hosts" && echo secret >"$folder/hosts/canary" && chmod 644 "$folder/hosts/canary"
cd "$ws" || exit 1
give() {
  rm -f "$ws/socket" "$folder/hosts/made"
  as "$alice" python3 pass.py give socket "$folder/hosts" >"$folder/giver" 2>&1 &
  giver=$!
  until_true "somebody gives a folder of the host" grep -q listening "$folder/giver"
}
give
is "allowed: everything in it is reached" "$(as "$alice" python3 pass.py take socket canary | tr '\n' ' ')" \
  "openat: read proc: read list: read make: read fchdir: read "
wait $giver
is "also for writing" "$(ls "$folder/hosts")" "canary
made"
give
# It was opened for listing, so that can be done with it; nothing in it can be opened.
is "in an agent: nothing in it" "$(as "$alice" "$agentos" run --rm -w :bind -- python3 pass.py take socket canary 2>/dev/null | tr '\n' ' ')" \
  "openat: EACCES proc: EACCES list: read make: EACCES fchdir: EACCES "
kill $giver 2>/dev/null; wait $giver 2>/dev/null
is "nor for writing" "$(ls "$folder/hosts")" canary
has "it was Landlock, whose rules are for paths of the sandbox alone" "$("$agentos" policy explain default)" "  /proc: write"

# Descriptors that a user sends to agentosd as a workspace.
[ -c /dev/fuse ] || modprobe fuse
pid_of() {
  if [ -n "$installed" ]; then systemctl show --property=MainPID --value "$1"; elif [ "$1" = agentosd ]; then echo "$agentosd"; else echo "$spawnd"; fi
}
open_in() { find "/proc/$(pid_of "$1")/fd" -mindepth 1 2>/dev/null | wc -l; }
answers() { # WHAT: both daemons do, at once
  status "$1: agents can be run" 0 timeout 10 "$agentos" run --rm -- true
}
truncate -s 1P "$folder/huge" 2>/dev/null || truncate -s 8T "$folder/huge"
cp "$here/send.py" "$folder/send.py" && chmod 644 "$folder/send.py"
# The sender may get stuck in its own close: what it was answered is in a file by then.
send() { # KIND PATH
  rm -f "$folder/sent"
  as "$alice" python3 "$folder/send.py" "$AGENTOS_SOCKET" "$@" >"$folder/sent" 2>&1 9>&- &
  local end=$((SECONDS + 20))
  until [ -s "$folder/sent" ] || [ $SECONDS -ge $end ]; do sleep 0.02; done
  cat "$folder/sent"
}
mkdir "$folder/good" "$folder/served" && chown "$alice" "$folder/good"
cd "$(workspace other)" || exit 1
# Both daemons have opened what they keep open.
status "agents can be run" 0 "$agentos" run --rm -- true
agentosd_open=$(open_in agentosd) spawnd_open=$(open_in agentos-spawnd)
is "a folder, allowed" "$(send folder "$folder/good")" 201
is "a pipe" "$(send pipe /nothing)" 400
is "a socket" "$(send socket /nothing)" 400
is "a device without an end" "$(send file /dev/zero)" 400
is "a huge file" "$(send file "$folder/huge")" 400
is "two hundred descriptors" "$(send many "$folder/huge")" 400
mkfifo "$folder/end"
python3 "$here/fuse.py" "$folder/served" <"$folder/end" >"$folder/fuse" 2>&1 &
fuse=$!
exec 9>"$folder/end"
until_true "a file system that stops answering" grep -q mounted "$folder/fuse"
is "its folder" "$(send folder "$folder/served")" 422
for i in 1 2 3; do is "its file, whose close waits for it: $i" "$(send file "$folder/served/file")" 400; done
answers "while three closes wait"
exec 9>&-
wait $fuse
until_true "no descriptor stays in agentosd" sh -c "[ \$(find /proc/$(pid_of agentosd)/fd -mindepth 1 | wc -l) -le $agentosd_open ]"
is "nor in agentos-spawnd" "$(open_in agentos-spawnd)" "$spawnd_open"
finish
