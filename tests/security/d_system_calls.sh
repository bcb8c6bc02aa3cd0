#!/usr/bin/env bash
# System calls: what is not on the list is refused by the filter, with any arguments, and by nothing that comes later.
. "$(dirname "$0")/lib.sh"
supervisor_start
# Settings of the guest, which are not to be touched on this machine: huge pages to be had, and no search for the modules of
# socket families, which would take most of the time.
loader=$(cat /proc/sys/kernel/modprobe 2>/dev/null)
if [ -n "$installed" ]; then
  echo 8 >/proc/sys/vm/nr_hugepages
  echo /bin/true >/proc/sys/kernel/modprobe
fi
shown "$(control d)" "${not_here[@]}"
found=$(inside "$alice" d)
held alice "$found"

# The same calls, put to the filter: what it answers is what the agent was told, so the kernel behind it was not asked.
calls=$(sed '$d' <<<"$found" | awk -F'\t' '$7 != ""')
answers=$(cut -f 7 <<<"$calls" | "$build/tests/security/security_filter_answers")
is "as many answers as calls" "$(grep -c '' <<<"$answers")" "$(grep -c '' <<<"$calls")"
while IFS=$'\037' read -r name told answer; do
  is "$name: it was the filter" "$answer" "$told"
done < <(paste <(cut -f 2,5 <<<"$calls") <(echo "$answers") | fields)
is "a call that agents may make passes the same filter" "$(echo '39 0 0 0 0 0 0' | "$build/tests/security/security_filter_answers")" ok

cd "$(workspace other)" || exit 1
# A protocol that the kernel does not have: it starts a program to find one, as root, outside every agent's group. In the guest
# that program can be another.
search='import socket, sys
try: socket.socket(socket.AF_INET, socket.SOCK_STREAM, int(sys.argv[1]))
except OSError as error: print(error.strerror)'
if [ -n "$installed" ]; then
  printf '#!/bin/sh\necho "$*" >>%s/searched\n' "$folder" >"$folder/search" && chmod 755 "$folder/search"
  echo "$folder/search" >/proc/sys/kernel/modprobe
  python3 -c "$search" 98 >/dev/null
  has "a protocol that is none, allowed: the kernel looks for a module" "$(cat "$folder/searched")" "net-pf-2-proto-98"
  is "in an agent: refused" "$("$agentos" run --rm -- python3 -c "$search" 99 2>/dev/null)" "Protocol not supported"
  has_not "and nothing was started" "$(cat "$folder/searched")" "proto-99"
  echo "$loader" >/proc/sys/kernel/modprobe
fi
is "it was the filter" "$(echo '41 2 1 99 0 0 0' | "$build/tests/security/security_filter_answers")" EPROTONOSUPPORT
is "which lets TCP pass" "$(echo '41 2 1 6 0 0 0' | "$build/tests/security/security_filter_answers")" ok

# And to people.
for call in keyctl:EPERM io_setup:ENOSYS; do
  status "why --syscall ${call%:*}" 4 "$agentos" why --syscall "${call%:*}"
  has "says what it answers" "$out" "answers ${call#*:}"
done
status "why --syscall getpid" 0 "$agentos" why --syscall getpid
finish
