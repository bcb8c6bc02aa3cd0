"""One round of the crash matrix: an agent, a moment, a victim."""
import itertools
import os
import random
import shutil
import subprocess
import time

from program import Program, make_workspace, mixed, tree, work_on
from supervisor import AGENTOS, agents_groups, agents_processes, cli, inner_pid, kill, until

MOMENTS = ("start", "run", "pause", "resume", "terminate", "commit", "discard", "rm")
ENDED = ("commit", "discard", "rm")  # moments of an agent that has ended
FINAL = ("completed", "failed", "terminated", "rejected")
numbers = itertools.count(1)


def victims(moment):
    """Who has a part in it. `run` is the program's own; an agent that has ended has no processes."""
    return [name for name in ("agentosd", "spawnd", "init", "program", "cli")
            if not (name == "cli" and moment == "run") and not (name in ("init", "program") and moment in ENDED)]


class Round:
    def __init__(self, supervisor, workspace, moment, victim):
        self.supervisor, self.workspace, self.moment, self.victim = supervisor, workspace, moment, victim
        self.name = f"crash{next(numbers)}"
        self.life = random.uniform(0.02, 0.3)
        kind = "brief" if moment == "run" or moment in ENDED else random.choice(("long", "deaf"))
        self.program = Program(kind, 0.01 if moment in ENDED else self.life)
        self.operation, self.killed, self.under_way = None, False, False
        self.delay = 0.0
        self.removed = False

    def __str__(self):
        return (f"{self.name}: {self.victim} killed {1000 * self.delay:.2f} ms into {self.moment} "
                f"({self.program.kind}, status {self.program.status})")

    # Before: the agent in the state in which the operation finds it.
    def prepare(self):
        make_workspace(self.workspace)
        self.before = tree(self.workspace)
        shutil.copytree(self.workspace, self.workspace + ".wanted", symlinks=True)
        work_on(self.workspace + ".wanted")
        self.after = tree(self.workspace + ".wanted")
        shutil.rmtree(self.workspace + ".wanted")
        if self.moment in ("start", "run"):
            return
        done = cli(*self.run())
        assert done.returncode == 0, f"run: {done.stderr}"
        if self.moment in ENDED:
            cli("wait", self.name)
            return
        assert until(self.lines), "the program has not begun"
        if self.moment == "resume":
            assert cli("pause", self.name).returncode == 0

    def run(self):
        return ["run", "--detach", "--name", self.name, "--workspace", self.workspace, "--", *self.program.command]

    def arguments(self):
        """The operation."""
        grace = ["--grace", "100ms"] if self.program.kind == "deaf" else []
        return {"start": self.run(), "run": self.run(), "terminate": ["terminate", *grace, self.name],
                "rm": ["rm", "--discard", self.name]}.get(self.moment, [self.moment, self.name])

    def begin(self):
        self.operation = subprocess.Popen([AGENTOS, *self.arguments()], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                          stderr=subprocess.PIPE, text=True)
        if self.moment == "run":  # from then on it is the program's own
            assert self.operation.wait() == 0

    def operated(self):
        """Waits until the operation has ended."""
        _, self.said = self.operation.communicate(timeout=120)
        if self.moment == "run":
            assert until(lambda: not agents_processes()), "it does not end"

    def find(self):
        """The victim in the agent's cgroup."""
        return next((pid for _, pid in agents_processes()
                     if inner_pid(pid) == (1 if self.victim == "init" else 2)), None)

    def strike(self, took):
        self.begin()
        if self.moment == "run":
            took = self.life
        inner = self.victim in ("init", "program")
        if inner and self.moment == "start":  # it must be there first
            until(lambda: self.find() or self.operation.poll() is not None, 5)
            took /= 3
        self.delay = random.uniform(0, took)
        end = time.monotonic() + self.delay
        while (left := end - time.monotonic()) > 0:
            time.sleep(left)
        target = self.find() if inner else None
        self.under_way = bool(agents_processes()) if self.moment == "run" else self.operation.poll() is None
        if inner:
            self.killed = target is not None and kill(target)
        elif self.victim == "cli":
            self.killed = self.operation.poll() is None and kill(self.operation.pid)
        else:
            daemon = self.supervisor.daemons[self.victim]
            self.killed = daemon.kill()
            daemon.revive()
        self.operated()

    # After: what is known is right, and it can still be controlled.
    def check(self):
        record = self.supervisor.inspect(self.name)
        succeeded = self.operation.returncode == 0
        if self.moment == "start" and not succeeded and record is None:
            self.removed = True
            return
        if self.moment == "rm" and record is None:
            self.removed = True
            return
        assert record is not None, f"it is not known any more; the operation: {self.operation.returncode} {self.said}"
        if self.moment in ENDED:
            self.check_ended(self.supervisor.inspect(self.name))
            return
        if succeeded and self.moment in ("pause", "resume"):
            wanted = {"pause": "paused", "resume": "running"}[self.moment]
            assert record["status"] in (wanted, *FINAL), f"{self.moment} succeeded, and it is {record['status']}"
        if self.victim in ("init", "program") and self.killed or self.moment == "run":
            if record["status"] == "paused":  # init cannot tell of the end before it runs again
                cli("resume", self.name)
            assert until(lambda: self.supervisor.inspect(self.name)["status"] in FINAL), "it does not end"
        elif record["status"] == "stopping" or (succeeded and self.moment == "terminate"):
            assert until(lambda: self.supervisor.inspect(self.name)["status"] in FINAL), "it stays in stopping"
        else:
            self.control()
        record = self.supervisor.inspect(self.name)
        assert record["status"] in FINAL, f"it is {record['status']}"
        self.check_ended(record)

    def control(self):
        """One that goes on is frozen or not as its record says, and does what it is told."""
        assert until(lambda: self.supervisor.inspect(self.name)["status"] not in ("submitted", "admitted", "starting")), \
            "it stays in starting"
        assert until(self.lines), "its program has not begun"
        record = self.supervisor.inspect(self.name)
        assert record["status"] in ("running", "paused"), f"it is {record['status']}: {record['reason']}"
        assert self.frozen() == (record["status"] == "paused"), f"it is {record['status']}, its cgroup is not"
        for command in (["resume"] if record["status"] == "paused" else []) + ["pause", "resume"]:
            done = cli(command, self.name)
            assert done.returncode == 0, f"{command}: {done.stderr}"
            assert self.frozen() == (command == "pause"), f"{command} did not"
        done = cli("exec", self.name, "--", "sh", "-c", "exit 9")
        assert done.returncode == 9, f"exec: {done.returncode} {done.stderr}"
        counted = self.lines()
        assert until(lambda: self.lines() > counted), "it does not go on"
        grace = ["--grace", "50ms"] if self.program.kind == "deaf" else []
        done = cli("terminate", *grace, self.name)
        assert done.returncode == 0, f"terminate: {done.stderr}"

    def frozen(self):
        with open(agents_groups()[0][1] + "/cgroup.freeze", encoding="ascii") as file:
            return file.read().strip() == "1"

    def lines(self):
        return cli("logs", self.name).stdout.count("\n")

    def check_ended(self, record):
        """Its status, its exit status and its log are right, and its layer has all that it has written."""
        status, code, kind = record["status"], record["exit_code"], self.program.kind
        shot = self.victim in ("init", "program") and self.killed
        own = [] if kind == "deaf" else [self.program.status]
        killed = [137] if shot or kind == "deaf" else []
        assert code in own + killed, f"exit status {code}, not {own + killed} ({status}: {record['reason']})"
        if status != "terminated":
            assert status == ("completed" if code == 0 else "failed"), f"{status} with exit status {code}"
        lines = cli("logs", self.name).stdout.split("\n")[:-1]
        whole = lines[-1:] == ["last"]
        assert whole == (code != 137) or shot, f"exit status {code}, and the log ends with {lines[-1:]}"
        counted = lines[:-1] if whole else lines
        assert counted == [str(number) for number in range(1, len(counted) + 1)], f"the log is not whole: {counted}"
        self.worked = bool(counted)

    def end(self):
        """Takes over or drops what it wrote, and removes it. What a crash has left half done is done by doing it again."""
        before, after = self.before, self.after
        wanted = before
        if not self.removed:
            if self.victim is None and self.moment not in ENDED:
                cli("terminate", "--grace", "0", self.name)
                cli("wait", self.name)
            now = tree(self.workspace)
            if self.moment == "commit":
                assert not mixed(now, before, after), f"neither old nor new: {mixed(now, before, after)}"
            else:
                assert now == before, "the workspace has changed"
            commits = self.moment == "commit" or (self.moment not in ENDED and getattr(self, "worked", False) and random.random() < 0.5)
            if commits:
                self.does("commit", self.name)
                wanted = after
            elif self.moment != "rm":
                self.does("discard", self.name)
            assert self.moment == "rm" or cli("diff", "--stat", self.name).stdout == "", "there is something left to review"
            self.does("rm", *(["--discard"] if self.moment == "rm" else []), self.name)
        now = tree(self.workspace)
        assert now == wanted, f"the workspace is not as wanted: {[name for name in {*now, *wanted} if now.get(name) != wanted.get(name)]}"

    def does(self, *arguments):
        done = cli(*arguments)
        gone = self.victim is None and self.moment == "rm" and done.returncode == 3
        assert done.returncode == 0 or gone, f"{arguments[0]}: {done.returncode} {done.stderr}"

    def nothing_left(self, remains, watching):
        left = []

        def gone():
            left[:] = remains.now(watching.told())
            return not left
        assert until(gone), f"left over: {left}"
