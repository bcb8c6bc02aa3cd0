#!/usr/bin/env python3
"""Besets agentos-init. In an agent: `beset.py signals | files | orphans N`; on the host, as a client
of its attach socket: `beset.py clients SOCKET garbage | huge | silent | many N`. Prints what came of it.
"""
import errno
import os
import random
import signal
import socket
import sys
import time


def tried(action):
    try:
        action()
        return "ok"
    except OSError as error:
        return errno.errorcode[error.errno]


def signals():
    """Every signal to process 1, in bursts."""
    found = set()
    for _ in range(200):
        for number in range(1, 65):
            found.add(tried(lambda: os.kill(1, number)))
    print("process 1:", *sorted(found))
    child = os.fork()
    if child == 0:
        time.sleep(1000)
    print("a child:", tried(lambda: os.kill(child, signal.SIGKILL)), os.waitpid(child, 0)[1])


def files():
    """What of process 1 can be opened, beside the same of this one."""
    for name in ("mem", "maps", "environ", "fd", "fd/3", "fd/7", "root", "cwd", "exe", "oom_score_adj"):
        def look(process):
            path = f"/proc/{process}/{name}"
            return tried(lambda: os.close(os.open(path, os.O_RDONLY)) if name != "oom_score_adj" else
                         os.close(os.open(path, os.O_WRONLY)))
        print(f"{name}:", "open" if look("self") in ("ok", "ENOENT") else look("self"), "1:", look(1))


def orphans(count):
    """Children that lose their parent, and end as children of process 1."""
    for _ in range(count):
        child = os.fork()
        if child == 0:
            if os.fork() == 0:
                os._exit(3)
            os._exit(0)
        os.waitpid(child, 0)
    until = time.monotonic() + 30
    left = ["?"]
    while left and time.monotonic() < until:
        left = []
        for process in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{process}/stat", encoding="ascii") as stat:
                    if stat.read().rpartition(")")[2].split()[0] == "Z":
                        left.append(process)
            except OSError:
                pass
    print("orphans left:", len(left))


def clients(path, how, count=1):
    """Connections to the attach socket that keep no rule."""
    def connect():
        one = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        one.settimeout(10)
        one.connect(path)
        return one

    lots = random.Random(1)
    held = []
    for number in range(count):
        one = connect()
        try:
            if how == "garbage":
                one.send(bytes([number % 256]) + lots.randbytes(number % 64))
            elif how == "huge":
                one.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
                one.send(bytes(160 * 1024 + 1))
            if how == "many":
                held.append(one)
                continue
            if how != "silent":
                while one.recv(1 << 18):
                    pass
        except OSError as error:
            if error.errno not in (errno.EPIPE, errno.ECONNRESET, errno.EMSGSIZE):
                raise
        if how != "silent":
            one.close()
        else:
            held.append(one)
    print(how, count)
    sys.stdout.flush()
    sys.stdin.read()  # those that are held stay until the test has looked


if sys.argv[1] == "clients":
    clients(sys.argv[2], sys.argv[3], int((sys.argv + ["1"])[4]))
elif sys.argv[1] == "orphans":
    orphans(int(sys.argv[2]))
else:
    {"signals": signals, "files": files}[sys.argv[1]]()
