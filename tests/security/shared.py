#!/usr/bin/env python3
"""What processes of one host share by name alone.

Usage: shared.py hold NAME          as a program of the host: makes one of each, says "held", and keeps them until its stdin ends
       shared.py reach NAME SOCKET  tries to reach each, and a unix socket by path; prints "WHAT: ok" or an errno
"""
import ctypes
import errno
import os
import socket
import sys

libc = ctypes.CDLL(None, use_errno=True)
KEY = 0x61676E74


def word(result):
    return "ok" if result >= 0 else errno.errorcode[ctypes.get_errno()]


def connect(address):
    with socket.socket(socket.AF_UNIX) as client:
        try:
            client.connect(address)
            return "ok"
        except OSError as error:
            return errno.errorcode[error.errno]


def hold(name):
    abstract = socket.socket(socket.AF_UNIX)
    abstract.bind("\0" + name)
    abstract.listen()
    create = 0o1000 | 0o666
    os.umask(0)
    made = [libc.shmget(KEY, 4096, create), libc.semget(KEY, 1, create), libc.msgget(KEY, create)]
    queue = libc.mq_open(b"/" + name.encode(), os.O_CREAT | os.O_RDWR, 0o666, None)
    files = [f"/tmp/{name}", f"/var/tmp/{name}", f"/dev/shm/{name}"]
    for file in files:
        open(file, "w").close()
    print("held" if min(made) >= 0 and queue >= 0 else "failed", flush=True)
    sys.stdin.read()
    libc.shmctl(made[0], 0, None)
    libc.semctl(made[1], 0, 0)
    libc.msgctl(made[2], 0, None)
    libc.mq_unlink(b"/" + name.encode())
    for file in files:
        os.unlink(file)


def reach(name, path):
    print("abstract:", connect("\0" + name))
    print("shm:", word(libc.shmget(KEY, 4096, 0)))
    print("sem:", word(libc.semget(KEY, 1, 0)))
    print("msg:", word(libc.msgget(KEY, 0)))
    print("mqueue:", word(libc.mq_open(b"/" + name.encode(), os.O_RDONLY)))
    for file in (f"/tmp/{name}", f"/var/tmp/{name}", f"/dev/shm/{name}"):
        print(file.rpartition("/")[0] + ":", "ok" if os.path.exists(file) else "ENOENT")
    print("path:", connect(path))


if sys.argv[1] == "hold":
    hold(sys.argv[2])
else:
    reach(*sys.argv[2:])
