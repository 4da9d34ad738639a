"""The reader of the resume source against real sockets: a scripted producer that can do everything wrong."""

from __future__ import annotations

import contextlib
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from threading import Thread

import pytest
import trustme

from flink_bridge.sources.resume_reader import MAX_UNBROKEN, GapError, LogReader, Position, ReaderSettings
from flink_bridge.sources.shipping import write_bundle
from producer.endpoint import Endpoint
from producer.protocol import ResumeAnswer, ResumeRequest

Script = Callable[[socket.socket, ResumeRequest], None]


class ScriptedProducer:
    """Runs one script a connection; remembers what was asked."""

    def __init__(self, *scripts: Script, context: ssl.SSLContext | None = None) -> None:
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port = int(self.server.getsockname()[1])
        self.asked: list[ResumeRequest] = []
        self._scripts, self._context = scripts, context
        Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with self.server:
            for script in self._scripts:
                client, _ = self.server.accept()
                # A reader that is being closed may hang up before it has asked; that is no script's turn.
                with contextlib.suppress(OSError), self._secured(client) as connection:
                    if request := connection.recv(256):
                        self.asked.append(ResumeRequest.decode(request))
                        script(connection, self.asked[-1])

    def _secured(self, client: socket.socket) -> socket.socket:
        return self._context.wrap_socket(client, server_side=True) if self._context else client


def says(data: bytes, status: str = "ok", offset: int | None = None, lost: int = 0) -> Script:
    def script(client: socket.socket, request: ResumeRequest) -> None:
        wanted = request.offset if isinstance(request.offset, int) else 0
        answer = ResumeAnswer(status, "log", wanted if offset is None else offset, lost)  # type: ignore[arg-type]
        client.sendall(answer.encode() + data)

    return script


def holds(client: socket.socket, request: ResumeRequest) -> None:
    says(b"")(client, request)
    client.recv(1)  # until the reader hangs up


def reader(producer: ScriptedProducer, start: Position | None = None, **options: object) -> LogReader:
    settings = ReaderSettings(Endpoint("127.0.0.1", producer.port), max_backoff=0.05, **options)  # type: ignore[arg-type]
    return LogReader(settings, start or Position(None, "earliest"))


def take_all(log: LogReader, size: int) -> bytes:
    taken, deadline = b"", time.monotonic() + 20
    while len(taken) < size:
        assert time.monotonic() < deadline, taken
        block = log.take(0.05)
        taken += block.lines + b"\n" if block else b""
    return taken


def test_goes_on_behind_the_last_whole_line() -> None:
    producer = ScriptedProducer(says(b"one\ntwo\nto"), says(b"torn\nthree\n"), holds)
    log = reader(producer)
    try:
        assert take_all(log, 19) == b"one\ntwo\ntorn\nthree\n"
        assert [request.offset for request in producer.asked[:2]] == ["earliest", 8]
        assert producer.asked[1].log_id == "log"
        assert log.statistics.position == Position("log", 19)
        assert log.statistics.lost_bytes == 0
    finally:
        log.close()


def test_survives_whatever_the_other_side_does_wrong() -> None:
    def nothing(client: socket.socket, _: ResumeRequest) -> None: ...

    def garbage(client: socket.socket, _: ResumeRequest) -> None:
        client.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    def endless(client: socket.socket, _: ResumeRequest) -> None:
        client.sendall(b"x" * 5000)

    def reset(client: socket.socket, request: ResumeRequest) -> None:
        says(b"whole\nto")(client, request)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")

    log = reader(ScriptedProducer(nothing, garbage, endless, says(b""), reset, says(b"after\n"), holds))
    try:
        taken, deadline = b"", time.monotonic() + 20
        while not taken.endswith(b"after\n"):
            assert time.monotonic() < deadline, taken
            taken += take_all(log, 1)
        assert taken in (b"whole\nafter\n", b"after\n")  # a reset may overtake what was sent before it
    finally:
        log.close()


def test_a_gap_is_counted_and_told(caplog: pytest.LogCaptureFixture) -> None:
    producer = ScriptedProducer(says(b"late\n", "gap", offset=500, lost=400), holds)
    log = reader(producer, Position("log", 100))
    try:
        assert take_all(log, 5) == b"late\n"
        assert (log.statistics.gaps, log.statistics.lost_bytes) == (1, 400)
        assert "GAP: asked for log 100, continues at log 500, 400 bytes are lost" in caplog.text
    finally:
        log.close()


def test_fail_on_gap_asks_strictly_and_fails() -> None:
    def refuse(client: socket.socket, _: ResumeRequest) -> None:
        client.sendall(ResumeAnswer("error", reason="offset 100 is gone").encode())

    producer = ScriptedProducer(refuse)
    log = reader(producer, Position("log", 100), fail_on_gap=True)
    try:
        with pytest.raises(GapError, match="offset 100 is gone"):
            take_all(log, 1)
        assert producer.asked[0].strict
    finally:
        log.close()


def test_nothing_answers_and_close_still_comes_at_once() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:  # accepts, says nothing
        settings = ReaderSettings(Endpoint("127.0.0.1", silent.getsockname()[1]))
        log = LogReader(settings, Position(None, "latest"))
        client, _ = silent.accept()
        with client:
            log.close()
        assert not log._thread.is_alive()
    refused = LogReader(ReaderSettings(settings.endpoint, max_backoff=60), Position(None, "latest"))
    refused.close()
    assert not refused._thread.is_alive()


def test_memory_is_bounded_and_giant_lines_come_in_pieces() -> None:
    line = b"x" * (3 * MAX_UNBROKEN)
    producer = ScriptedProducer(says(line + b"\nsmall\n"), holds)
    log = reader(producer, buffer_bytes=1 << 20)
    try:
        pieces, deadline = [], time.monotonic() + 20
        while not pieces or not pieces[-1].endswith(b"small"):
            assert time.monotonic() < deadline
            assert log._buffered < 4 << 20
            block = log.take(0.05)
            pieces += [block.lines] if block else []
        assert b"".join(pieces).replace(b"\n", b"") == line + b"small"
        assert log.statistics.position == Position("log", len(line) + 7)
    finally:
        log.close()


def test_tls(tmp_path: Path) -> None:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    log = reader(
        ScriptedProducer(says(b"secret\n"), holds, context=context),
        tls=True,
        tls_ca_file=str(tmp_path / "ca.pem"),
    )
    try:
        assert take_all(log, 7) == b"secret\n"
    finally:
        log.close()


def test_the_bundle_needs_nothing_but_python(tmp_path: Path) -> None:
    bundle = tmp_path / "bundle.zip"
    write_bundle(bundle)
    code = (
        f"import sys; sys.path.insert(0, {str(bundle)!r})\n"
        "import flink_bridge.sources.resume_reader; print(flink_bridge.sources.resume_reader.__file__)"
    )
    result = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=True
    )
    assert str(bundle) in result.stdout
