"""Looks at every process in the agents' cgroups, all the time: `watcher.py SPAWND INIT`, the two programs that are not the
agents' own. A line on its standard input: it answers with what it has seen so far, as JSON."""
import json
import os
import select
import sys

from supervisor import agents_processes

SPACES = ("user", "pid", "mnt", "net", "ipc", "uts", "cgroup")
FIRST_UID, LAST_UID = 0x70000000, 0x70000000 + 16000 * 0x4000 - 1  # of all agents' ranges


def identity(path):
    status = os.stat(path)
    return status.st_dev, status.st_ino


def spaces(pid):
    return [os.readlink(f"/proc/{pid}/ns/{space}") for space in SPACES]


class Watcher:
    def __init__(self, spawnd, init):
        self.spawnd, self.init, self.own_spaces = identity(spawnd), identity(init), spaces("self")
        self.looks, self.rounds, self.programs, self.unconfined = 0, 0, set(), {}
        self.processes, self.spaces = set(), set()

    def look(self, pid):
        # In this order: what is executed stays so, and what confines it cannot be taken off again. So a program that has
        # begun is confined in every look behind this one, or has begun without.
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            process = (pid, int(file.read().rpartition(")")[2].split()[19]))
        program = identity(f"/proc/{pid}/exe")
        with open(f"/proc/{pid}/status", encoding="utf-8", errors="replace") as file:
            status = dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)
        inside = spaces(pid)
        self.looks += 1
        self.processes.add(process)
        if program == self.spawnd:
            return  # on its way into the sandbox
        self.spaces.update(inside)
        if program != self.init:
            self.programs.add(process)
        lacks = [space for space, own, host in zip(SPACES, inside, self.own_spaces) if own == host]
        lacks += [] if status["Seccomp"] == "2" else ["seccomp filter"]
        lacks += [] if status["NoNewPrivs"] == "1" else ["no_new_privs"]
        lacks += [] if all(FIRST_UID <= int(uid) <= LAST_UID for uid in status["Uid"].split()) else ["uid"]
        if program != self.init and int(status["CapPrm"], 16) | int(status["CapEff"], 16):
            lacks.append("capabilities dropped")
        if lacks:
            self.unconfined[str(process)] = f"{os.readlink(f'/proc/{pid}/exe')} of {status['Name']} without {', '.join(lacks)}"

    def once(self):
        self.rounds += 1
        for _, pid in agents_processes():
            try:
                self.look(pid)
            except (OSError, KeyError):
                pass  # it ended at this moment

    def told(self):
        return {"looks": self.looks, "rounds": self.rounds, "programs": len(self.programs),
                "unconfined": list(self.unconfined.values()), "processes": sorted(self.processes),
                "spaces": sorted(self.spaces)}


def main():
    watcher = Watcher(*sys.argv[1:])
    while True:
        watcher.once()
        if select.select([sys.stdin], [], [], 0)[0]:
            if not sys.stdin.readline():
                return
            watcher.once()
            print(json.dumps(watcher.told()), flush=True)


if __name__ == "__main__":
    main()
