"""A server that serves too many clients is tried again."""

from __future__ import annotations

import socket

from jvm_reader import Server, answering, request
from running import BIN, run


def test_tail_waits_until_the_server_has_room() -> None:
    def busy(client: socket.socket) -> None:
        request(client)
        client.sendall(b'{"status":"error","reason":"this server serves 1 clients already","code":"busy"}\n')

    event = b'{"computer":"a","source":"s","record_id":1,"event_id":1,"timestamp":"2026-11-25T09:28:01Z"}\n'
    server = Server([busy, answering("- earliest", "ok", "L", 0, event)])
    try:
        words = ("--port", str(server.port), "--from-start", "--count", "1", "--output", "json")
        answer = run(BIN / "win-event-tail", *words)
    finally:
        server.close()
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.encode() == event
    assert "this server serves 1 clients already; trying again" in answer.stderr
    assert server.errors == []
