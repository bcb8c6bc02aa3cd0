"""What agents leave behind that have ended and were removed: nothing."""
import contextlib
import os
import re
import sqlite3

from supervisor import RUN, SPAWND_STATE, STATE, agents_groups, cli, until


def listed(folder):
    try:
        return [os.path.join(folder, name) for name in os.listdir(folder)]
    except FileNotFoundError:
        return []


def rows():
    with contextlib.closing(sqlite3.connect(f"file:{STATE}/agentos.db?mode=ro", uri=True, timeout=10)) as database:
        return [f"row {identity} ({status})" for identity, status in database.execute("SELECT id, status FROM agent")]


def mounts():
    with open("/proc/self/mountinfo", encoding="utf-8", errors="replace") as file:
        return [line.strip() for line in file if STATE in line or SPAWND_STATE in line or RUN in line]


def began(pid):
    with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
        return int(file.read().rpartition(")")[2].split()[19])


def alive(processes):
    found = []
    for pid, start in processes:
        with contextlib.suppress(OSError):
            if began(pid) == start:
                found.append(f"process {pid}")
    return found


class Remains:
    """Compared with what was there before the first round."""

    def __init__(self, daemons):
        self.daemons = daemons
        until(lambda: self.settled_descriptors())
        self.descriptors = {name: daemon.descriptors() for name, daemon in daemons.items()}
        self.mounts = mounts()
        self.before = {pid for pid in os.listdir("/proc") if pid.isdigit()}

    def settled_descriptors(self):
        """spawnd makes namespaces ready for agents to come, until it has some."""
        first = {name: daemon.descriptors() for name, daemon in self.daemons.items()}
        until(lambda: False, 0.3)
        return first == {name: daemon.descriptors() for name, daemon in self.daemons.items()}

    def of_daemons(self):
        return [f"{daemon.descriptors()} descriptors of {name}, at first {self.descriptors[name]}"
                for name, daemon in self.daemons.items() if daemon.descriptors() > self.descriptors[name]]

    def namespaces(self, spaces):
        """Processes in them, and descriptors and mounts of them. A number is soon given to another namespace: those of this
        kind are spawnd's, which is looked at by its descriptors, and other supervisors'."""
        found = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            if pid in self.before or int(pid) in [daemon.pid for daemon in self.daemons.values()]:
                continue
            with contextlib.suppress(OSError):
                with open(f"/proc/{pid}/cgroup", encoding="ascii") as file:
                    if re.search(r"agentos-test-\d+\.slice", file.read()):
                        continue
                held = [os.readlink(f"/proc/{pid}/ns/{space}") for space in ("pid", "mnt", "user", "ipc", "uts")]
                found += [f"namespace {space} held by process {pid}" for space in held if space in spaces]
        return found

    def now(self, seen):
        """One line for each thing that is left; `seen`: what the watcher has seen."""
        return (rows() + listed(STATE + "/agents") + listed(RUN + "/agents") + listed(SPAWND_STATE + "/layers")
                + listed(SPAWND_STATE + "/trash") + [path for _, path in agents_groups()]
                + [f"mount {line}" for line in mounts() if line not in self.mounts]
                + alive(seen["processes"]) + self.namespaces(set(seen["spaces"])) + self.of_daemons()
                + [f"known: {line}" for line in cli("ps", "-a", "-q").stdout.split()])
