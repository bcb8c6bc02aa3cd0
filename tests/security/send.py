#!/usr/bin/env python3
"""Asks agentosd for an agent with descriptors of the caller's choice as its workspace; prints the HTTP status.

Usage: send.py SOCKET KIND PATH; KIND: pipe, socket, file, folder (opened O_PATH), many
"""
import json
import os
import socket
import sys

path, kind, name = sys.argv[1:]


def descriptors():
    if kind == "pipe":
        return list(os.pipe())
    if kind == "socket":
        return [end.detach() for end in socket.socketpair()]
    if kind == "many":
        return [os.open(name, os.O_RDONLY) for _ in range(200)]
    return [os.open(name, os.O_PATH | os.O_DIRECTORY if kind == "folder" else os.O_RDONLY)]


body = json.dumps({"command": ["true"], "env": {}, "tty": False, "stdin": False, "attach": False, "workspace": name,
                   "workspace_mode": "bind"}).encode()
head = f"POST /v1/agents HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
with socket.socket(socket.AF_UNIX) as connection:
    connection.settimeout(20)
    connection.connect(path)
    socket.send_fds(connection, [head.encode() + b"Connection: close\r\n\r\n" + body], descriptors())
    answer = connection.recv(65536)
print(answer.split(b" ")[1].decode() if answer else "closed", flush=True)
os._exit(0)  # the kernel closes what is left; nobody waits for that
