#!/usr/bin/env bash
# Root, an ordinary user, another tenant's user and a stranger: each sees and touches only what is its own.
source "$(dirname "$0")/lib.sh"
supervisor_start
chmod 755 "$folder"
wa=$(workspace alice "$alice")
wb=$(workspace bob "$bob")
wr=$(workspace root)

for who in 0 "$alice" "$bob"; do
  case $who in 0) ws=$wr ;; "$alice") ws=$wa ;; *) ws=$wb ;; esac
  as "$who" env -C "$ws" "$agentos" run -w :bind -- sh -c 'echo mine >made; id -u' >"$folder/out" 2>"$folder/err"
  is "uid $who runs an agent" "$?: $(cat "$folder/out")" "0: 1000"
  is "uid $who owns what it made" "$(stat -c %u "$ws/made")" "$who"
  as "$who" env -C "$ws" "$agentos" run --detach --name "service" -- sleep 1000 >"$folder/id-$who" 2>"$folder/err"
  named=$?
  [ "$who" = "$alice" ] && is "a name is taken in a tenant" $named 125
  [ "$who" = "$bob" ] && is "and free in another" $named 0
done
id=$(as "$alice" env -C "$wa" "$agentos" run --detach --name alices -- sleep 1000 2>/dev/null)
bobs=$(cat "$folder/id-$bob")

ids() { as "$1" "$agentos" ps -q | sort | tr '\n' ' '; }
has "alice sees her agent" "$(ids "$alice")" "$id"
has_not "alice does not see bob's" "$(ids "$alice")" "$bobs"
has "bob sees his" "$(ids "$bob")" "$bobs"
has_not "bob does not see alice's" "$(ids "$bob")" "$id"
has "root, the tenant's admin, sees alice's" "$(ids 0)" "$id"
has_not "root is of no other tenant and does not see bob's" "$(ids 0)" "$bobs"

for command in inspect "logs" "pause" "resume" "terminate" "exec" "rm" "wait" "attach"; do
  extra=()
  [ $command = exec ] && extra=(-- true)
  case $command in exec | wait | attach) wanted=125 ;; *) wanted=3 ;; esac
  status "bob: $command on alice's agent" $wanted as "$bob" "$agentos" "$command" "$id" "${extra[@]}"
done
rid=$("$agentos" inspect service | jq -r '.id')
for command in pause terminate exec rm; do
  extra=()
  [ $command = exec ] && extra=(-- true)
  case $command in exec) wanted=125 ;; *) wanted=4 ;; esac
  status "alice, an operator: $command on root's agent" $wanted as "$alice" "$agentos" "$command" "$rid" "${extra[@]}"
done
is "alice's agent still runs" "$(as "$alice" "$agentos" inspect "$id" | jq -r '.status')" running
status "alice pauses her own" 0 as "$alice" "$agentos" pause "$id"
status "the admin resumes it" 0 "$agentos" resume "$id"
status "and terminates it" 0 "$agentos" terminate "$id"

status "eve has no tenant" 4 as "$eve" "$agentos" ps
has "and is told whom to ask" "$err" "agentos.yaml"
status "alice may not use bob's tenant" 125 as "$alice" env -C "$wa" "$agentos" run --tenant other -- true
status "alice may not give a directory she cannot read" 125 as "$alice" "$agentos" run --workspace /root -- true
has "and is told which" "$err" /root
chmod 700 "$wb"
status "nor bob's" 125 as "$alice" "$agentos" run --workspace "$wb" -- true

# A directory of another owner that she can read: she gets it, and the agent can do no more in it than she.
echo secret >"$wr/private"
chmod 600 "$wr/private"
echo public >"$wr/public"
as "$alice" "$agentos" run --workspace "$wr:bind" -- sh -c 'cat public; cat private; echo x >new; echo x >>public; true' >"$folder/out" 2>"$folder/err"
is "the agent reads what she may read, no more" "$(cat "$folder/out")" public
is "and wrote nothing" "$(cat "$wr/public") $(ls "$wr")" "public made
private
public"
finish
