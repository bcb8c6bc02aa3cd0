#!/usr/bin/env bash
# How much an agent may write over its workspace: from the policy's line to the error that the agent sees.
source "$(dirname "$0")/lib.sh"
supervisor_start
chmod 755 "$folder"
cd "$(workspace ws)" || exit 1
policy() { # policy NAME QUOTA [LINE]
  printf 'version: 1\nfilesystem:\n  workspace: {mode: overlay, quota: %s}\n%s\n' "$2" "${3:-}" >"$policies/$1.yaml"
}
policy small '{bytes: 8MiB, inodes: 100}'
policy lax '{bytes: 8MiB, inodes: 100}' 'resources: {on_missing: warn}'
printf 'version: 1\nfilesystem: {workspace: {quota: {bytes: 4MiB}}}\n' >"$folder/less.yaml"
printf 'version: 1\nfilesystem: {workspace: {quota: {bytes: 9MiB}}}\n' >"$folder/more.yaml"
run() { "$agentos" run "$@"; }
state=$("$agentos" doctor --json | jq -r '.checks[] | select(.name == "workspace quotas").state')
status "policy check takes it" 0 "$agentos" policy check "$policies/small.yaml"
until_true "agentosd has read the policies" sh -c "'$agentos' policy list | grep -q small && '$agentos' policy list | grep -q lax"

status "a user's file cannot ask for more" 125 run --policy small --policy-file "$folder/more.yaml" -- true
has "and is told of both places" "$err" "filesystem.workspace.quota.bytes 9MiB is more than 8MiB"
printf 'version: 1\nfilesystem: {workspace: {mode: bind, quota: {bytes: 8MiB}}}\n' >"$policies/bound.yaml"
until_true "agentosd has read it" sh -c "'$agentos' policy list | grep -q bound"
status "in the directory itself nothing holds it" 125 run --policy bound -w :bind -- true
has "which is told" "$err" "in a workspace of mode 'bind' nothing can"

if [ "$state" = degraded ]; then
  has "doctor says what mends it" "$("$agentos" doctor)" "tune2fs -O project,quota"
  status "a host without project quotas refuses" 125 run --policy small -- true
  has "with the line that mends it" "$err" "tune2fs -O project,quota"
  status "or warns, where the policy says so" 0 run --name warned --policy lax -- dd if=/dev/zero of=big bs=1M count=16 status=none
  has "which is told at the start" "$err" "workspace quota"
  is "and in the record" "$("$agentos" inspect warned | jq -c '.sandbox.not_enforced | index("workspace quota") != null')" true
  is "there is no limit to be shown" "$("$agentos" inspect warned | jq -c .workspace.quota)" null
else
  is "the doctor says that it binds" "$state" enforced
  status "what fits is written" 0 run --name fits --policy small -- dd if=/dev/zero of=big bs=1M count=6 status=none
  status "what does not fit is refused" 1 run --name full --policy small -- dd if=/dev/zero of=big bs=1M count=16 status=none
  has "and the agent sees why" "$("$agentos" logs full 2>&1)" "quota exceeded"
  status "files are counted too" 1 run --name many --policy small -- sh -c 'for i in $(seq 200); do touch f$i || exit 1; done'
  is "inspect shows the limit" "$("$agentos" inspect full | jq -c '.workspace.quota | [.bytes, .inodes]')" "[8388608,100]"
  is "and what is used" "$("$agentos" inspect full | jq '.workspace.quota | .used_bytes > 7000000 and .used_bytes <= .bytes and .used_inodes > 3')" true
  is "one of the many" "$("$agentos" inspect many | jq .workspace.quota.used_inodes)" 100
  status "a user's file asks for less" 1 run --name less --policy small --policy-file "$folder/less.yaml" -- dd if=/dev/zero of=big bs=1M count=6 status=none
  is "which is the limit then" "$("$agentos" inspect less | jq .workspace.quota.bytes)" 4194304
  status "diff is as it was" 0 "$agentos" diff --stat fits
  has "and tells the file" "$out" "big"
  status "and so is commit" 0 "$agentos" commit fits
  is "the file has come whole" "$(stat -c %s big)" 6291456
  rm big
  is "what is committed is no longer used" "$("$agentos" inspect fits | jq '.workspace.quota.used_bytes < 100000')" true
  status "the warning has nothing to say" 0 run --rm --policy lax -- true
  has_not "on a host that can" "$err" "workspace quota"
fi
rm -f "$policies"/{small,lax,bound}.yaml
finish
