"""A proxy of the environment never sees a request to this machine."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.request import Request

import pytest

from toolkit.http import open_url


@contextmanager
def server(answer: bytes) -> Iterator[int]:
    class Answering(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *arguments: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Answering) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield running.server_port
        running.shutdown()
        thread.join()


def test_a_server_of_this_machine_is_asked_directly(monkeypatch: pytest.MonkeyPatch) -> None:
    with server(b"the server") as port, server(b"the proxy") as proxy:
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{proxy}")
        monkeypatch.delenv("no_proxy", raising=False)
        monkeypatch.setattr("urllib.request._opener", None)  # it keeps the proxies of its first request
        url = f"http://127.0.0.1:{port}/status"
        for request in (
            url,
            Request(url, headers={"Authorization": "Bearer s"}),
            url.replace("127.0.0.1", "localhost"),
        ):
            assert open_url(request, 60).read() == b"the server"
        assert open_url("http://producer.example/status", 60).read() == b"the proxy"
