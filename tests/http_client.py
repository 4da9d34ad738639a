"""Sends requests to a producer: by an HTTP client, or as raw bytes that no client would send."""

from __future__ import annotations

import http.client
import json
import re
import socket
import ssl
from typing import Any, NamedTuple

NDJSON, JSON = "application/x-ndjson", "application/json"


class Answer(NamedTuple):
    status: int
    kind: str
    text: str
    headers: http.client.HTTPMessage

    @property
    def json(self) -> Any:
        return json.loads(self.text)


class Http:
    """`port` of the HTTP side of a producer that was started with --http-port 0."""

    def __init__(self, producer: Any, tls: ssl.SSLContext | None = None) -> None:
        assert producer.says("metrics on http")
        found = re.search(r"metrics on https?://\S+?:(\d+)$", "\n".join(producer.stderr), re.MULTILINE)
        assert found
        self.port, self._tls = int(found[1]), tls

    def ask(self, method: str, path: str, body: Any = None, kind: str = JSON, **headers: str) -> Answer:
        """`body`: bytes, or an iterable of bytes, sent in chunks. Underscores in names of headers are -."""
        connection = (
            http.client.HTTPSConnection("localhost", self.port, timeout=60, context=self._tls)
            if self._tls
            else http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        )
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        if body is not None:
            named.setdefault("Content-Type", kind)
        try:
            connection.request(method, path, body, named, encode_chunked=not isinstance(body, bytes))
            answer = connection.getresponse()
            return Answer(
                answer.status, answer.headers.get_content_type(), answer.read().decode(), answer.headers
            )
        finally:
            connection.close()

    def get(self, path: str) -> Answer:
        return self.ask("GET", path)

    def post(self, body: Any, kind: str = JSON, path: str = "/events", **headers: str) -> Answer:
        return self.ask("POST", path, body, kind, **headers)

    def metric(self, sample: str) -> float:
        """The value of one line of /metrics; `sample`: the text before the value."""
        for line in self.get("/metrics").text.splitlines():
            if line.startswith(f"{sample} "):
                return float(line.rpartition(" ")[2])
        raise AssertionError(f"there is no {sample}")

    def raw(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=60)


def read_to_the_end(raw: socket.socket) -> bytes:
    received = b""
    while piece := raw.recv(65536):
        received += piece
    return received
