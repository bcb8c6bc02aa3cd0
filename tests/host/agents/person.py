#!/usr/bin/env python3
"""Runs a command on a terminal of its own and plays a person: person.py COMMAND... < SCRIPT

Lines of the script: expect TEXT (20 s at most) | send TEXT (escapes: \\r \\x03 \\x1a ...) | resize ROWS COLUMNS |
run SHELL-COMMAND (elsewhere, and wait for it) | end (of the command). What the terminal showed goes to stdout. Exits with
the command's status, or 99 when an expectation is not met.
"""
import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time


def main() -> int:
    script = sys.stdin.read().splitlines()
    pid, master = pty.fork()
    if pid == 0:
        # Before the program looks at it.
        fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 33, 111, 0, 0))
        os.execvp(sys.argv[1], sys.argv[1:])
    shown, at = b"", 0

    def read_some(deadline: float) -> bool:
        nonlocal shown
        if not select.select([master], [], [], max(0.0, deadline - time.monotonic()))[0]:
            return False
        try:
            data = os.read(master, 65536)
        except OSError:  # EIO: the other side is closed
            return False
        shown += data
        return bool(data)

    failure = None
    for line in script:
        verb, _, text = line.partition(" ")
        if verb == "send":
            os.write(master, text.encode().decode("unicode_escape").encode("latin-1"))
        elif verb == "resize":
            rows, columns = map(int, text.split())
            fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
            os.kill(pid, signal.SIGWINCH)
        elif verb == "run":
            subprocess.run(text, shell=True, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        elif verb in ("expect", "end"):
            deadline = time.monotonic() + 20
            wanted = text.encode()
            while verb == "end" or wanted not in shown[at:]:
                if not read_some(deadline):
                    break
            if verb == "expect":
                if wanted not in shown[at:]:
                    failure = f"\n[not shown within 20 s: {text!r}]\n"
                    break
                at = shown.index(wanted, at) + len(wanted)
    sys.stdout.buffer.write(shown)
    if failure:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        print(failure)
        return 99
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) & 0xFF


sys.exit(main())
