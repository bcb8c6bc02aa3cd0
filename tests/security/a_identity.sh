#!/usr/bin/env bash
# Who an agent is: no capability, no way to another user, no kernel setting, nothing of other processes or of its init.
. "$(dirname "$0")/lib.sh"
supervisor_start
shown "$(control a)" "${not_here[@]}"
held alice "$(inside "$alice" a)"
# Whoever starts it: root, and a user of another tenant, with the cases of every class.
held root "$(inside 0)"
held bob "$(inside "$bob")"

# Programs with setuid root and with a file capability, in the agent's own folder.
ws=$(workspace privileged "$alice")
install -m 4755 -o root "$probe" "$ws/setuid"
install -m 755 "$probe" "$ws/capable"
python3 -c 'import os, struct, sys
os.setxattr(sys.argv[1], "security.capability", struct.pack("<5I", 0x02000001, 1 << 5, 0, 0, 0))' "$ws/capable" # CAP_KILL
cd "$ws" || exit 1
has "setuid, when allowed: root" "$(as "$alice" ./setuid --identity)" "uid $alice/0 "
has "file capability, when allowed: one" "$(as "$alice" ./capable --identity)" "CapEff=0000000000000020"
for program in setuid capable; do
  is "$program in an agent: nothing is gained" "$(as "$alice" "$agentos" run --rm -w :bind -- ./$program --identity 2>/dev/null)" \
    "uid 1000/1000 capabilities none NoNewPrivs 1 Seccomp 2"
done

# A program that names its own interpreter as /proc/self/exe has the init of the sandbox started as one (CVE-2019-5736).
init_program=$build/src/init/agentos-init
[ -z "$installed" ] || init_program=/usr/libexec/agentos/agentos-init
before=$(sha256sum "$init_program")
worker=$(as "$alice" "$agentos" run -w :bind --detach -- sleep 1000 2>/dev/null)
printf '#!/proc/self/exe\n' >itself && chmod 755 itself
printf '#!/bin/sh\necho runs\n' >other && chmod 755 other
status "exec of a script, when allowed" 0 as "$alice" "$agentos" exec "$worker" -- ./other
is "it runs" "$out" runs
as "$alice" "$agentos" exec "$worker" -- ./itself >"$folder/out" 2>&1
is "exec of one that names its interpreter /proc/self/exe fails" "$([ $? != 0 ] && echo fails)" fails
is "the init of sandboxes is what it was" "$(sha256sum "$init_program")" "$before"
is "the agent goes on" "$(as "$alice" "$agentos" inspect "$worker" | jq -r .status)" running
finish
