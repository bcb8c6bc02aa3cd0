# fish completion for agentos, made from its own option tables (src/cli/completions.cpp).

function __agentos_command -a wanted
    set -l words (commandline -opc)
    set -e words[1]
    while set -q words[1]
        switch $words[1]
            case --socket --tenant
                set -e words[1]
            case '-*'
            case '*'
                test "$words[1]" = "$wanted"
                return
        end
        set -e words[1]
    end
    test -z "$wanted"
end

complete -c agentos -f
complete -c agentos -n '__agentos_command ""' -s h -l help -d 'Show help'
complete -c agentos -n '__agentos_command ""' -l version -d 'Show the versions'
complete -c agentos -n '__agentos_command ""' -l json -d 'Answer as JSON'
complete -c agentos -n '__agentos_command ""' -l tenant -x -d 'Tenant to act in'
complete -c agentos -n '__agentos_command ""' -l socket -r -d 'Socket of agentosd'

complete -c agentos -n '__agentos_command ""' -a run -d 'Run a command as an agent in its own sandbox'
complete -c agentos -n '__agentos_command run' -s h -l help -d 'Show this help'
complete -c agentos -n '__agentos_command run' -s d -l detach -d 'Start it, print its id, and do not wait'
complete -c agentos -n '__agentos_command run' -s t -l tty -d 'Give the program a terminal (default: when stdin and stdout are one)'
complete -c agentos -n '__agentos_command run' -s T -l no-tty -d 'Give it pipes, also on a terminal'
complete -c agentos -n '__agentos_command run' -l rm -d 'Remove its record and logs when it has ended and left no changes'
complete -c agentos -n '__agentos_command run' -l name -x -d 'A name, which works wherever an id does'
complete -c agentos -n '__agentos_command run' -l goal -x -d 'What it is to achieve, for people'
complete -c agentos -n '__agentos_command run' -l type -x -d 'Agent type (default: command)'
complete -c agentos -n '__agentos_command run' -s e -l env -xa '(set --names --export)' -d 'Environment variable; without a value your own is passed on'
complete -c agentos -n '__agentos_command run' -s w -l workspace -xa '(__fish_complete_directories)' -d 'Folder it works in, at the same path inside (default: the current one); DIR:overlay (default: what it writes waits to be committed), DIR:bind (it writes to the folder), DIR:ro, DIR:empty'
complete -c agentos -n '__agentos_command run' -l memory -x -d 'Most memory, for example 2GiB; past it the kernel kills the agent'
complete -c agentos -n '__agentos_command run' -l memory-high -x -d 'Memory past which it is slowed down'
complete -c agentos -n '__agentos_command run' -l cpus -x -d 'Most CPU: 1.5, or 150%'
complete -c agentos -n '__agentos_command run' -l cpu-weight -x -d 'Share of a busy CPU, 1 to 10000 (default: 100)'
complete -c agentos -n '__agentos_command run' -l pids -x -d 'Most processes and threads'
complete -c agentos -n '__agentos_command run' -l io-weight -x -d 'Share of a busy disk, 1 to 10000 (default: 100)'
complete -c agentos -n '__agentos_command run' -l detach-keys -x -d 'Keys that detach from a terminal (default: ctrl-p,ctrl-q)'
complete -c agentos -n '__agentos_command run' -l tenant -x -d 'Tenant to act in (default: the first you have a role in)'
complete -c agentos -n '__agentos_command run' -l json -d 'Answer, and say errors, as JSON'
complete -c agentos -n '__agentos_command run' -l socket -r -d 'Socket of agentosd (also AGENTOS_SOCKET)'
complete -c agentos -n '__agentos_command run' -a '(__fish_complete_subcommand)'

complete -c agentos -n '__agentos_command ""' -a exec -d 'Run a further command inside a running agent\'s sandbox'
complete -c agentos -n '__agentos_command exec' -s h -l help -d 'Show this help'
complete -c agentos -n '__agentos_command exec' -s t -l tty -d 'Give the program a terminal (default: when stdin and stdout are one)'
complete -c agentos -n '__agentos_command exec' -s T -l no-tty -d 'Give it pipes, also on a terminal'
complete -c agentos -n '__agentos_command exec' -s e -l env -xa '(set --names --export)' -d 'Environment variable; without a value your own is passed on'
complete -c agentos -n '__agentos_command exec' -l workdir -xa '(__fish_complete_directories)' -d 'Folder inside to start in (default: the workspace)'
complete -c agentos -n '__agentos_command exec' -l tenant -x -d 'Tenant to act in (default: the first you have a role in)'
complete -c agentos -n '__agentos_command exec' -l json -d 'Answer, and say errors, as JSON'
complete -c agentos -n '__agentos_command exec' -l socket -r -d 'Socket of agentosd (also AGENTOS_SOCKET)'
complete -c agentos -n '__agentos_command exec' -a '(agentos ps -q --names 2>/dev/null)'
complete -c agentos -n '__agentos_command exec' -a '(__fish_complete_subcommand)'

complete -c agentos -n '__agentos_command ""' -a attach -d 'Attach to the terminal or output of a running agent'
complete -c agentos -n '__agentos_command attach' -s h -l help -d 'Show this help'
complete -c agentos -n '__agentos_command attach' -l detach-keys -x -d 'Keys that detach from a terminal (default: ctrl-p,ctrl-q)'
complete -c agentos -n '__agentos_command attach' -l tenant -x -d 'Tenant to act in (default: the first you have a role in)'
complete -c agentos -n '__agentos_command attach' -l json -d 'Answer, and say errors, as JSON'
complete -c agentos -n '__agentos_command attach' -l socket -r -d 'Socket of agentosd (also AGENTOS_SOCKET)'
complete -c agentos -n '__agentos_command attach' -a '(agentos ps -q --names 2>/dev/null)'

complete -c agentos -n '__agentos_command ""' -a ps -d 'List agents'
complete -c agentos -n '__agentos_command ps' -s h -l help -d 'Show this help'
complete -c agentos -n '__agentos_command ps' -s a -l all -d 'Also agents that have ended'
complete -c agentos -n '__agentos_command ps' -l status -xa 'submitted admitted starting running paused waiting_for_human stopping completed failed terminated rejected' -d 'Only agents with this status, for example failed'
complete -c agentos -n '__agentos_command ps' -s q -l quiet -d 'Only ids'
complete -c agentos -n '__agentos_command ps' -l names -d 'With -q: names instead of ids, where there are'
complete -c agentos -n '__agentos_command ps' -l no-trunc -d 'Do not cut lines at the width of the terminal'
complete -c agentos -n '__agentos_command ps' -l tenant -x -d 'Tenant to act in (default: the first you have a role in)'
complete -c agentos -n '__agentos_command ps' -l json -d 'Answer, and say errors, as JSON'
complete -c agentos -n '__agentos_command ps' -l socket -r -d 'Socket of agentosd (also AGENTOS_SOCKET)'

complete -c agentos -n '__agentos_command ""' -a top -d 'Watch what agents use'
complete -c agentos -n '__agentos_command top' -s h -l help -d 'Show this help'
complete -c agentos -n '__agentos_command top' -l once -d 'Show it once (also when stdout is no terminal)'
complete -c agentos -n '__agentos_command top' -l interval -x -d 'Time between two looks (default: 2s)'
complete -c agentos -n '__agentos_command top' -l tenant -x -d 'Tenant to act in (default: the first you have a role in)'
complete -c agentos -n '__agentos_command top' -l json -d 'Answer, and say errors, as JSON'
complete -c agentos -n '__agentos_command top' -l socket -r -d 'Socket of agentosd (also AGENTOS_SOCKET)'

complete -c agentos -n '__agentos_command ""' -a inspect -d 'Show everything known about agents, as JSON'
complete -c agentos -n '__agentos_command inspect' -s h -l help -d 'Show this help'
complete -c agentos -n '__agentos_command inspect' -l tenant -x -d 'Tenant to act in (default: the first you have a role in)'
complete -c agentos -n '__agentos_command inspect' -l json -d 'Answer, and say errors, as JSON'
complete -c agentos -n '__agentos_command inspect' -l socket -r -d 'Socket of agentosd (also AGENTOS_SOCKET)'
complete -c agentos -n '__agentos_command inspect' -a '(agentos ps -q --names -a 2>/dev/null)'

complete -c agentos -n '__agentos_command ""' -a logs -d 'Show what an agent printed'
complete -c agentos -n '__agentos_command logs' -s h -l help -d 'Show this help'
complete -c agentos -n '__agentos_command logs' -s f -l follow -d 'Go on with what it prints, until it ends'
complete -c agentos -n '__agentos_command logs' -l since -x -d 'From this time on: 10m (ago), or 2026-11-23T15:00:00Z'
complete -c agentos -n '__agentos_command logs' -l tail -x -d 'Only the last lines'
complete -c agentos -n '__agentos_command logs' -s t -l timestamps -d 'Put the time in front of each line'
complete -c agentos -n '__agentos_command logs' -l raw -d 'The bytes as they were printed: on a terminal they can do anything the agent wants'
complete -c agentos -n '__agentos_command logs' -l tenant -x -d 'Tenant to act in (default: the first you have a role in)'
complete -c agentos -n '__agentos_command logs' -l json -d 'Answer, and say errors, as JSON'
complete -c agentos -n '__agentos_command logs' -l socket -r -d 'Socket of agentosd (also AGENTOS_SOCKET)'
complete -c agentos -n '__agentos_command logs' -a '(agentos ps -q --names -a 2>/dev/null)'

complete -c agentos -n '__agentos_command ""' -a diff -d 'Show what an agent changed in its own layer of the workspace'
complete -c agentos -n '__agentos_command diff' -s h -l help -d 'Show this help'
complete -c agentos -n '__agentos_command diff' -l stat -d 'Only which paths changed, and by how many lines'
complete -c agentos -n '__agentos_command diff' -l exit-code -d 'Exit with status 1 when there are changes'
complete -c agentos -n '__agentos_command diff' -l tenant -x -d 'Tenant to act in (default: the first you have a role in)'
complete -c agentos -n '__agentos_command diff' -l json -d 'Answer, and say errors, as JSON'
complete -c agentos -n '__agentos_command diff' -l socket -r -d 'Socket of agentosd (also AGENTOS_SOCKET)'
complete -c agentos -n '__agentos_command diff' -a '(agentos ps -q --names -a 2>/dev/null)'
complete -c agentos -n '__agentos_command diff' -F

complete -c agentos -n '__agentos_command ""' -a commit -d 'Put what an agent changed into the workspace'
complete -c agentos -n '__agentos_command commit' -s h -l help -d 'Show this help'
complete -c agentos -n '__agentos_command commit' -s n -l dry-run -d 'Tell what would be done, and do nothing'
complete -c agentos -n '__agentos_command commit' -l allow -r -d 'Also this protected path, or those in this folder'
complete -c agentos -n '__agentos_command commit' -l force -d 'Also what changed in the workspace since: the agent\'s replaces it'
complete -c agentos -n '__agentos_command commit' -l tenant -x -d 'Tenant to act in (default: the first you have a role in)'
complete -c agentos -n '__agentos_command commit' -l json -d 'Answer, and say errors, as JSON'
complete -c agentos -n '__agentos_command commit' -l socket -r -d 'Socket of agentosd (also AGENTOS_SOCKET)'
complete -c agentos -n '__agentos_command commit' -a '(agentos ps -q --names -a 2>/dev/null)'
complete -c agentos -n '__agentos_command commit' -F

complete -c agentos -n '__agentos_command ""' -a discard -d 'Drop what an agent changed'
complete -c agentos -n '__agentos_command discard' -s h -l help -d 'Show this help'
complete -c agentos -n '__agentos_command discard' -l tenant -x -d 'Tenant to act in (default: the first you have a role in)'
complete -c agentos -n '__agentos_command discard' -l json -d 'Answer, and say errors, as JSON'
complete -c agentos -n '__agentos_command discard' -l socket -r -d 'Socket of agentosd (also AGENTOS_SOCKET)'
complete -c agentos -n '__agentos_command discard' -a '(agentos ps -q --names -a 2>/dev/null)'
complete -c agentos -n '__agentos_command discard' -F

complete -c agentos -n '__agentos_command ""' -a pause -d 'Freeze agents where they are'
complete -c agentos -n '__agentos_command pause' -s h -l help -d 'Show this help'
complete -c agentos -n '__agentos_command pause' -l tenant -x -d 'Tenant to act in (default: the first you have a role in)'
complete -c agentos -n '__agentos_command pause' -l json -d 'Answer, and say errors, as JSON'
complete -c agentos -n '__agentos_command pause' -l socket -r -d 'Socket of agentosd (also AGENTOS_SOCKET)'
complete -c agentos -n '__agentos_command pause' -a '(agentos ps -q --names 2>/dev/null)'

complete -c agentos -n '__agentos_command ""' -a resume -d 'Let paused agents go on'
complete -c agentos -n '__agentos_command resume' -s h -l help -d 'Show this help'
complete -c agentos -n '__agentos_command resume' -l tenant -x -d 'Tenant to act in (default: the first you have a role in)'
complete -c agentos -n '__agentos_command resume' -l json -d 'Answer, and say errors, as JSON'
complete -c agentos -n '__agentos_command resume' -l socket -r -d 'Socket of agentosd (also AGENTOS_SOCKET)'
complete -c agentos -n '__agentos_command resume' -a '(agentos ps -q --names 2>/dev/null)'

complete -c agentos -n '__agentos_command ""' -a terminate -d 'End agents: SIGTERM, a grace period, then SIGKILL'
complete -c agentos -n '__agentos_command terminate' -s h -l help -d 'Show this help'
complete -c agentos -n '__agentos_command terminate' -l reason -x -d 'Why, for the record'
complete -c agentos -n '__agentos_command terminate' -l grace -x -d 'Time between SIGTERM and SIGKILL (default: 10s)'
complete -c agentos -n '__agentos_command terminate' -l tenant -x -d 'Tenant to act in (default: the first you have a role in)'
complete -c agentos -n '__agentos_command terminate' -l json -d 'Answer, and say errors, as JSON'
complete -c agentos -n '__agentos_command terminate' -l socket -r -d 'Socket of agentosd (also AGENTOS_SOCKET)'
complete -c agentos -n '__agentos_command terminate' -a '(agentos ps -q --names 2>/dev/null)'

complete -c agentos -n '__agentos_command ""' -a wait -d 'Wait until agents have ended'
complete -c agentos -n '__agentos_command wait' -s h -l help -d 'Show this help'
complete -c agentos -n '__agentos_command wait' -l timeout -x -d 'Give up after this time, with exit status 124'
complete -c agentos -n '__agentos_command wait' -l tenant -x -d 'Tenant to act in (default: the first you have a role in)'
complete -c agentos -n '__agentos_command wait' -l json -d 'Answer, and say errors, as JSON'
complete -c agentos -n '__agentos_command wait' -l socket -r -d 'Socket of agentosd (also AGENTOS_SOCKET)'
complete -c agentos -n '__agentos_command wait' -a '(agentos ps -q --names -a 2>/dev/null)'

complete -c agentos -n '__agentos_command ""' -a rm -d 'Remove agents that have ended, with their logs'
complete -c agentos -n '__agentos_command rm' -s h -l help -d 'Show this help'
complete -c agentos -n '__agentos_command rm' -s f -l force -d 'End it first if it runs (SIGKILL at once)'
complete -c agentos -n '__agentos_command rm' -l discard -d 'Also what it wrote and nobody has committed'
complete -c agentos -n '__agentos_command rm' -l tenant -x -d 'Tenant to act in (default: the first you have a role in)'
complete -c agentos -n '__agentos_command rm' -l json -d 'Answer, and say errors, as JSON'
complete -c agentos -n '__agentos_command rm' -l socket -r -d 'Socket of agentosd (also AGENTOS_SOCKET)'
complete -c agentos -n '__agentos_command rm' -a '(agentos ps -q --names -a 2>/dev/null)'

complete -c agentos -n '__agentos_command ""' -a prune -d 'Remove all agents that have ended'
complete -c agentos -n '__agentos_command prune' -s h -l help -d 'Show this help'
complete -c agentos -n '__agentos_command prune' -s f -l force -d 'Do not ask'
complete -c agentos -n '__agentos_command prune' -l tenant -x -d 'Tenant to act in (default: the first you have a role in)'
complete -c agentos -n '__agentos_command prune' -l json -d 'Answer, and say errors, as JSON'
complete -c agentos -n '__agentos_command prune' -l socket -r -d 'Socket of agentosd (also AGENTOS_SOCKET)'

complete -c agentos -n '__agentos_command ""' -a doctor -d 'Check what this host can enforce and what would mend the rest'
complete -c agentos -n '__agentos_command doctor' -s h -l help -d 'Show this help'
complete -c agentos -n '__agentos_command doctor' -l json -d 'Answer, and say errors, as JSON'
complete -c agentos -n '__agentos_command doctor' -l socket -r -d 'Socket of agentosd (also AGENTOS_SOCKET)'

complete -c agentos -n '__agentos_command ""' -a version -d 'Show the versions of agentos and agentosd'
complete -c agentos -n '__agentos_command version' -s h -l help -d 'Show this help'
complete -c agentos -n '__agentos_command version' -l json -d 'Answer, and say errors, as JSON'
complete -c agentos -n '__agentos_command version' -l socket -r -d 'Socket of agentosd (also AGENTOS_SOCKET)'
