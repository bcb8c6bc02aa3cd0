#!/usr/bin/env python3
"""A descriptor of a folder of the host, passed over a socket, and what can be reached with it.

Usage: pass.py give SOCKET FOLDER   listens, and gives it to the first who comes
       pass.py take SOCKET FILE     takes it, and says for each way whether FILE in it was read
"""
import errno
import os
import socket
import sys


def result(attempt):
    try:
        return "read" if attempt() else "empty"
    except OSError as error:
        return errno.errorcode[error.errno]


def content(path, folder=None):
    with open(os.open(path, os.O_RDONLY, dir_fd=folder), "rb") as file:
        return file.read()


def take(connection, file):
    _, (folder,), _, _ = socket.recv_fds(connection, 1, 1)
    print("openat:", result(lambda: content(file, folder)))
    print("proc:", result(lambda: content(f"/proc/self/fd/{folder}/{file}")))
    print("list:", result(lambda: os.listdir(folder)))
    print("make:", result(lambda: os.open("made", os.O_CREAT | os.O_WRONLY, dir_fd=folder)))
    os.fchdir(folder)
    print("fchdir:", result(lambda: content(file)))


verb, path, what = sys.argv[1:]
with socket.socket(socket.AF_UNIX) as connection:
    if verb == "take":
        connection.connect(path)
        take(connection, what)
    else:
        connection.bind(path)
        os.chmod(path, 0o777)
        connection.listen()
        print("listening", flush=True)
        peer, _ = connection.accept()
        socket.send_fds(peer, [b"x"], [os.open(what, os.O_RDONLY | os.O_DIRECTORY)])
        peer.recv(1)
