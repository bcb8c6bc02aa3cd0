#!/usr/bin/env bash
# How an agent sees the directory it works in: overlay, bind, ro, empty; and what becomes of what it wrote.
source "$(dirname "$0")/lib.sh"
supervisor_start
chmod 755 "$folder"
ws=$(workspace ws)
cd "$ws" || exit 1
mkdir -p old/deep
echo one >file
echo two >old/deep/file
ln -s file link
chmod 640 file
state=${installed:+/var/lib/agentos-spawnd}
state=${state:-$folder/spawnd-state}
tree() { find "$ws" -printf '%P %y %m %U:%G %l\n' | sort && cat file old/deep/file; }
before=$(tree)
changed() { "$agentos" inspect "$1" | jq -r '.workspace.changed'; }
layer() { echo "$state/layers/$("$agentos" inspect "$1" | jq -r '.id')/upper"; }

status "by default what it writes goes to a layer" 0 "$agentos" run --name writer -- sh -c \
  'echo more >>file; rm -r old; mkdir new; echo x >new/made; ln link linked; chmod 600 new/made; cat file; ls'
is "the agent sees what it wrote" "$out" "one
more
file
link
linked
new"
has "and the person is told" "$err" "agentos diff writer"
is "the directory is as it was" "$(tree)" "$before"
is "its record says so" "$(changed writer)" true
is "the mode is in the record" "$("$agentos" inspect writer | jq -r '.workspace.mode')" overlay
is "the layer is the caller's on disk" "$(stat -c '%U %a' "$(layer writer)/new/made")" "root 600"
is "nobody else can reach it by a path" "$(stat -c '%U %a' "$state/layers")" "root 700"
status "it is not removed with what it wrote" 5 "$agentos" rm writer
has "and the error says what to do" "$err" "--discard"
status "nor pruned" 0 "$agentos" prune -f
has "which is told" "$err" "is kept"
path=$(layer writer)
status "rm --discard removes both" 0 "$agentos" rm --discard writer
until_true "the layer is deleted" sh -c "! [ -e '$path' ] && [ -z \"\$(ls -A '$state/trash')\" ]"

status "one that changed nothing leaves nothing" 0 "$agentos" run --name reader -- cat file
is "its record says so" "$(changed reader)" false
has_not "and nobody is bothered" "$err" "agentos diff"
status "so it is removed" 0 "$agentos" rm reader
status "--rm keeps one that has changes" 0 "$agentos" run --rm --name kept -- touch made
is "it is there" "$(changed kept)" true
status "--rm removes one that has none" 0 "$agentos" run --rm --name gone -- true
status "it is gone" 3 "$agentos" inspect gone
is "the directory is as it was" "$(tree)" "$before"

status "bind: it writes to the directory" 0 "$agentos" run --rm -w "$ws:bind" -- sh -c 'echo x >bound'
is "the file is there, and the caller's" "$(stat -c '%U' bound)" root
rm bound
status "ro: it reads" 0 "$agentos" run --rm -w :ro -- cat file
status "ro: it cannot write" 1 "$agentos" run --rm -w :ro -- touch made
has "and is told why" "$err" "Read-only"
status "empty: it sees nothing" 0 "$agentos" run --name hermit -w :empty -- sh -c 'ls -A; echo x >made; pwd'
is "at the same path" "$out" "$ws"
is "what it wrote is in its layer" "$(cat "$(layer hermit)/made")" x
is "the directory is as it was" "$(tree)" "$before"
mkdir "$folder/odd:name" "$folder/odd:ro"
status "a folder with a colon in its name" 0 "$agentos" run --rm -w "$folder/odd:name" -- pwd
status "a folder that ends like a mode" 0 "$agentos" run --rm -w "$folder/odd:ro:overlay" -- pwd
is "is that folder" "$out" "$folder/odd:ro"

# Several agents on one directory, each with its own layer.
for i in 1 2 3; do "$agentos" run --detach --name "crew$i" -- sh -c "echo $i >file; until [ -e stop ]; do sleep 0.05; done" >/dev/null; done
for i in 1 2 3; do until_true "agent $i sees its own" sh -c "[ \"\$('$agentos' exec crew$i -- cat file)\" = $i ]"; done
is "the directory is as it was" "$(tree)" "$before"
for i in 1 2 3; do "$agentos" terminate --grace 0 "crew$i" >/dev/null; done

# What the layer is made of is out of the agent's reach, and it cannot forge overlayfs' own marks.
status "no other mount shows the layer" 0 "$agentos" run --rm -- sh -c 'ls -A / | grep agentos; grep -c overlay /proc/self/mounts'
is "but the workspace itself" "$out" 1
forge='import os, sys
for name in ("user.mine", "user.overlay.opaque", "user.overlay.whiteout", "trusted.overlay.opaque"):
    try:
        os.setxattr("file", name, b"y"); print(name, "set")
    except OSError as error: print(name, "refused")
try:
    os.mknod("whiteout", 0o20644, 0); print("whiteout made")
except OSError: print("whiteout refused")'
"$agentos" run --name forger -- python3 -c "$forge" >"$folder/out" 2>/dev/null
has "its own attributes it can set" "$(cat "$folder/out")" "user.mine set"
has "those of the host's overlayfs it cannot" "$(cat "$folder/out")" "trusted.overlay.opaque refused"
has "nor make a whiteout" "$(cat "$folder/out")" "whiteout refused"
# From Linux 6.7 those of its own overlayfs are kept under another name, before that they are refused.
attributes=$(python3 -c 'import os, sys; print(*os.listxattr(sys.argv[1]))' "$(layer forger)/file")
has "on disk is what it set" "$attributes" "user.mine"
for mark in opaque whiteout; do has_not "and no mark of overlayfs: $mark" " $attributes " " user.overlay.$mark "; done

# Layers belong to those who started the agent.
wa=$(workspace alice "$alice")
id=$(as "$alice" env -C "$wa" "$agentos" run --detach -- sh -c 'echo secret >made; sleep 1000' 2>/dev/null)
answer() { as "$1" curl -s -o /dev/null -w '%{http_code}' -X POST --unix-socket "$AGENTOS_SOCKET" "http://localhost/v1/agents/$2/layer"; }
until_true "alice's agent has written" sh -c "[ -e '$state/layers/$id/upper/made' ]"
is "alice gets her layer" "$(answer "$alice" "$id")" 200
is "root, her tenant's admin, gets it" "$(answer 0 "$id")" 200
is "bob does not know of it" "$(answer "$bob" "$id")" 404
is "alice does not get root's" "$(answer "$alice" "$("$agentos" inspect kept | jq -r .id)")" 403
is "it is alice's on disk" "$(stat -c %u "$state/layers/$id/upper/made")" "$alice"
# A directory of root's that she may read, with one of hers in it: the agent can change what is hers alone.
chmod 755 "$ws"
mkdir hers && echo three >hers/file && chown -R "$alice:$alice" hers
before=$(tree)
as "$alice" "$agentos" run --name guest -w "$ws" -- sh -c 'cat old/deep/file; cat file; echo x >>old/deep/file; echo x >>hers/file; tail -n 1 hers/file' >"$folder/out" 2>/dev/null
is "she reads what she may read, and changes what is hers" "$(cat "$folder/out")" "two
x"
is "nothing else is in her layer" "$(as "$alice" "$agentos" diff --json guest | jq -r '.changes[].path')" "hers/file"
is "the directory is as it was" "$(tree)" "$before"
"$agentos" terminate --grace 0 "$id" >/dev/null
finish
