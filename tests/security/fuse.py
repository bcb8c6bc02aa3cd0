#!/usr/bin/env python3
"""A file system whose program answers what it must for a folder with one file to be opened, and then nothing any more.

Usage: fuse.py FOLDER: as root; says "mounted", and serves until its stdin ends.
"""
import ctypes
import os
import select
import struct
import sys

LOOKUP, FORGET, GETATTR, OPEN, FLUSH, INIT, OPENDIR = 1, 2, 3, 14, 25, 26, 27
ENOSYS = 38


def attributes(inode):
    mode = 0o40755 if inode == 1 else 0o100666
    return struct.pack("<6Q3I7I", inode, 1 << 50, 0, 0, 0, 0, 0, 0, 0, mode, 1, 0, 0, 0, 4096, 0)


def answer(opcode, inode):
    if opcode == INIT:
        return struct.pack("<IIII2HII2HI7I", 7, 31, 0, 0, 0, 0, 4096, 1, 0, 0, *([0] * 8))[:64].ljust(64, b"\0")
    if opcode == LOOKUP:
        return struct.pack("<QQQQII", 2, 0, 3600, 3600, 0, 0) + attributes(2)
    if opcode == GETATTR:
        return struct.pack("<QII", 3600, 0, 0) + attributes(inode)
    if opcode in (OPEN, OPENDIR):
        return struct.pack("<QII", 0, 0, 0)
    return b""


def main():
    device = os.open("/dev/fuse", os.O_RDWR)
    libc = ctypes.CDLL(None, use_errno=True)
    options = f"fd={device},rootmode=40000,user_id=0,group_id=0,allow_other".encode()
    if libc.mount(b"fuse", sys.argv[1].encode(), b"fuse", 0, options) != 0:
        sys.exit("mount: " + os.strerror(ctypes.get_errno()))
    print("mounted", flush=True)
    while True:
        ready, _, _ = select.select([device, 0], [], [])
        if 0 in ready:
            libc.umount2(sys.argv[1].encode(), 2)
            return
        request = os.read(device, 1 << 20)
        _, opcode, unique, inode = struct.unpack_from("<IIQQ", request)
        if opcode in (FLUSH, FORGET):  # close(2) waits for the first; the second wants no answer
            continue
        body = answer(opcode, inode)
        os.write(device, struct.pack("<IiQ", 16 + len(body), 0 if body else -ENOSYS, unique) + body)


main()
