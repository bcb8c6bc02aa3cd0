# Sourced by the tests of this folder. agentos-probe (src/probe) has the attacks: `control` runs a group of them where nothing
# confines them, `inside` in an agent, and `shown` and `held` judge what they found.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/../host/agents/lib.sh"
probe=$build/src/libexec/agentos/agentos-probe

# control GROUP...: as root, in namespaces that go away with it; process 1 there is its own.
control() {
  mkdir -p "$folder/control"
  (cd "$folder/control" && ulimit -c unlimited &&
    unshare --mount --pid --uts --ipc --net --fork --mount-proc --propagation private "$probe" --free "$@")
}

# inside UID GROUP...: in an agent of that user, which may write its folder.
inside() {
  local uid=$1 ws
  shift
  ws=$(workspace "inside-$uid" "$uid")
  install -m 755 "$probe" "$ws/probe"
  as "$uid" env -C "$ws" "$agentos" run --rm -w :bind -- ./probe "$@" 2>"$folder/err" || cat "$folder/err"
}

# Tabs into a separator that `read` does not take for white space, so that empty fields stay.
fields() { tr '\t' '\037'; }

# complete WHAT OUTPUT: the probe came to its end.
complete() {
  is "$1: every case came to an end" "$(tail -n 1 <<<"$2")" "end	$(grep -c '' <<<"$(sed '$d' <<<"$2")")"
}

# shown OUTPUT NAME...: each case does what it says where it is allowed; NAMEs are those that this host cannot show.
shown() {
  local group name verdict expected found mechanism _ output=$1 missing=" ${*:2} "
  complete "allowed" "$output"
  while IFS=$'\037' read -r group name verdict expected found mechanism _; do
    if [ "$verdict" = held ]; then
      good "$group, $name: when allowed: $found"
    elif [[ $missing == *" $name "* ]]; then
      echo "note $group, $name: not to be had on this host, allowed or not: $found"
    else
      bad "$group, $name: when allowed" "got:    $found" "wanted: $expected"
    fi
  done < <(sed '$d' <<<"$output" | fields)
}

# held WHO OUTPUT: an agent of WHO got nowhere.
held() {
  local group name verdict expected found mechanism _
  complete "$1" "$2"
  while IFS=$'\037' read -r group name verdict expected found mechanism _; do
    if [ "$verdict" = held ]; then
      good "$group, $name: agent of $1: $found ($mechanism)"
    else
      bad "$group, $name: agent of $1" "got:    $found ($mechanism)" "wanted: $expected"
    fi
  done < <(sed '$d' <<<"$2" | fields)
}

# What `shown` cannot show: files that this kernel does not have, and what the root of this machine may not do itself.
if [ -d /run/systemd/system ]; then
  not_here=(hotplug-helper network-devices)
else
  not_here=(module-loader sysrq hotplug-helper kernel-memory machine-memory oom-exemption prctl-memory-map
    huge-pages)
fi
