"""The supervisor under test: its two daemons, which can be killed and come back, its CLI, and what it keeps where.
tests/host/agents/lib.sh has started it; a daemon comes back with the command line it had, or by its unit."""
import json
import os
import select
import signal
import subprocess
import time

AGENTOS = os.environ["CRASH_AGENTOS"]
SLICE = os.environ["CRASH_SLICE"]
STATE, RUN, SPAWND_STATE = os.environ["CRASH_STATE"], os.environ["CRASH_RUN"], os.environ["CRASH_SPAWND_STATE"]
INSTALLED = bool(os.environ["CRASH_INSTALLED"])
PATIENCE = 30  # seconds, for what takes a moment


def cli(*arguments, timeout=120):
    return subprocess.run([AGENTOS, *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=timeout, check=False)


def until(what, patience=PATIENCE):
    """Waits for `what` to be true; its last answer."""
    end = time.monotonic() + patience
    while not (answer := what()) and time.monotonic() < end:
        time.sleep(0.02)
    return answer


def kill(pid):
    """SIGKILL, until the process is gone. False: there was none."""
    try:
        process = os.pidfd_open(pid)
    except ProcessLookupError:
        return False
    try:
        signal.pidfd_send_signal(process, signal.SIGKILL)
        select.select([process], [], [], PATIENCE)
        return True
    except ProcessLookupError:
        return False
    finally:
        os.close(process)


class Daemon:
    def __init__(self, name, pid):
        self.name, self.pid = name, pid
        if INSTALLED:
            self.pid = self.main_pid()
        else:
            with open(f"/proc/{pid}/cmdline", "rb") as line:
                self.command = line.read().rstrip(b"\0").split(b"\0")
            self.log = os.path.join(os.environ["CRASH_FOLDER"], name.removeprefix("agentos-") + ".log")

    def main_pid(self):
        return int(subprocess.run(["systemctl", "show", "--value", "-p", "MainPID", self.name], capture_output=True,
                                  text=True, check=True).stdout)

    def kill(self):
        return kill(self.pid)

    def revive(self):
        if INSTALLED:
            subprocess.run(["systemctl", "start", self.name], check=True)
            self.pid = self.main_pid()
        else:
            with open(self.log, "ab") as log:
                self.pid = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=log, stderr=log).pid
        until(lambda: cli("version").returncode == 0)

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))


class Supervisor:
    def __init__(self):
        self.daemons = {"agentosd": Daemon("agentosd", int(os.environ["CRASH_AGENTOSD"] or 0)),
                        "spawnd": Daemon("agentos-spawnd", int(os.environ["CRASH_SPAWND"] or 0))}

    def inspect(self, name):
        """Everything known about the agent, or None."""
        done = cli("inspect", name)
        if done.returncode == 3:
            return None
        assert done.returncode == 0, f"inspect: {done.stderr}"
        return json.loads(done.stdout)


def agents_processes():
    """(agent, pid) of every process in an agent's cgroup."""
    found = []
    for agent, path in agents_groups():
        try:
            with open(path + "/cgroup.procs", encoding="ascii") as file:
                found += [(agent, int(pid)) for pid in file.read().split()]
        except OSError:
            pass  # the group has gone
    return found


def agents_groups():
    """(agent, path) of every cgroup of an agent."""
    found = []
    try:
        for tenant in os.scandir(SLICE):
            if tenant.name.startswith("agentos-tenant@") and tenant.is_dir():
                found += [(group.name, group.path) for group in os.scandir(tenant.path)
                          if len(group.name) == 13 and group.name[0] == "a" and group.is_dir()]
    except OSError:
        pass
    return found


def inner_pid(pid):
    """Its pid in its own namespace; 0 when it is gone."""
    try:
        with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as file:
            return next(int(line.split()[-1]) for line in file if line.startswith("NSpid:"))
    except (OSError, StopIteration):
        return 0
