#!/usr/bin/env python3
"""Times commands in turn, so that what disturbs one disturbs all, and prints a table: interleaved.py --rounds N (--command NAME ARGV...)...

Milliseconds from posix_spawn to the exit status; the ratio is to the first command's median. Fails when a command does.
"""
import os
import sys
import time


def main() -> int:
    words = sys.argv[1:]
    if words[:1] != ["--rounds"] or "--command" not in words:
        print(__doc__, file=sys.stderr)
        return 2
    rounds = int(words[1])
    commands: dict[str, list[str]] = {}
    for word in words[2:]:
        if word == "--command":
            name = None
        elif name is None:
            commands[name := word] = []
        else:
            commands[name].append(word)
    times: dict[str, list[float]] = {name: [] for name in commands}
    quiet = [(os.POSIX_SPAWN_OPEN, fd, "/dev/null", os.O_RDWR, 0) for fd in (0, 1, 2)]
    for turn in range(-2, rounds):  # the first two warm up
        for name, argv in commands.items():
            begin = time.perf_counter()
            status = os.waitpid(os.posix_spawnp(argv[0], argv, os.environ, file_actions=quiet), 0)[1]
            spent = (time.perf_counter() - begin) * 1000
            if status != 0:
                print(f"{name} failed: {os.waitstatus_to_exitcode(status)}", file=sys.stderr)
                return 1
            if turn >= 0:
                times[name].append(spent)
    print(f"{'ms':24}{'median':>9}{'p95':>9}{'p99':>9}{'ratio':>8}   n={rounds}")
    first = None
    for name, spent in times.items():
        spent.sort()
        at = lambda part: spent[min(len(spent) - 1, int(len(spent) * part))]
        first = first or at(0.5)
        print(f"{name:24}{at(0.5):9.2f}{at(0.95):9.2f}{at(0.99):9.2f}{at(0.5) / first:8.1f}")
    return 0


sys.exit(main())
