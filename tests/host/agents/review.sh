#!/usr/bin/env bash
# A user's session over a real checkout: an agent refactors it in an overlay, the user looks, commits two paths and discards the
# rest. git says what each step must leave. Then the same over a large tree, with times.
source "$(dirname "$0")/lib.sh"
supervisor_start
export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@example.org GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@example.org GIT_CONFIG_NOSYSTEM=1 HOME=$folder
ws=$(workspace checkout)
git clone -q "$AGENTOS_SOURCE" "$ws" 2>/dev/null || { # the source may be no repository: then it becomes one
  cp -a "$AGENTOS_SOURCE/src" "$AGENTOS_SOURCE/include" "$AGENTOS_SOURCE/README.md" "$ws"
  git -C "$ws" init -q && git -C "$ws" add . && git -C "$ws" commit -q -m all
}
cd "$ws" || exit 1
refactor='set -e
git ls-files -z "src/base/*" "include/agentos/base/*" | xargs -0 sed -i "s/\bprintable\b/shown/g"
mkdir -p doc
echo "printable is called shown now" >doc/NOTE
git rm -q --cached README.md && rm README.md
echo "#!/bin/sh" >.git/hooks/pre-commit && chmod +x .git/hooks/pre-commit
git add src include doc'
# What the refactoring gives when it is done directly.
git clone -q "$ws" "$folder/direct"
(cd "$folder/direct" && sh -c "$refactor")

status "the agent refactors" 0 "$agentos" run --name refactor -- sh -c "$refactor"
is "the checkout is as it was" "$(git status --porcelain)" ""
status "diff --stat" 0 "$agentos" diff --stat refactor src include README.md doc
has "names what changed" "$out" "src/base/text.cpp"
has "and what is gone" "$out" "README.md"
"$agentos" diff refactor src include doc README.md >"$folder/patch"
git clone -q "$ws" "$folder/patched"
status "git applies the diff" 0 git -C "$folder/patched" apply "$folder/patch"
is "and has what was done directly" "$(cd "$folder/patched" && git add -A && git write-tree)" "$(cd "$folder/direct" && git add -A && git write-tree)"
status "diff --exit-code" 1 "$agentos" diff --exit-code refactor
is "diff --json names the hook as protected" "$("$agentos" diff --json refactor | jq -r '.changes[] | select(.protected) | .path' | grep -c hooks)" 1

status "a dry run" 0 "$agentos" commit --dry-run refactor src doc
is "does nothing" "$(git status --porcelain)" ""
status "commit two paths" 0 "$agentos" commit refactor src/base doc
is "git sees those and no other" "$(git status --porcelain -uall)" "$(cd "$folder/direct" && git reset -q && git status --porcelain -uall src/base doc)"
is "with the content they have when done directly" "$(cat src/base/* doc/NOTE | sha256sum)" "$(cd "$folder/direct" && cat src/base/* doc/NOTE | sha256sum)"
has_not "diff shows only the rest" "$("$agentos" diff --stat refactor)" "src/base"
has "which is still there" "$("$agentos" diff --stat refactor)" "include/agentos/base"

status "commit of all holds back what would run later" 5 "$agentos" commit refactor .git/hooks
has "and says how to look and go on" "$err" "--allow"
is "no hook is in the checkout" "$(find .git/hooks -name pre-commit)" ""
before=$(find . -type f -not -path ./.git/index | sort | xargs sha256sum)
status "discard the rest" 0 "$agentos" discard refactor
is "the checkout is as before" "$(find . -type f -not -path ./.git/index | sort | xargs sha256sum)" "$before"
is "nothing is left to review" "$("$agentos" inspect refactor | jq -r '.workspace.changed')" false
status "so the agent can be removed" 0 "$agentos" rm refactor

# What changed outside meanwhile is told, not overwritten.
"$agentos" run --name slow -- sh -c 'echo agent >>src/CMakeLists.txt; echo new >added' 2>/dev/null
echo person >>src/CMakeLists.txt
status "a conflict is held back" 5 "$agentos" commit slow
has "with what happened" "$err" "changed in the workspace since the agent started"
is "the person's stays" "$(tail -n 1 src/CMakeLists.txt)" person
is "the rest is committed" "$(cat added)" new
status "--force takes the agent's" 0 "$agentos" commit --force slow
is "the agent's is there" "$(tail -n 1 src/CMakeLists.txt)" agent

# Who may: a running agent is not committed, another user's neither.
"$agentos" run --detach --name busy -- sh -c 'echo x >made; sleep 1000' >/dev/null 2>&1
until_true "it has written" sh -c "'$agentos' diff busy | grep -q made"
status "one that runs is not committed" 5 "$agentos" commit busy
has "and the error says what to do" "$err" "terminate"
"$agentos" terminate --grace 0 busy >/dev/null
wa=$(workspace alice "$alice")
chmod 755 "$folder"
as "$alice" env -C "$wa" "$agentos" run --name hers -- sh -c 'echo x >made' 2>/dev/null
status "another user's changes are not ours" 4 "$agentos" commit hers
status "alice commits hers" 0 as "$alice" "$agentos" commit hers
is "as herself" "$(stat -c %u "$wa/made")" "$alice"
status "an empty workspace's work is committed too" 0 sh -c "mkdir '$folder/hut' && cd '$folder/hut' && touch mine && '$agentos' run --name hermit -w :empty -- sh -c 'echo x >mine; echo y >yours'; '$agentos' commit hermit yours"
status "but what it did not know of is not overwritten" 5 "$agentos" commit hermit
is "what was there stays" "$(cat "$folder/hut/mine")$(cat "$folder/hut/yours")" y

# 100,000 files (a tenth of that on an emulated machine, which takes minutes to make them): neither start nor diff nor commit may
# depend on how many there are.
large=$(workspace large)
folders=1000
! grep -q 'model name.*TCG' /proc/cpuinfo || folders=100
python3 - "$large" $folders <<'P'
import os, sys
for i in range(int(sys.argv[2])):
    folder = f"{sys.argv[1]}/d{i}"
    os.mkdir(folder)
    for j in range(100):
        with open(f"{folder}/f{j}", "w") as file: file.write(f"{i} {j}\n")
P
small=$(workspace small)
echo "0 0" >"$small/f0"
milliseconds() { local begin end; begin=$(date +%s%N); "$@" >/dev/null 2>&1; end=$(date +%s%N); echo $(((end - begin) / 1000000)); }
median() { sort -n | sed -n 3p; }
declare -A took
for place in small large; do
  dir=${!place}
  file=f0; [ $place = large ] && file=d50/f0
  for i in 1 2 3 4 5; do
    echo "start $place $(milliseconds "$agentos" run --name "$place$i" -w "$dir" -- sh -c "echo $i >>$file")"
    echo "diff $place $(milliseconds "$agentos" diff "$place$i")"
    echo "commit $place $(milliseconds "$agentos" commit --force "$place$i")"
  done >"$folder/times-$place"
done
printf '%-8s %10s %10s\n' '' 'one file' "${folders}00"
for what in start diff commit; do
  for place in small large; do took[$what-$place]=$(awk -v w=$what '$1 == w {print $3}' "$folder/times-$place" | median); done
  printf '%-8s %7s ms %7s ms\n' $what "${took[$what-small]}" "${took[$what-large]}"
  # A walk of the tree takes seconds; the bound leaves room for a busy machine.
  is "$what does not depend on the tree" "$([ "${took[$what-large]}" -le $((3 * took[$what-small] + 200)) ] && echo yes)" yes
done
is "what five agents appended is there" "$(tail -n 5 "$large/d50/f0" | tr '\n' ' ')" "1 2 3 4 5 "
finish
