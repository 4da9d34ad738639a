"""The bridge's reader against servers of every kind, over real sockets, in a JVM without a cluster."""

from __future__ import annotations

import os
import re
import signal
import socket
import ssl
import struct
import time
from collections.abc import Callable
from pathlib import Path
from threading import Event
from typing import Any

import pytest
import trustme
from jvm_reader import ANSWER, Kind, Server, Start, answering, request, saying, until_closed
from running import wait_until

pytestmark = pytest.mark.programs


def test_a_file_that_nc_serves_arrives_whole(reader: Start, serve: Callable[..., Server]) -> None:
    """Such a server sends at once, reads nothing, and closes at the end of its file."""
    lines = b"".join(b'{"computer":"a","n":%d}\n' % number for number in range(10_000))
    got = reader(serve(saying(lines), until_closed).port)
    wait_until(lambda: len(got.take()) >= len(lines), "all lines")
    assert got.received == lines


def test_a_silent_server_is_waited_for_and_not_a_byte_of_it_is_lost(
    reader: Start, serve: Callable[..., Server]
) -> None:
    def slow(client: socket.socket) -> None:
        assert request(client) == "RESUME - earliest\n"
        time.sleep(0.5)
        client.sendall(b'{"computer":"a"}\n{"computer":"b"}\n')
        until_closed(client)

    got = reader(serve(slow).port)
    got.take_until(b'{"computer":"a"}\n{"computer":"b"}\n')
    assert got.state() == "plain"
    assert got.reconnects() == 0


def test_a_server_whose_first_line_is_waited_for_is_connected_and_warned_of(
    reader: Start, serve: Callable[..., Server], log: Callable[[], str], kind: Kind
) -> None:
    goes_on = [Event(), Event()]

    def slow(client: socket.socket) -> None:
        request(client)
        for event, piece in zip(goes_on, (b'{"computer"', b':"a"}\n'), strict=True):
            event.wait(60)
            client.sendall(piece)
        until_closed(client)

    port = serve(slow, tls=kind[0]).port
    got = reader(port, tick_ms=200, **kind[1])
    wait_until(got.connected, "it is connected")
    for event, warning in zip(
        goes_on,
        ("connected, but no line has come yet", "11 bytes have arrived without an LF; does"),
        strict=True,
    ):
        said = f"{port}: {warning}"
        wait_until(lambda said=said: said in log(), "a warning")
        time.sleep(0.5)
        assert log().count(said) == 1
        event.set()
    got.take_until(b'{"computer":"a"}\n')
    assert got.state() == "plain"


def test_an_answer_that_is_waited_for_is_no_connection(reader: Start, serve: Callable[..., Server]) -> None:
    """A server that has to answer is left after some seconds: it would seem connected every other moment."""
    heard = Event()

    def silent(client: socket.socket) -> None:
        request(client)
        heard.set()
        until_closed(client)

    got = reader(serve(silent).port, mode="resume")
    assert heard.wait(60)
    time.sleep(0.2)
    assert not got.connected()


def test_a_pause_within_a_tls_record_loses_nothing(
    reader: Start, serve: Callable[..., Server], tls_server: tuple[ssl.SSLContext, dict[str, Any]]
) -> None:
    """The watch looks at the connection again and again meanwhile."""
    context, options = tls_server

    def halting(client: socket.socket) -> None:
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = context.wrap_bio(incoming, outgoing, server_side=True)
        while True:
            try:
                tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                client.sendall(outgoing.read())
                incoming.write(client.recv(65_536))
        client.sendall(outgoing.read())
        tls.write(b'{"computer":"a"}\n')
        record = outgoing.read()
        client.sendall(record[:15])
        time.sleep(1.5)
        client.sendall(record[15:])
        until_closed(client)

    got = reader(serve(halting).port, tick_ms=300, **options)
    got.take_until(b'{"computer":"a"}\n')
    assert got.reconnects() == 0


def test_a_server_that_sends_plain_lines_is_not_asked_again(
    reader: Start, serve: Callable[..., Server]
) -> None:
    """An unread request would reset the connection when it closes, and lose what is still under way."""
    lines = b"".join(b'{"computer":"a","n":%d}\n' % number for number in range(100_000))

    def slow(client: socket.socket) -> None:
        time.sleep(0.5)
        client.sendall(lines)

    got = reader(serve(saying(b"first\n"), slow, until_closed).port)
    wait_until(lambda: len(got.take()) >= len(lines), "all lines")
    assert got.received == b"first\n" + lines


def test_a_producer_in_place_of_a_plain_server_is_asked(reader: Start, serve: Callable[..., Server]) -> None:
    def producer(client: socket.socket) -> None:
        time.sleep(0.25)
        client.sendall(b"\n")
        until_closed(client)

    server = serve(saying(b"plain\n"), producer, answering("- earliest", "ok", "L", 0, b"x\n"), until_closed)
    got = reader(server.port)
    got.take_until(b"plain\nx\n")
    assert got.position() == "L 2"
    assert server.errors == []


def test_a_client_that_was_stopped_for_a_moment_asks_again(
    reader: Start, serve: Callable[..., Server], jvm_pid: int
) -> None:
    """The producer takes it for a plain client then, and sends an LF."""

    def producer(client: socket.socket) -> None:
        time.sleep(0.03)
        os.kill(jvm_pid, signal.SIGSTOP)
        wait_until(lambda: thread_states(jvm_pid) == {"T"}, "every thread has stopped")
        client.sendall(b"\n")
        time.sleep(0.5)
        os.kill(jvm_pid, signal.SIGCONT)
        until_closed(client)

    got = reader(serve(producer, answering("- earliest", "ok", "L", 0, b"x\n"), until_closed).port)
    states = set()
    wait_until(lambda: states.add(got.state()) or got.take(), "it reads")
    assert got.received == b"x\n"
    assert "plain" not in states


def thread_states(pid: int) -> set[str]:
    try:
        stats = [file.read_text() for file in Path(f"/proc/{pid}/task").glob("*/stat")]
    except OSError:  # a thread has just ended
        return set()
    return {stat.rpartition(")")[2].split()[0] for stat in stats}


def unheard(client: socket.socket) -> None:
    """As a producer that gets the request after it has ceased to wait for it."""
    assert request(client).startswith("RESUME ")
    time.sleep(0.05)
    client.sendall(b"\n")
    until_closed(client)


@pytest.mark.parametrize("mode", ["auto", "resume"])
def test_a_request_that_arrives_late_is_sent_again(
    reader: Start, serve: Callable[..., Server], mode: str
) -> None:
    """Our clock does not tell how long it was under way."""
    server = serve(unheard, unheard, answering("- earliest", "ok", "L", 0, b"x\n"), until_closed)
    got = reader(server.port, mode=mode)
    states = set()
    wait_until(lambda: states.add(got.state()) or got.take(), "it reads")
    assert got.received == b"x\n"
    assert "plain" not in states
    assert server.errors == []


def test_a_server_that_always_begins_with_an_empty_line_is_read_in_the_end(
    reader: Start, serve: Callable[..., Server], log: Callable[[], str]
) -> None:
    def plain(client: socket.socket) -> None:
        request(client)
        client.sendall(b"\n")
        time.sleep(0.2)
        client.sendall(b"x\n")
        until_closed(client)

    server = serve(*[unheard] * 5, plain)
    got = reader(server.port)
    got.take_until(b"x\n")
    assert (got.state(), server.errors) == ("plain", [])
    assert log().count(f"{server.port}: after 5 requests, the server still begins with an empty line") == 1


def test_an_empty_line_before_the_first_line_is_part_of_a_plain_stream(
    reader: Start, serve: Callable[..., Server]
) -> None:
    got = reader(serve(saying(b"\nx\n"), until_closed).port)
    got.take_until(b"x\n")


def test_a_reset_before_the_first_lf_leaves_a_torn_line(reader: Start, serve: Callable[..., Server]) -> None:
    def resetting(client: socket.socket) -> None:
        request(client)
        client.sendall(b'{"computer":"a"')
        time.sleep(0.5)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    got = reader(serve(resetting, saying(b"x\n"), until_closed).port)
    got.take_until(b'\ntorn\n{"computer":"a"\nx\n')


def test_a_reader_that_has_no_memory_left_ends_with_a_failure(
    reader: Start, serve: Callable[..., Server]
) -> None:
    """The job would wait for ever for its blocks."""
    got = reader(serve(saying(b"x\n"), until_closed).port, max_line=2**31 - 2)
    assert "the reader has ended" in wait_until(got.failure, "it fails")


def test_a_server_that_closes_at_once_is_tried_again(reader: Start, serve: Callable[..., Server]) -> None:
    got = reader(serve(saying(b""), saying(b""), saying(b"x\n"), until_closed).port)
    got.take_until(b"x\n")
    assert got.reconnects() >= 2


@pytest.mark.parametrize(
    "line",
    [
        b'{"status":"ok","computer":"a"}',
        b'{"log_id":5,"offset":0,"status":"ok"}',
        b'{"status":"error","log_id":"a","reason":"x"}',
        b'{"status":"error","reason":"disk full","computer":"a"}',
        b'{"status":"error","reason":"disk full","code":"busy","computer":"a"}',
        b'{"status":"error","reason":"disk full","code":"disk-full"}',
        b'{"status":"error","reason":"disk full","code":"busy-disk"}',
        b'{"status":"error","reason":"disk full","code":"E42"}',
        b'{"status":"ok","log_id":"app-7","offset":12,"computer":"a"}',
        b'{"status":"ok","log_id":"app-7","offset":12,"lost_bytes":null,"computer":"a"}',
        b'{"status":"ok","log_id":"app 7","offset":12,"lost_bytes":0}',
        b'{"status":"gap","log_id":"a","offset":-1,"lost_bytes":0}',
        b"{" + b" " * 2_000 + b"}",
        b"<13>Nov 25 09:28:24 host app: text",
    ],
)
def test_a_line_that_is_no_answer_is_a_line(reader: Start, serve: Callable[..., Server], line: bytes) -> None:
    def hears_first(client: socket.socket) -> None:
        request(client)
        client.sendall(line + b"\n")
        until_closed(client)

    reader(serve(hears_first).port).take_until(line + b"\n")


def test_members_of_a_later_version_are_left_out(reader: Start, serve: Callable[..., Server]) -> None:
    def later(client: socket.socket) -> None:
        request(client)
        client.sendall(b'{"log_id":"L","offset":7,"status":"ok","lost_bytes":0,"new":[1]}\nx\n')
        until_closed(client)

    got = reader(serve(later).port)
    got.take_until(b"x\n")
    assert got.position() == "L 9"


@pytest.mark.parametrize("code", ["busy", "bad-request", "gap", "new-log"])
def test_a_refusal_is_tried_again_until_it_has_passed(
    reader: Start, serve: Callable[..., Server], code: str
) -> None:
    def refusing(client: socket.socket) -> None:
        request(client)
        client.sendall(
            b'{"status":"error","reason":"serves 64 clients already","code":"%s"}\n' % code.encode()
        )

    server = serve(refusing, refusing, answering("- earliest", "ok", "L", 0, b"x\n"), until_closed)
    reader(server.port).take_until(b"x\n")
    assert server.errors == []


def test_a_log_goes_on_behind_the_last_whole_line(reader: Start, serve: Callable[..., Server]) -> None:
    server = serve(
        answering("- earliest", "ok", "L", 100, b"one\ntwo\nthr"),
        answering("L 108", "ok", "L", 108, b"three\n\n\nfour\n"),
        answering("L 121", "ok", "L", 121, b""),
        until_closed,
    )
    got = reader(server.port)
    got.take_until(b"one\ntwo\nthree\n\n\nfour\n")
    assert wait_until(lambda: got.position() == "L 121", "the position")
    assert (got.buffered(), got.failure(), server.errors) == (0, "", [])


def test_the_position_is_known_before_the_first_event(reader: Start, serve: Callable[..., Server]) -> None:
    def quiet(client: socket.socket) -> None:
        assert request(client) == "RESUME - latest\n"
        client.sendall(ANSWER % (b"L", 777, b"ok", 0))
        until_closed(client)

    got = reader(serve(quiet).port, "- latest")
    wait_until(lambda: got.position() == "L 777", "the position")
    assert got.received == b""


@pytest.mark.parametrize(("status", "log_id"), [("gap", "L"), ("new-log", "M")])
def test_a_gap_is_counted_or_ends_it(
    reader: Start, serve: Callable[..., Server], status: str, log_id: str
) -> None:
    answer = answering("L 5", status, log_id, 50, b"x\n", lost=45)
    going_on = reader(serve(answer, until_closed).port, "L 5")
    going_on.take_until(b"x\n")
    assert (going_on.lostBytes(), going_on.failure()) == (45, "")
    failing = reader(serve(answer).port, "L 5", fail_on_gap=True)
    said = wait_until(failing.failure, "it fails")
    assert "asked for L 5, the server has" in said
    assert "45 bytes are lost" in said
    assert failing.received == b""


@pytest.mark.parametrize("offset", [0, 3, 5])
def test_a_log_that_goes_on_under_a_new_id_is_no_gap(
    reader: Start, serve: Callable[..., Server], offset: int
) -> None:
    """As a producer's does after a restart of its machine. It may have lost what was read before."""
    answer = answering("L 5", "new-log", "M", offset, b"x\n", follows=True)
    got = reader(serve(answer, until_closed).port, "L 5", fail_on_gap=True)
    got.take_until(b"x\n")
    assert got.failure() == ""
    wait_until(lambda: got.position() == f"M {offset + 2}", "the position")


@pytest.mark.parametrize(
    ("lost", "follows", "said"),
    [(0, False, "nobody knows how many bytes are lost"), (2, True, "2 bytes are lost")],
)
def test_another_log_is_a_gap(
    reader: Start, serve: Callable[..., Server], lost: int, follows: bool, said: str
) -> None:
    answer = answering("L 5", "new-log", "M", 5, b"x\n", lost=lost, follows=follows)
    got = reader(serve(answer).port, "L 5", fail_on_gap=True)
    assert said in wait_until(got.failure, "it fails")


def test_resume_insists_and_says_what_the_server_said(
    reader: Start, serve: Callable[..., Server], log: Callable[[], str]
) -> None:
    def plain(client: socket.socket) -> None:
        request(client)
        client.sendall(b"hello\n")

    server = serve(plain, answering("- earliest", "ok", "L", 0, b"x\n"), until_closed)
    reader(server.port, mode="resume").take_until(b"x\n")
    assert server.errors == []
    assert f'{server.port}: the server does not understand RESUME; it said "hello"' in log()


def test_what_follows_the_last_lf_is_torn(reader: Start, serve: Callable[..., Server]) -> None:
    got = reader(serve(saying(b'{"computer":"a"}\n{"comp'), saying(b'uter":"b"}\n'), until_closed).port)
    got.take_until(b'{"computer":"a"}\n\ntorn\n{"comp\nuter":"b"}\n')


def test_a_line_without_end_takes_no_memory(reader: Start, serve: Callable[..., Server]) -> None:
    size, piece = 192 * 2**20, b"x" * 2**20

    def endless(client: socket.socket) -> None:
        for _ in range(size // len(piece)):
            client.sendall(piece)
        client.sendall(b'\n{"computer":"a"}\n')
        until_closed(client)

    got = reader(serve(saying(b"first\n"), endless).port)
    got.take_until(b"first\n")
    before = got.heap()
    marked = b"first\n\ntoo-long\n" + b"x" * 65_536 + b'\n{"computer":"a"}\n'
    wait_until(lambda: len(got.take()) >= len(marked), "the end of the line")
    assert got.received == marked
    assert got.heap() - before < 16 * 2**20


@pytest.mark.parametrize("end", [b"\0", b"\r"])
def test_a_stream_without_lf_is_warned_of_and_counted(
    reader: Start, serve: Callable[..., Server], log: Callable[[], str], end: bytes
) -> None:
    """Its sender ends each event with NUL, or with CR, so that the whole stream is one line."""
    event = b'{"computer":"a"}' + end
    stream = event * (3 * 2**20 // len(event))
    server = serve(saying(b"first\n" + stream), saying(b""), until_closed)
    got = reader(server.port)
    got.take_until(b"first\n\ntoo-long\n" + stream[:65_536] + b"\n")
    wait_until(lambda: got.reconnects() > 0, "the end of the connection")
    assert got.skippedBytes() == len(stream) - 65_536
    warnings = re.findall(rf"{server.port}: (\d+) bytes of lines that are too long were skipped", log())
    assert len(warnings) == 2
    assert int(warnings[0]) * 10 <= int(warnings[1])


def test_skipped_bytes_of_a_line_with_an_end(reader: Start, serve: Callable[..., Server]) -> None:
    server = serve(answering("- earliest", "ok", "L", 0, b"x" * 300_000 + b"\ny\n"), until_closed)
    got = reader(server.port)
    got.take_until(b"\ntoo-long\n" + b"x" * 65_536 + b"\ny\n")
    assert got.skippedBytes() == 300_000 - 65_536


def test_the_kernel_asks_after_a_silent_peer(reader: Start, serve: Callable[..., Server], kind: Kind) -> None:
    def staying(client: socket.socket) -> None:
        answering("- earliest", "ok", "L", 0, b"x\n")(client)
        until_closed(client)

    server = serve(staying, tls=kind[0])
    reader(server.port, **kind[1]).take_until(b"x\n")
    timer = wait_until(lambda: keepalive(server.port), "keepalive")
    assert timer <= 15


def keepalive(port: int) -> float:
    """The seconds until the kernel asks the peer at this port whether it is still there; 0: it never does."""
    for file in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{file}").read_text().splitlines()[1:]:
            _, _, peer, state, _, timer, *_ = line.split()
            if peer.endswith(f":{port:04X}") and state == "01" and timer.startswith("02:"):
                return int(timer[3:], 16) / os.sysconf("SC_CLK_TCK")
    return 0


def test_tls_with_a_client_certificate(reader: Start, serve: Callable[..., Server], tmp_path: Path) -> None:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    authority.configure_trust(context)
    context.verify_mode = ssl.CERT_REQUIRED
    own = authority.issue_cert("bridge.example")
    files = {name: str(tmp_path / name) for name in ("ca", "cert", "key")}
    authority.cert_pem.write_to_path(files["ca"])
    own.cert_chain_pems[0].write_to_path(files["cert"])
    pkcs8 = ssl_pkcs8(own.private_key_pem.bytes())
    Path(files["key"]).write_bytes(pkcs8)
    server = serve(answering("- earliest", "ok", "L", 0, b"x\n"), until_closed, tls=context)
    options = {
        "tls": True,
        "tls_ca_file": files["ca"],
        "tls_cert_file": files["cert"],
        "tls_key_file": files["key"],
    }
    reader(server.port, host="localhost", **options).take_until(b"x\n")
    assert server.errors == []

    refusing = serve(*[until_closed] * 3, tls=context)
    without = reader(
        refusing.port, host="localhost", **(options | {"tls_cert_file": None, "tls_key_file": None})
    )
    wait_until(lambda: refusing.errors, "a client without certificate is refused")
    assert without.take() == b""


def ssl_pkcs8(pem: bytes) -> bytes:
    from cryptography.hazmat.primitives.serialization import (
        Encoding,
        NoEncryption,
        PrivateFormat,
        load_pem_private_key,
    )

    return load_pem_private_key(pem, None).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
