# bash completion for agentos, made from its own option tables (src/cli/completions.cpp).

# What may stand behind an option that takes a value; status 1: it takes none.
_agentos_value() { # "COMMAND OPTION"
  local cur=$2
  case $1 in
    'run --name') : ;;
    'run --goal') : ;;
    'run --type') : ;;
    'run -e' | 'run --env') compgen -e -- "$cur" ;;
    'run -w' | 'run --workspace') compgen -d -- "$cur" ;;
    'run --policy') : ;;
    'run --policy-file') compgen -f -- "$cur" ;;
    'run --memory') : ;;
    'run --memory-high') : ;;
    'run --cpus') : ;;
    'run --cpu-weight') : ;;
    'run --pids') : ;;
    'run --io-weight') : ;;
    'run --detach-keys') : ;;
    'run --tenant') : ;;
    'run --socket') compgen -f -- "$cur" ;;
    'exec -e' | 'exec --env') compgen -e -- "$cur" ;;
    'exec --workdir') compgen -d -- "$cur" ;;
    'exec --tenant') : ;;
    'exec --socket') compgen -f -- "$cur" ;;
    'attach --detach-keys') : ;;
    'attach --tenant') : ;;
    'attach --socket') compgen -f -- "$cur" ;;
    'ps --status') compgen -W 'submitted admitted starting running paused waiting_for_human stopping completed failed terminated rejected' -- "$cur" ;;
    'ps --tenant') : ;;
    'ps --socket') compgen -f -- "$cur" ;;
    'top --interval') : ;;
    'top --tenant') : ;;
    'top --socket') compgen -f -- "$cur" ;;
    'stats --tenant') : ;;
    'stats --socket') compgen -f -- "$cur" ;;
    'inspect --tenant') : ;;
    'inspect --socket') compgen -f -- "$cur" ;;
    'logs --since') : ;;
    'logs --tail') : ;;
    'logs --tenant') : ;;
    'logs --socket') compgen -f -- "$cur" ;;
    'diff --tenant') : ;;
    'diff --socket') compgen -f -- "$cur" ;;
    'commit --allow') compgen -f -- "$cur" ;;
    'commit --tenant') : ;;
    'commit --socket') compgen -f -- "$cur" ;;
    'discard --tenant') : ;;
    'discard --socket') compgen -f -- "$cur" ;;
    'pause --tenant') : ;;
    'pause --socket') compgen -f -- "$cur" ;;
    'resume --tenant') : ;;
    'resume --socket') compgen -f -- "$cur" ;;
    'terminate --reason') : ;;
    'terminate --grace') : ;;
    'terminate --tenant') : ;;
    'terminate --socket') compgen -f -- "$cur" ;;
    'wait --timeout') : ;;
    'wait --tenant') : ;;
    'wait --socket') compgen -f -- "$cur" ;;
    'rm --tenant') : ;;
    'rm --socket') compgen -f -- "$cur" ;;
    'prune --tenant') : ;;
    'prune --socket') compgen -f -- "$cur" ;;
    'policy --policy') : ;;
    'policy --policy-file') compgen -f -- "$cur" ;;
    'policy -w' | 'policy --workspace') compgen -d -- "$cur" ;;
    'policy --tenant') : ;;
    'policy --socket') compgen -f -- "$cur" ;;
    'why --path') compgen -f -- "$cur" ;;
    'why --op') : ;;
    'why --syscall') : ;;
    'why --agent') : ;;
    'why --policy') : ;;
    'why --policy-file') compgen -f -- "$cur" ;;
    'why -w' | 'why --workspace') compgen -d -- "$cur" ;;
    'why --tenant') : ;;
    'why --socket') compgen -f -- "$cur" ;;
    'audit --since') : ;;
    'audit --kind') : ;;
    'audit --journal') compgen -d -- "$cur" ;;
    'audit --tenant') : ;;
    'audit --socket') compgen -f -- "$cur" ;;
    'doctor --socket') compgen -f -- "$cur" ;;
    'selftest --policy') : ;;
    'selftest --policy-file') compgen -f -- "$cur" ;;
    'selftest --tenant') : ;;
    'selftest --socket') compgen -f -- "$cur" ;;
    'version --socket') compgen -f -- "$cur" ;;
    *) return 1 ;;
  esac
}

_agentos() {
  local cur=${COMP_WORDS[COMP_CWORD]} before='' command='' options='' agents=none verbs='' rest=0 paths=0 words=0 i
  COMPREPLY=()
  # readline parts words at '=' too: "--status=failed" is three of them.
  ((COMP_CWORD == 0)) || before=${COMP_WORDS[COMP_CWORD - 1]}
  [[ $cur != = ]] || cur=''
  [[ $before != = ]] || before=${COMP_WORDS[COMP_CWORD - 2]}
  for ((i = 1; i < COMP_CWORD; i++)); do
    case ${COMP_WORDS[i]} in
      --socket | --tenant) [[ -n $command ]] || ((i++)) ;;&
      -*)
        if [[ -n $command ]] && _agentos_value "$command ${COMP_WORDS[i]}" '' >/dev/null; then
          ((i++))
          [[ ${COMP_WORDS[i]} != = ]] || ((i++))
        fi
        ;;
      =) ((i++)) ;;
      *)
        if [[ -z $command ]]; then command=${COMP_WORDS[i]}; else ((words++)); fi
        # From here on it is another program's command line.
        if ((rest > 0 && words >= rest)); then
          if declare -F _command_offset >/dev/null; then _command_offset "$i"; else mapfile -t COMPREPLY < <(compgen -f -- "$cur") && compopt -o filenames 2>/dev/null; fi
          return
        fi
        ;;
    esac
    [[ $command != "${COMP_WORDS[i]}" || $words -gt 0 ]] || case $command in
    run) options='-h --help -d --detach -t --tty -T --no-tty --rm --name --goal --type -e --env -w --workspace --policy --policy-file --memory --memory-high --cpus --cpu-weight --pids --io-weight --detach-keys --tenant --json --socket' rest=1 ;;
    exec) options='-h --help -t --tty -T --no-tty -e --env --workdir --tenant --json --socket' agents='' rest=2 ;;
    attach) options='-h --help --detach-keys --tenant --json --socket' agents='' ;;
    ps) options='-h --help -a --all --status -q --quiet --names --no-trunc --tenant --json --socket' ;;
    top) options='-h --help --once --interval --tenant --json --socket' ;;
    stats) options='-h --help -a --all --tenant --json --socket' agents='-a' ;;
    inspect) options='-h --help --tenant --json --socket' agents='-a' ;;
    logs) options='-h --help -f --follow --since --tail -t --timestamps --raw --tenant --json --socket' agents='-a' ;;
    diff) options='-h --help --stat --exit-code --tenant --json --socket' agents='-a' paths=1 ;;
    commit) options='-h --help -n --dry-run --allow --force --tenant --json --socket' agents='-a' paths=1 ;;
    discard) options='-h --help --tenant --json --socket' agents='-a' paths=1 ;;
    pause) options='-h --help --tenant --json --socket' agents='' ;;
    resume) options='-h --help --tenant --json --socket' agents='' ;;
    terminate) options='-h --help --reason --grace --tenant --json --socket' agents='' ;;
    wait) options='-h --help --timeout --tenant --json --socket' agents='-a' ;;
    rm) options='-h --help -f --force --discard --tenant --json --socket' agents='-a' ;;
    prune) options='-h --help -f --force --tenant --json --socket' ;;
    policy) options='-h --help --policy --policy-file --ceiling -w --workspace --tenant --json --socket' verbs='check list show explain diff reload' ;;
    why) options='-h --help --path --op --syscall --agent --policy --policy-file -w --workspace --tenant --json --socket' ;;
    audit) options='-h --help -f --follow --since --kind -a --all --journal --tenant --json --socket' agents='-a' ;;
    doctor) options='-h --help --json --socket' ;;
    selftest) options='-h --help --policy --policy-file --tenant --json --socket' ;;
    version) options='-h --help --json --socket' ;;
    esac
  done
  if [[ -z $command ]]; then
    case $before in
      --socket) mapfile -t COMPREPLY < <(compgen -f -- "$cur") ;;
      --tenant) ;;
      *) mapfile -t COMPREPLY < <(compgen -W 'run exec attach ps top stats inspect logs diff commit discard pause resume terminate wait rm prune policy why audit doctor selftest version --help --version --json --tenant --socket' -- "$cur") ;;
    esac
    return
  fi
  if _agentos_value "$command $before" "$cur" >/dev/null; then
    mapfile -t COMPREPLY < <(_agentos_value "$command $before" "$cur")
    [[ ! -e ${COMPREPLY-} ]] || compopt -o filenames 2>/dev/null
  elif [[ $cur == -* ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$options" -- "$cur")
  elif ((paths > 0 && words > 0)); then
    mapfile -t COMPREPLY < <(compgen -f -- "$cur") && compopt -o filenames 2>/dev/null
  elif [[ $agents != none ]] && ((words == 0 || rest == 0)); then
    # shellcheck disable=SC2086 # an option, or nothing
    mapfile -t COMPREPLY < <(compgen -W "$(agentos ps -q --names $agents 2>/dev/null)" -- "$cur")
  elif [[ -n $verbs ]] && ((words == 0)); then
    mapfile -t COMPREPLY < <(compgen -W "$verbs" -- "$cur")
  elif [[ -n $verbs ]]; then
    mapfile -t COMPREPLY < <(compgen -f -- "$cur") && compopt -o filenames 2>/dev/null
  elif ((rest > 0)); then
    mapfile -t COMPREPLY < <(compgen -c -- "$cur")
  fi
}
complete -F _agentos agentos
