"""Heartbeats that end, and blank lines that are none: the bridge's reader in a JVM without a cluster.

What else it does, tests/unit/flink_bridge shows. These tests wait for 8 to 18 s of real time each.
"""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Callable

import pytest
from jvm_reader import Kind, Script, Server, Start, saying, until_closed
from running import wait_until

pytestmark = pytest.mark.integration

# Three make an interval. On a busy machine one of them may be heard late, and the next one too soon.
MANY_BEATS = (0.6,) * 9


def beat(client: socket.socket, *pauses: float) -> None:
    """Send a line, then an LF after each of these pauses (seconds)."""
    client.sendall(b"x\n")
    for pause in pauses:
        time.sleep(pause)
        client.sendall(b"\n")


def beating(*pauses: float, then: float, last: bytes = b"") -> Script:
    """The same, then silence for `then` seconds, then `last`.

    A reader that ends the connection gets nothing more: what is sent at that moment, it may still read.
    """

    def script(client: socket.socket) -> None:
        beat(client, *pauses)
        client.settimeout(then)
        try:
            until_closed(client)
        except TimeoutError:
            client.sendall(last)
            until_closed(client)

    return script


def test_a_server_whose_heartbeats_end_is_gone(
    reader: Start, serve: Callable[..., Server], kind: Kind, log: Callable[[], str]
) -> None:
    """Its socket stays open, and the kernel answers keepalive: only the missing heartbeats tell."""
    server = serve(beating(*MANY_BEATS, then=60), saying(b"y\n"), until_closed, tls=kind[0])
    reader(server.port, tick_ms=300, **kind[1]).take_until(b"x\ny\n", 60)
    assert f"{server.port}: IOException: nothing, and no heartbeat, for " in log()


def test_heartbeats_that_nobody_could_hear_are_not_missing(
    reader: Start, serve: Callable[..., Server], jvm_pid: int
) -> None:
    """The process was stopped, and what came meanwhile is in its socket."""

    def stopping(client: socket.socket) -> None:
        beat(client, *(0.6,) * 4)
        os.kill(jvm_pid, signal.SIGSTOP)
        time.sleep(4)
        client.sendall(b"y\n")
        os.kill(jvm_pid, signal.SIGCONT)
        time.sleep(1)
        client.sendall(b"z\n")
        until_closed(client)

    got = reader(serve(stopping).port, tick_ms=300)
    got.take_until(b"x\ny\nz\n")
    assert got.reconnects() == 0


@pytest.mark.parametrize("pauses", [(0.6, 0.6), (1.2, 1.2, 3.0, 3.0), (0.2, 0.2, 0.2, 0.2)])
def test_blank_lines_are_no_heartbeats(
    reader: Start, serve: Callable[..., Server], pauses: tuple[float, ...]
) -> None:
    got = reader(serve(beating(*pauses, then=10, last=b"y\n"), until_closed).port, tick_ms=300)
    got.take_until(b"x\ny\n")
    assert got.reconnects() == 0


def test_ends_of_lines_that_come_alone_are_no_heartbeats(reader: Start, serve: Callable[..., Server]) -> None:
    """A server may write the LF only before its next line."""

    def late_ends(client: socket.socket) -> None:
        for line in (b"x", b"\n", b"x", b"\n", b"x", b"\n", b"x", b"\n"):
            client.sendall(line)
            time.sleep(0.6)
        time.sleep(4)
        client.sendall(b"y\n")
        until_closed(client)

    got = reader(serve(late_ends).port, tick_ms=300)
    got.take_until(b"x\nx\nx\nx\ny\n")
    assert got.reconnects() == 0


def test_a_long_pause_before_the_heartbeats_does_not_count_as_one(
    reader: Start, serve: Callable[..., Server]
) -> None:
    """Three intervals of 0.6 s are over before the next line comes after 15 s, three of 6 s are not."""
    beats = beating(6.0, *MANY_BEATS, then=15, last=b"y\n")
    got = reader(serve(beats, until_closed).port, tick_ms=300)
    got.take_until(b"x\n")
    wait_until(lambda: got.reconnects() == 1, "the connection is broken", 60)
    assert b"y" not in got.take()
