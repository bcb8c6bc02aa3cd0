#!/usr/bin/env bash
# Files and folders of the host that a policy grants: what the agent may do with them, beside what it may not.
# shellcheck source=tests/host/agents/lib.sh
. "$(dirname "$0")/lib.sh"
supervisor_start
trap 'rm -f "$policies"/test-*.yaml "$tenants/default.yaml"; rm -rf "${home:-}"; kill ${agentosd:-} ${spawnd:-} ${swapper:-} 2>/dev/null' EXIT
ws=$(workspace work)
her=$(workspace hers "$alice")
cd "$ws" || exit 1
put() { # put NAME TEXT: a policy of the administrator's, at once in force
  printf 'version: 1\n%s\n' "$2" >"$policies/$1.yaml.new" && mv "$policies/$1.yaml.new" "$policies/$1.yaml"
  "$agentos" policy reload >/dev/null 2>&1
}
run() { "$agentos" run --rm "$@"; }
hers() { (cd "$her" && as "$alice" "$agentos" run --rm "$@"); }

# --- what root grants itself
data=$folder/data given=$folder/given tools=$folder/tools
mkdir -p "$data/sub" "$given" "$tools"
echo kept >"$data/file" && echo deep >"$data/sub/file"
printf '#!/bin/sh\necho a tool\n' >"$tools/tool" && chmod 755 "$tools/tool"
put test-grants "filesystem: {read_only: [$data, $tools], read_write: [$given]}"
status "without a grant the folder is not there" 1 run -- cat "$data/file"
status "with it, it is read at the same path" 0 run --policy test-grants -- cat "$data/file"
is "as it is" "$out" kept
status "and not written" 2 run --policy test-grants -- sh -c "echo new >$data/file"
has "because it is read-only" "$err" "Read-only file system"
status "nor made anew in" 1 run --policy test-grants -- touch "$data/new"
status "nor mounted over" 32 run --policy test-grants -- sh -c "mount -o remount,rw $data || mount -t tmpfs x $data"
is "it is as it was" "$(cat "$data/file")" kept
status "a program in it runs" 0 run --policy test-grants -- "$tools/tool"
is "as itself" "$out" "a tool"
status "read_write is written" 0 run --policy test-grants -- sh -c "mkdir $given/d && echo made >$given/d/made && mv $given/d/made $given/made"
is "on the host, as the caller's" "$(cat "$given/made") $(stat -c %u:%g "$given/made")" "made 0:0"
status "it is mounted" 0 run --policy test-grants -- grep " $given " /proc/self/mounts
has "with nosuid and nodev" "$out" "rw,nosuid,nodev"
status "exec sees it too" 0 sh -c "'$agentos' run -d --name looker --policy test-grants -- sleep 1000 && '$agentos' exec looker -- cat $data/file"
has "as it is" "$out" kept
status "why of the agent says what holds" 0 "$agentos" why --agent looker --path "$data/file"
has "and where" "$out" "$policies/test-grants.yaml:2:"
status "why not, too" 4 "$agentos" why --agent looker --path "$data/file" --op write
has "and where" "$out" "to be read only ($policies/test-grants.yaml:2:"
"$agentos" terminate --grace 0 looker >/dev/null 2>&1; "$agentos" wait looker >/dev/null 2>&1
status "explain shows them" 0 "$agentos" policy explain test-grants
has "with their lines" "$out" "filesystem.read_write"
has "and their mounts" "$out" "grant $given (nosuid nodev)"

# --- a single file
echo line >"$folder/single"
put test-single "filesystem: {read_write: [$folder/single]}"
status "a single file is written" 0 run --policy test-single -- sh -c "echo more >>$folder/single && cat $folder/single"
is "on the host" "$(cat "$folder/single")" "line
more"
status "what is beside it is not there" 2 run --policy test-single -- ls "$data"
put test-single "filesystem: {read_only: [$folder/single]}"
status "or only read" 2 run --policy test-single -- sh -c "echo more >>$folder/single"

# --- what is narrower holds
mkdir -p "$given/conf/deep" "$data/open" && echo mine >"$given/conf/deep/rules" && echo secret >"$given/secret"
put test-nested "filesystem: {read_only: [$given/conf/deep, $data], read_write: [$given, $data/open], hidden: [$given/secret, $data/sub]}"
nested() { run --policy test-nested -- sh -c "$1"; }
status "read_only in read_write: beside it is written" 0 nested "echo x >$given/conf/beside"
status "it is not" 2 nested "echo x >$given/conf/deep/rules"
status "nor moved away with the folder above it" 1 nested "mv $given/conf $given/conf2"
status "nor the folder itself" 1 nested "mv $given/conf/deep $given/conf/other"
is "it is as it was" "$(cat "$given/conf/deep/rules")" mine
status "read_write in read_only is written" 0 nested "echo y >$data/open/new"
is "as the caller" "$(stat -c %u "$data/open/new")" 0
status "what is hidden in it is not seen" 1 nested "cat $given/secret"
has "it is refused" "$err" "Permission denied"
status "nor replaced" 1 nested "rm -f $given/secret"
status "nor a hidden folder" 1 nested "cat $data/sub/file"
status "what is not hidden is" 0 nested "cat $data/file"
mkdir "$given/holder" && echo deep >"$given/holder/secret"
put test-nested "filesystem: {read_write: [$given], hidden: [$given/holder/secret, $given/holder/not-there]}"
status "a hidden file cannot be moved away with its folder, for the next agent to find" 1 nested "mv $given/holder $given/elsewhere"
status "beside it can be written" 0 nested "echo x >$given/holder/beside && mv $given/holder/beside $given/holder/beside2"
status "and the next agent does not see it either" 1 nested "cat $given/holder/secret"
put test-covered "filesystem: {read_write: [$given], hidden: [$given]}"
status "a grant that is hidden is none" 2 run --policy test-covered -- ls "$given/made"

# --- an ordinary user
mkdir "$her/state" "$her/private" && echo hers >"$her/private/file" && chown -R "$alice:$alice" "$her" && chmod 700 "$her/private"
mkdir "$folder/her-work" && chown "$alice:$alice" "$folder/her-work"
of_root=$folder/of-root && mkdir "$of_root" && echo open >"$of_root/open" && echo closed >"$of_root/closed" && chmod 600 "$of_root/closed"
closed=$folder/closed && mkdir -p "$closed/in" && chmod 700 "$closed"
in_work() { (cd "$folder/her-work" && as "$alice" "$agentos" run --rm "$@"); }
put test-hers "filesystem: {read_only: [$her/private, $of_root], read_write: [$her/state]}"
status "she grants what is hers" 0 in_work --policy test-hers -- sh -c "cat $her/private/file; echo z >$her/state/new"
is "read" "$out" hers
is "and written, as she" "$(stat -c %u:%g "$her/state/new")" "$alice:$alice"
status "what is root's and open is read" 0 in_work --policy test-hers -- cat "$of_root/open"
status "what is root's and closed is not" 1 in_work --policy test-hers -- cat "$of_root/closed"
put test-not-hers "filesystem: {read_write: [$of_root]}"
status "she cannot grant writing what is root's" 125 in_work --policy test-not-hers -- true
has "and is told where it says so" "$err" "$policies/test-not-hers.yaml:2:27: filesystem.read_write: '$of_root' belongs to another user"
status "root can" 0 run --policy test-not-hers -- touch "$of_root/new"
put test-closed "filesystem: {read_only: [$closed/in]}"
status "nor what she cannot reach" 125 in_work --policy test-closed -- true
has "and is told" "$err" "cannot be reached by you"
status "root can" 0 run --policy test-closed -- ls "$closed/in"
put test-mixed "filesystem: {read_write: [$her/state]}"
echo roots >"$her/state/roots" && chmod 666 "$her/state/roots"
status "files of others in it are not written, whatever their mode" 2 in_work --policy test-mixed -- sh -c "echo x >>$her/state/roots"
is "not even so" "$(cat "$her/state/roots")" roots
status "hers beside them are" 0 in_work --policy test-mixed -- sh -c "echo x >>$her/state/new"

# --- a user's own file asks for less, never for more
mine=$folder/her-work/mine.yaml
printf 'version: 1\nfilesystem: {read_only: [%s]}\n' "$her/state" >"$mine"
status "less is given" 2 in_work --policy test-hers --policy-file "$mine" -- sh -c "echo z >$her/state/new"
status "and nothing else" 1 in_work --policy test-hers --policy-file "$mine" -- cat "$her/private/file"
printf 'version: 1\nfilesystem: {read_write: [%s]}\n' "$her/private" >"$mine"
status "more is refused" 125 in_work --policy test-hers --policy-file "$mine" -- true
has "with both places" "$err" "mine.yaml:2:27: filesystem.read_write $her/private is not granted, only to be read ($policies/test-hers.yaml:2:"
printf 'version: 1\nfilesystem: {read_only: [%s]}\n' "$folder/her-work/x" >"$mine"
status "and what is not granted at all" 125 in_work --policy test-hers --policy-file "$mine" -- true
has "likewise" "$err" "is not granted"
printf 'version: 1\nfilesystem: {read_write: []}\n' >"$mine"
status "nothing at all is less too" 1 in_work --policy test-hers --policy-file "$mine" -- cat "$her/private/file"
printf 'version: 1\nfilesystem: {read_only: [%s]}\n' "$her" >"$tenants/default.yaml"; "$agentos" policy reload >/dev/null
status "a tenant's ceiling narrows" 2 in_work --policy test-hers -- sh -c "cat $her/private/file && echo z >$her/state/new"
is "to what it names" "$out" hers
status "and leaves out the rest" 1 in_work --policy test-hers -- cat "$of_root/open"
status "it grants nothing by itself" 1 in_work -- cat "$her/private/file"
rm "$tenants/default.yaml"; "$agentos" policy reload >/dev/null

# --- what is not there, and what is something else
put test-missing "filesystem: {read_only: [$folder/missing]}"
status "what is not there ends the start" 125 run --policy test-missing -- true
has "with its line" "$err" "$policies/test-missing.yaml:2:26: filesystem.read_only: '$folder/missing' is not there"
put test-missing "filesystem: {read_only: ['$folder/missing?', $data]}"
status "unless it is optional" 0 run --policy test-missing -- cat "$data/file"
has_not "without a word" "$err" missing
mkdir "$folder/missing" && echo here >"$folder/missing/file"
status "it is given once it is there" 0 run --policy test-missing -- cat "$folder/missing/file"
ln -s "$data" "$folder/link"
put test-link "filesystem: {read_write: [$folder/link]}"
status "a symbolic link is not followed" 125 run --policy test-link -- true
has "and what it leads to is said" "$err" "have the policy name what it leads to: $data"
put test-link "filesystem: {read_write: [$folder/link/sub]}"
status "nor one on the way" 125 run --policy test-link -- true
put test-link "filesystem: {read_write: ['$folder/link?']}"
status "an optional one is left out" 2 run --policy test-link -- ls "$data"
has "and that is said" "$err" "left out: "
mkfifo "$folder/pipe"
put test-pipe "filesystem: {read_write: [$folder/pipe]}"
status "a pipe is not given" 125 run --policy test-pipe -- true
has "but a folder or file" "$err" "neither a folder nor a regular file"
put test-workspace "filesystem: {read_write: [$ws/in]}"
mkdir -p "$ws/in"
status "nor what lies in the workspace" 125 run --policy test-workspace -- true
has "with its line" "$err" "test-workspace.yaml:2:27: filesystem.read_write: '$ws/in' lies in the workspace '$ws'"
put test-workspace "filesystem: {read_write: [$folder]}"
status "nor a folder that holds it, to be written" 125 run --policy test-workspace -- true
put test-workspace "filesystem: {read_only: [$folder]}"
status "but to be read" 0 run --policy test-workspace -- sh -c "cat $data/file && echo w >$ws/written"
is "where the workspace stays what it is" "$out $(ls "$ws/written" 2>/dev/null)" "kept "
for path in / /etc/ssl /proc/1 /var/lib /run/x; do
  printf 'version: 1\nfilesystem: {read_only: [%s]}\n' "$path" >"$folder/never.yaml"
  status "$path is never granted" 1 "$agentos" policy check "$folder/never.yaml"
done

# --- '~'
home=$(mktemp -d ~/agentos-test-XXXXXX)
mkdir "$home/state" && echo at-home >"$home/state/file"
short='~/'${home##*/}
put test-home "filesystem: {read_write: [$short/state, '$short/none?']}"
status "~ is the caller's home" 0 run --policy test-home -- sh -c "cat $home/state/file \$HOME/${home##*/}/state/file"
is "at its own path, and below the agent's" "$out" "at-home
at-home"
status "the folders above the link are the agent's" 0 run --policy test-home -- sh -c "echo x >\$HOME/${home##*/}/other && echo y >\$HOME/${home##*/}/state/new"
is "what it writes by the link is on the host" "$(cat "$home/state/new")" y
is "and nothing else" "$(ls "$home")" state
status "HOME in the environment moves it nowhere" 0 env HOME="$folder" "$agentos" run --rm --policy test-home -- cat "$home/state/file"

# --- exchanged while agents start: a folder that is granted, and a link to one that is not
mkdir "$folder/race" "$folder/race/real" "$folder/hoard" && echo hoarded >"$folder/hoard/file" && echo right >"$folder/race/real/file"
put test-race "filesystem: {read_only: [$folder/race/place]}"
ln -s "$folder/hoard" "$folder/race/link"
(while :; do
  mv -T "$folder/race/real" "$folder/race/place" && mv -T "$folder/race/place" "$folder/race/real"
  mv -T "$folder/race/link" "$folder/race/place" && mv -T "$folder/race/place" "$folder/race/link"
done) 2>/dev/null &
swapper=$!
right=0 refused=0 wrong=0
end=$((SECONDS + 60))
while { [ $right -lt 3 ] || [ $refused -lt 20 ]; } && [ $SECONDS -lt $end ]; do
  case $(run --policy test-race -- cat "$folder/race/place/file" 2>/dev/null) in
    right) right=$((right + 1)) ;;
    "") refused=$((refused + 1)) ;;
    *) wrong=$((wrong + 1)) ;;
  esac
done
kill $swapper; wait $swapper 2>/dev/null
is "in a race nobody sees what the link leads to" "$wrong" 0
[ $right -ge 3 ] && [ $refused -ge 20 ] && good "of $((right + refused)) starts $right saw the folder" || bad "the race took place" "right $right, refused $refused"

# --- as many as there may be
list= more=
for at in $(seq 64); do mkdir -p "$folder/many/$at" && list+=", $folder/many/$at"; done
mkdir "$folder/many/65"
put test-many "filesystem: {read_only: [${list#, }]}"
status "64 are granted" 0 run --policy test-many -- sh -c "grep -c ' $folder/many/' /proc/self/mounts"
is "all of them" "$out" 64
put test-many "filesystem: {read_only: [${list#, }, $folder/many/65]}"
status "65 are not" 125 run --policy test-many -- true
has "and that is said" "$err" "more than 64 paths of the host are granted"
finish
