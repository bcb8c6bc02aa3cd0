#!/usr/bin/env bash
# What it takes to run /bin/true: bare, as an agent with every isolation on, and in what else there is for it; from call
# to exit status, in turn. Then from the API's acceptance of a submission to the execution of its program.
source "$AGENTOS_SOURCE/tests/host/agents/lib.sh"
supervisor_start
cd "$(workspace ws)" || exit 1

# A root file system with nothing but /bin/true, for the runtimes that take one.
bundle() {
  mkdir -p "$folder/$1/rootfs" && cd "$folder/$1" || return 1
  { echo /bin/true; ldd /bin/true | grep -o '/[^ ]*'; } | xargs -I{} cp --parents -L {} rootfs
  "$1" spec
  jq '.process.args = ["/bin/true"] | .process.terminal = false | .linux.resources = {}' config.json >config.new
  mv config.new config.json
}

commands=(--command "bare" /bin/true)
commands+=(--command "agentos run" "$agentos" run -- /bin/true)
commands+=(--command "agentos run --rm" "$agentos" run --rm -- /bin/true)
commands+=(--command "agentos run, bind" "$agentos" run --workspace "$PWD:bind" -- /bin/true)
if command -v bwrap >/dev/null; then
  commands+=(--command "bwrap --unshare-all" bwrap --unshare-all --ro-bind / / --proc /proc --dev /dev /bin/true)
fi
for runtime in crun runc; do
  command -v $runtime >/dev/null || continue
  if (bundle $runtime && $runtime run agentos-bench-try) >"$folder/err" 2>&1; then
    commands+=(--command "$runtime run" $runtime run --bundle "$folder/$runtime" "agentos-bench-$$")
  else
    echo "$runtime is left out: $(tail -n 1 "$folder/err")"
  fi
done
if command -v firejail >/dev/null; then
  commands+=(--command "firejail" firejail --quiet --noprofile --private --net=none /bin/true)
fi
for peer in "srt true" "codex sandbox linux /bin/true"; do
  # shellcheck disable=SC2086
  command -v ${peer%% *} >/dev/null && commands+=(--command "${peer% *}" $peer)
done
python3 "$AGENTOS_SOURCE/tests/bench/interleaved.py" --rounds "${ROUNDS:-100}" "${commands[@]}"
is "every round ran" $? 0

echo
echo "from the submission's acceptance to the execution of its program, as the records have it:"
"$agentos" ps -a --json | jq -r 'def ms: (.[0:19] + "Z" | fromdate) * 1000 + (.[20:23] | tonumber);
  map(select(.started) | (.started | ms) - (.created | ms)) | sort |
  "n=\(length): median \(.[length / 2 | floor]) ms, p99 \(.[length * 99 / 100 | floor]) ms"'
finish
