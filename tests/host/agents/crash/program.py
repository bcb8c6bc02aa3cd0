"""What agents run in the crash matrix, and what must come of it."""
import os
import random
import shutil
import stat
import subprocess

# What the agent makes of its workspace: every kind of change there is.
WORK = """umask 022
echo new >change; rm gone; rm -r tree; mkdir made; ln -s made/1 sym; rm link; echo plain >link
for i in $(seq 40); do echo $i >made/$i; done
rm -r dir; mkdir dir; echo c >dir/c; rm turned; mkdir turned; echo in >turned/in
head -c 400000 /dev/zero >big; ln big dir/bigger
"""
# Numbered lines, so that one that is missing is seen. The first comes when the work is done.
COUNT = "n=0; line() { n=$((n+1)); echo $n; }; "
KINDS = ("brief", "long", "deaf")


class Program:
    """kind: ends by itself ('brief'), with its status when it is told to end ('long'), or not at all ('deaf')."""

    def __init__(self, kind, life=0.1):
        self.kind, self.status = kind, random.choice([0, random.randint(1, 124)])
        turns = max(1, int(life / 0.01))
        body = {
            "brief": f"for i in $(seq {turns}); do line; sleep 0.01; done; echo last; exit {self.status}",
            "long": f"trap 'echo last; exit {self.status}' TERM; while :; do line; sleep 0.01; done",
            "deaf": "trap '' TERM; while :; do line; sleep 0.01; done"}[kind]
        self.command = ["sh", "-c", WORK + COUNT + body]


def make_workspace(path):
    """What every agent finds."""
    shutil.rmtree(path, ignore_errors=True)
    for folder in ("dir", "tree/deep"):
        os.makedirs(f"{path}/{folder}")
    for name in ("keep", "change", "gone", "turned", "dir/a", "dir/b", "tree/x", "tree/deep/y"):
        with open(f"{path}/{name}", "w", encoding="ascii") as file:
            file.write(f"old {name}\n")
    os.symlink("keep", f"{path}/link")
    for folder, _, _ in os.walk(path):
        os.chmod(folder, 0o755)


def work_on(path):
    """The same work without an agent."""
    subprocess.run(["sh", "-c", WORK], cwd=path, check=True)


def tree(path):
    """{name: what it is}, of everything below path."""
    found = {}
    for folder, folders, names in os.walk(path):
        for name in folders + names:
            full = os.path.join(folder, name)
            status = os.lstat(full)
            what = [stat.S_IFMT(status.st_mode)]
            if stat.S_ISLNK(status.st_mode):
                what.append(os.readlink(full))
            elif stat.S_ISREG(status.st_mode):
                with open(full, "rb") as file:
                    what += [stat.S_IMODE(status.st_mode), status.st_nlink, file.read()]
            else:
                what.append(stat.S_IMODE(status.st_mode))
            found[os.path.relpath(full, path)] = what
    return found


def mixed(now, old, new):
    """Paths that are neither as before the commit nor as after it. Numbers of links change one by one, and modes of
    folders come last."""
    def plain(what):
        return None if what is None else what[:1] + what[3:] if len(what) == 4 else what[:1] if what[0] == stat.S_IFDIR else what
    return [name for name in now if ".agentos-commit-" not in name
            and plain(now[name]) not in (plain(old.get(name)), plain(new.get(name)))] + \
           [name for name in old if name not in now and name in new and name != "turned" and old[name] == new[name]]
