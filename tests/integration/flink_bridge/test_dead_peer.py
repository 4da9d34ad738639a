"""A server disappears without a FIN: the cable of its network namespace is pulled. Needs root.

Keepalive finds each of the three here. That missing heartbeats alone tell, test_heartbeats.py shows.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from faults.namespace import Namespace
from jvm_reader import Reader
from running import wait_until

pytestmark = pytest.mark.integration

SERVER = """
import socket, sys, threading, time
def serve(port, resumes, beat):
    client = socket.create_server(("", port)).accept()[0]
    client.recv(100)
    client.sendall(b'{"log_id":"L","offset":0,"status":"ok","lost_bytes":0}\\nx\\n' if resumes else b"x\\n")
    while True:
        time.sleep(1)
        client.sendall(b"\\n" if beat else b"")
for words in ((9001, True, False), (9002, False, True), (9003, False, False)):
    threading.Thread(target=serve, args=words).start()
print("ready", flush=True)
"""


@contextmanager
def _server(namespace: Namespace) -> Iterator[subprocess.Popen[bytes]]:
    command = [*namespace.prefix, sys.executable, "-c", SERVER]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as server:
        try:
            yield server
        finally:
            server.kill()


def test_a_peer_without_a_fin_is_noticed_within_a_minute(
    reader: Callable[..., Reader],
) -> None:
    with Namespace() as namespace, _server(namespace) as server:
        assert server.stdout is not None
        assert server.stdout.readline() == b"ready\n"
        ports = {"resumed": 9001, "plain with heartbeats": 9002, "plain": 9003}
        readers = {name: reader(port, host=namespace.address) for name, port in ports.items()}
        for each in readers.values():
            each.take_until(b"x\n")
        wait_until(lambda: readers["plain"].state() == "plain", "the plain one reads on")
        namespace.pull()
    for name, each in readers.items():
        wait_until(lambda each=each: each.reconnects() > 0, f"{name}: noticed", 60)
    assert all(each.state() == "away" for each in readers.values())
