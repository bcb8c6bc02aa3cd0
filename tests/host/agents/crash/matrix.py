#!/usr/bin/env python3
"""ROUNDS times (seeded by SEED) a part of the supervisor or of an agent is killed at a random moment of what an agent goes
through. Called by tests/host/agents/crash.sh; prints what was hit, and FAIL with what is wrong."""
import collections
import json
import os
import random
import subprocess
import sys
import time

sys.dont_write_bytecode = True
import rounds  # noqa: E402
from remains import Remains  # noqa: E402
from supervisor import Supervisor, cli  # noqa: E402


class Watching:
    """watcher.py beside us."""

    def __init__(self):
        here = os.path.dirname(os.path.abspath(__file__))
        self.process = subprocess.Popen(["nice", "-n", "5", sys.executable, "-B", here + "/watcher.py", os.environ["CRASH_SPAWND_PROGRAM"],
                                         os.environ["CRASH_INIT"]], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def told(self):
        print(file=self.process.stdin, flush=True)
        return json.loads(self.process.stdout.readline())


def measure(supervisor, workspace):
    """Seconds that each operation takes: the longest of three."""
    took = {}
    for moment in rounds.MOMENTS:
        times = []
        for _ in range(3):
            case = rounds.Round(supervisor, workspace, moment, None)
            case.prepare()
            began = time.monotonic()
            case.begin()
            case.operated()
            times.append(time.monotonic() - began)
            case.end()
        took[moment] = max(times)
    return took


def main():
    seed, count = int(os.environ.get("SEED") or random.randrange(1 << 16)), int(os.environ.get("ROUNDS") or 20)
    print(f"SEED={seed} ROUNDS={count}", flush=True)
    random.seed(seed)
    supervisor, watching = Supervisor(), Watching()
    workspace = os.environ["CRASH_FOLDER"] + "/work"
    took = measure(supervisor, workspace)
    remains = Remains(supervisor.daemons)
    print("takes, ms: " + ", ".join(f"{moment} {1000 * seconds:.1f}" for moment, seconds in took.items()), flush=True)
    # Each pair is met before one comes again, in an order that the seed gives.
    pairs = []
    struck, inside, failures = collections.Counter(), collections.Counter(), []
    for number in range(count):
        if not pairs:
            pairs = [(moment, victim) for moment in rounds.MOMENTS for victim in rounds.victims(moment)]
            random.shuffle(pairs)
        moment, victim = pairs.pop()
        case = rounds.Round(supervisor, workspace, moment, victim)
        try:
            case.prepare()
            case.strike(took[moment])
            case.check()
            case.end()
            case.nothing_left(remains, watching)
        except AssertionError as wrong:
            failures.append(f"round {number}, {case}: {wrong}")
            print(f"FAIL {failures[-1]}", flush=True)
            clean()
        struck[moment, victim] += case.killed
        inside[moment, victim] += case.killed and case.under_way
    with open(os.environ["CRASH_PIDS"], "w", encoding="ascii") as file:  # those that are there now
        print(*(supervisor.daemons[name].pid for name in ("agentosd", "spawnd")), file=file)
    tell(struck, inside)
    seen = watching.told()
    print(f"{seen['looks']} looks at {len(seen['processes'])} processes in {seen['rounds']} rounds of the watcher, "
          f"{seen['programs']} of them agents' programs")
    if not seen["programs"]:
        failures.append("no agent's program was seen")
    failures += [f"ran unconfined: {line}" for line in seen["unconfined"]]
    if sum(inside.values()) * 2 < count:
        failures.append("fewer than half of the kills fell while the operation was under way")
    print(f"{count} rounds, {len(failures)} failures, SEED={seed}")
    return 1 if failures else 0


def clean():
    for name in cli("ps", "-a", "-q").stdout.split():
        cli("terminate", "--grace", "0", name)
        cli("rm", "--discard", name)


def tell(struck, inside):
    victims = ["agentosd", "spawnd", "init", "program", "cli"]
    print("killed (of these while the operation was under way)\n" + " " * 10 + "".join(f"{victim:>14}" for victim in victims))
    for moment in rounds.MOMENTS:
        cells = [f"{struck[moment, victim]} ({inside[moment, victim]})" if victim in rounds.victims(moment) else "-" for victim in victims]
        print(f"{moment:10}" + "".join(f"{cell:>14}" for cell in cells))
    print(f"{'all':10}{sum(struck.values())} ({sum(inside.values())})", flush=True)


if __name__ == "__main__":
    sys.exit(main())
