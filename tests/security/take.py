#!/usr/bin/env python3
"""Takes as much as it gets of things that the kernel counts, says "WHAT: NUMBER ERRNO" for each, and keeps it until it is ended.

Usage: take.py MOST WHAT...: at most MOST of each, and of 1 it keeps none; WHAT: inotify, signals, mqueues, ptys, files, processes,
inodes, aio
"""
import ctypes
import errno
import os
import signal
import sys
import time

libc = ctypes.CDLL(None, use_errno=True)
most = int(sys.argv[1])
counted = 0


def failed(result):
    if result < 0:
        raise OSError(ctypes.get_errno(), "")
    return result


def queue_signal():
    failed(libc.sigqueue(os.getpid(), signal.SIGRTMIN, None))


def fork():
    if os.fork() == 0:
        time.sleep(1000)


def name():
    return f"/agentos-test-{os.getpid()}-{counted}".encode()


def make_file():
    os.close(os.open(f"/tmp/{counted}", os.O_CREAT | os.O_WRONLY))


def aio():
    context = ctypes.c_ulong(0)
    failed(libc.syscall(206, 1024, ctypes.byref(context)))


ways = {
    "inotify": lambda: failed(libc.inotify_init1(0)),
    "signals": queue_signal,
    "mqueues": lambda: failed(libc.mq_open(name(), os.O_CREAT | os.O_RDWR, 0o600, None) + libc.mq_unlink(name())),
    "ptys": lambda: os.open("/dev/ptmx", os.O_RDWR | os.O_NOCTTY),
    "files": lambda: os.open("/dev/null", os.O_RDONLY),
    "processes": fork,
    "inodes": make_file,
    "aio": aio,
}
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGRTMIN])
for what in sys.argv[2:]:
    counted, stopped = 0, "no end"
    try:
        while counted < most:
            ways[what]()
            counted += 1
    except OSError as error:
        stopped = errno.errorcode[error.errno]
    print(f"{what}: {counted} {stopped}", flush=True)
if most > 1:
    print("has all", flush=True)
    time.sleep(1000)
