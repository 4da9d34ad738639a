"""The bridge's LogReader in a plain JVM, and servers that send exactly the bytes that a test gives."""

from __future__ import annotations

import json
import socket
import ssl
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import trustme
from running import wait_until

CLASSES = ("LogPosition", "LineCutter", "ServerAnswer", "TlsFromPem", "WatchedStream", "LogReader")
Script = Callable[[socket.socket], None]
Start = Callable[..., "Reader"]
Kind = tuple[ssl.SSLContext | None, dict[str, Any]]
ANSWER = b'{"log_id":"%s","offset":%d,"status":"%s","lost_bytes":%d}\n'


class Reader:
    """`received`: the blocks that it has returned, each with an LF after it."""

    def __init__(self, driver: Any) -> None:
        self._driver, self.received = driver, b""

    def start(
        self, port: int, position: str = "- earliest", host: str = "127.0.0.1", **options: Any
    ) -> Reader:
        told = {"host": host, "port": port, "mode": "auto", "fail_on_gap": False, "max_line": 65_536}
        told |= {"tls": False, "tls_ca_file": None, "tls_cert_file": None, "tls_key_file": None}
        self._driver.start(json.dumps(told | options), position)
        return self

    def take(self) -> bytes:
        self.received += bytes(self._driver.taken())
        return self.received

    def take_until(self, expected: bytes, seconds: float = 60.0) -> None:
        wait_until(lambda: len(self.take()) >= len(expected), f"{expected!r}, not {self.received!r}", seconds)
        assert self.received == expected

    def position(self) -> str:
        self.take()
        return str(self._driver.position())

    def failure(self) -> str:
        self.take()
        return str(self._driver.failure())

    def state(self) -> str:
        return str(self._driver.state())

    def __getattr__(self, name: str) -> Any:
        return getattr(self._driver, name)


@pytest.fixture
def reader(compile_java: Any) -> Iterator[Callable[..., Reader]]:
    """`reader(port, …)` starts a reader, which ends after the test."""
    started: list[Reader] = []
    driver = compile_java(*CLASSES, Path(__file__).parent / "ReaderDriver")

    def start(port: int, *words: str, **options: Any) -> Reader:
        started.append(Reader(driver.newInstance()).start(port, *words, **options))
        return started[-1]

    yield start
    for each in started:
        each.close()


class Server:
    """Runs the next script for each connection; `errors` has the exceptions of the scripts."""

    def __init__(self, scripts: Sequence[Script], tls: ssl.SSLContext | None = None) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._tls = tls
        self.port = int(self._listener.getsockname()[1])
        self.errors: list[str] = []
        self._thread = Thread(target=self._serve, args=(list(scripts),), daemon=True)
        self._thread.start()

    def _serve(self, scripts: list[Script]) -> None:
        for script in scripts:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            try:
                with (
                    self._tls.wrap_socket(connection, server_side=True) if self._tls else connection as client
                ):
                    script(client)
            except (AssertionError, OSError) as error:
                self.errors.append(str(error))

    def close(self) -> None:
        self._listener.close()


def request(client: socket.socket) -> str:
    """The line that the client sends."""
    return client.makefile("rb").readline().decode()


def answering(
    expected: str, status: str, log_id: str, offset: int, lines: bytes, lost: int = 0, follows: bool = False
) -> Script:
    """Answers RESUME, which has to ask for `expected`, sends the bytes and closes."""

    def script(client: socket.socket) -> None:
        asked = request(client)
        assert asked == f"RESUME {expected}\n", asked
        answer = ANSWER % (log_id.encode(), offset, status.encode(), lost)
        client.sendall(answer.replace(b"}", b',"follows":true}') + lines if follows else answer + lines)

    return script


def saying(words: bytes) -> Script:
    return lambda client: client.sendall(words)


def until_closed(client: socket.socket) -> None:
    """Keep the connection until the other side ends it."""
    while client.recv(4096):
        pass


@pytest.fixture
def jvm_pid(gateway: Any) -> int:
    return int(gateway.jvm.java.lang.ProcessHandle.current().pid())


@pytest.fixture
def log(gateway: Any) -> Callable[[], str]:
    """The text of the JVM's log."""
    file = Path(gateway.jvm.System.getProperty("log.file"))
    return lambda: file.read_text(encoding="utf-8")


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    started: list[Server] = []

    def start(*scripts: Script, tls: ssl.SSLContext | None = None) -> Server:
        started.append(Server(scripts, tls))
        return started[-1]

    yield start
    for server in started:
        server.close()


@pytest.fixture
def tls_server(tmp_path: Path) -> tuple[ssl.SSLContext, dict[str, Any]]:
    """The context of a server that needs no login, and the reader's options for it."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    file = str(tmp_path / "authority")
    authority.cert_pem.write_to_path(file)
    return context, {"tls": True, "tls_ca_file": file, "host": "localhost"}


@pytest.fixture(params=["TCP", "TLS"])
def kind(request: pytest.FixtureRequest, tls_server: tuple[ssl.SSLContext, dict[str, Any]]) -> Kind:
    """The same as tls_server, with and without TLS."""
    return tls_server if request.param == "TLS" else (None, {})
