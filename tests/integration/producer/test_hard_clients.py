"""Clients that stall, lie, flood or disappear: the server continues to serve the others."""

import contextlib
import resource
import socket
import ssl
import struct

import pytest
import trustme
from http_client import NDJSON, Http
from running import wait_until

from producer.protocol import ProtocolError, ResumeAnswer, ResumeRequest


def still_serves(server) -> None:
    connection = server.connect(ResumeRequest(None, "earliest"))
    assert connection.answer().status in ("ok", "gap")
    assert connection.read_exactly(1) == b"{"
    connection.close()


@pytest.mark.parametrize(
    "request_",
    [b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"\x00\xff\xfe\n", b"RESUME x\n", b"RESUME - -5\n", b"\n"],
)
def test_what_is_no_request_gets_an_error_and_the_end(start_producer, request_: bytes) -> None:
    server = start_producer("--count", "1")
    connection = server.connect(request_)
    assert connection.answer().status == "error"
    assert connection.read_all() == b""
    still_serves(server)


def test_ten_megabytes_of_garbage_get_an_error_answer(start_producer) -> None:
    server = start_producer("--count", "1")
    connection = server.connect()
    received = b""
    with contextlib.suppress(ConnectionError):  # the server may hang up on it
        connection.socket.sendall(b"A" * 10_000_000)
        received = connection.read_all()
    if received:
        assert ResumeAnswer.decode(received).status == "error"
    still_serves(server)


def test_a_request_that_trickles_in_is_cut_off(start_producer) -> None:
    server = start_producer("--count", "1")
    slow = [server.connect(b"R") for _ in range(20)]
    still_serves(server)
    for connection in slow:
        answer = connection.answer()
        assert answer.status == "error"
        assert "in time" in answer.reason


def test_clients_over_the_limit_are_told_or_ended_and_the_others_are_served(start_producer) -> None:
    server = start_producer("--max-clients", "5", "--rate", "200")
    good = [server.connect(ResumeRequest(None, "latest")) for _ in range(5)]
    assert [connection.answer().status for connection in good] == ["ok"] * 5
    for _ in range(10):
        answer = server.connect(ResumeRequest(None, "latest")).answer()
        assert answer.status == "error"
        assert "5 clients" in answer.reason
    assert server.connect().read_all() == b""
    for connection in good:
        assert connection.read_exactly(5000)
    good[0].close()
    wait_until(lambda: server.connect(ResumeRequest(None, "earliest")).answer().status == "ok", "a place")


def test_resets_leave_the_server_serving(start_producer) -> None:
    server = start_producer("--rate", "500")
    for number in range(150):
        connection = server.connect(b"" if number % 2 else ResumeRequest(None, "earliest"))
        if number % 3 == 0:
            connection.socket.recv(100)
        connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()
    still_serves(server)
    assert server.process.poll() is None


def test_running_out_of_file_descriptors_is_survived(start_producer) -> None:
    limit = 40
    server = start_producer(
        "--rate", "200", preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    )
    crowd = [server.connect() for _ in range(60)]
    assert server.says("ulimit")
    for connection in crowd:
        connection.close()
    wait_until(lambda: answers(server), "an answer")


def answers(server) -> bool:
    connection = server.connect(ResumeRequest(None, "earliest"))
    connection.socket.settimeout(10)  # then another client asks
    try:
        return connection.answer().status == "ok"
    except (OSError, AssertionError, ProtocolError):
        return False
    finally:
        connection.close()


def stall(server, request: ResumeRequest | bytes = b""):
    """A client that reads its first bytes and then nothing."""
    connection = server.connect(request)
    connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 256 * 1024)
    connection.read_exactly(1)
    return connection


def test_a_stalled_client_is_disconnected_and_the_good_ones_are_not(start_producer) -> None:
    """The log grows only after the good clients have read it, as a busy machine may make them slow, too."""
    server = start_producer(
        "--rate", "max", "--count", "1", "--wait-for-clients", "4", "--retain-bytes", "4000000",
        "--heartbeat", "600", "--http-port", "0",
    )  # fmt: skip
    http, stalled = Http(server), stall(server)
    received = {server.connect(): b"" for _ in range(3)}
    assert server.says("made all")
    for number in range(40):
        answer = http.post(b'{"n":%d,"pad":"%s"}\n' % (number, b"x" * 1000) * 1000, NDJSON)
        for connection in received:
            missing = 1 + answer.json["end_offset"] - len(received[connection])  # an LF comes first
            received[connection] += connection.read_exactly(missing)
        if any("too slow" in line for line in server.stderr):
            break
    assert server.says("too slow")
    assert len(set(received.values())) == 1
    assert stalled.socket.recv(1)


def test_a_resuming_client_that_comes_back_too_late_hears_of_the_gap(start_producer) -> None:
    server = start_producer("--rate", "max", "--count", "3000", "--retain-bytes", "1000000")
    assert server.says("made all")
    answer = server.connect(ResumeRequest(server.log_id, 5)).answer()
    assert answer.status == "gap"
    assert answer.lost_bytes == answer.offset - 5 > 1_000_000
    strict = server.connect(ResumeRequest(server.log_id, 5, strict=True))
    assert strict.answer().status == "error"
    assert strict.read_all() == b""


def test_skip_lets_a_slow_plain_client_continue_with_whole_lines(start_producer) -> None:
    options = ("--rate", "20000", "--count", "30000", "--retain-bytes", "1000000", "--slow-client", "skip")
    server = start_producer(*options, "--wait-for-clients", "1", "--exit-when-done")
    connection = stall(server)
    assert server.says("made all")
    lines = connection.read_all().splitlines(keepends=True)
    assert server.says("skipped")
    assert all(line.startswith(b"{") and line.endswith(b"}\n") for line in lines)
    assert len(lines) < 30_000


def test_block_makes_generation_wait_and_loses_nothing(start_producer) -> None:
    options = ("--rate", "max", "--count", "20000", "--retain-bytes", "1000000", "--slow-client", "block")
    server = start_producer(*options, "--wait-for-clients", "1", "--exit-when-done", "--http-port", "0")
    http, connection, made = Http(server), stall(server), [0]

    def waits() -> bool:
        status = http.get("/status").json
        made.append(status["events"])
        return made[-1] == made[-2] and status["clients"][0]["lag"] > 900_000

    wait_until(waits, "generation waits for the client", told=lambda: made)
    assert made[-1] < 20_000
    assert connection.read_all().count(b"\n") == 20_000
    assert server.wait() == 0


def test_plain_resume_leaves_no_hole_between_two_connections(start_producer) -> None:
    """16 MB is more than the socket buffers of both sides hold."""
    server = start_producer("--rate", "3000", "--plain-resume", "16000000")
    whole = server.connect(ResumeRequest(None, "earliest"))
    assert whole.answer().offset == 0
    first = server.connect()
    seen = first.read_exactly(500_000)[1:]
    first.close()
    second = server.connect()
    assert second.read_exactly(1) == b"\n"
    again = second.read_exactly(100_000)
    content = whole.read_exactly(200_000)
    while seen not in content or again not in content:
        content += whole.read_exactly(200_000)
    assert content.find(again) <= content.find(seen) + len(seen)
    assert content[: content.find(again)].endswith(b"\n") or content.startswith(again)


def test_ipv6(start_producer) -> None:
    server = start_producer("--host", "::1", "--count", "1")
    connection = server.connect(ResumeRequest(None, "earliest"), host="::1")
    assert connection.answer().status == "ok"


def test_the_ipv6_wildcard_takes_both_families(start_producer) -> None:
    server = start_producer("--host", "::", "--count", "1")
    for host in ("127.0.0.1", "::1"):
        assert server.connect(ResumeRequest(None, "earliest"), host=host).answer().status == "ok"


@pytest.fixture
def authority(tmp_path) -> trustme.CA:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    certificate = authority.issue_cert("localhost", "127.0.0.1")
    certificate.private_key_pem.write_to_path(tmp_path / "key.pem")
    for blob in certificate.cert_chain_pems:
        blob.write_to_path(tmp_path / "cert.pem", append=True)
    return authority


def first_byte_over_tls(server, context: ssl.SSLContext) -> bytes:
    """The bytes of the server; none if it closes the connection, during the handshake or after it."""
    with socket.create_connection(("127.0.0.1", server.port)) as bare:
        try:
            with context.wrap_socket(bare) as client:
                return client.recv(1)
        except OSError:
            return b""


def test_tls_streams_to_clients_with_the_right_certificate_only(start_producer, tmp_path, authority) -> None:
    options = ("--tls-cert", f"{tmp_path}/cert.pem", "--tls-key", f"{tmp_path}/key.pem")
    server = start_producer(
        *options, "--tls-client-ca", f"{tmp_path}/ca.pem", "--rate", "max", "--count", "2000",
        "--wait-for-clients", "1", "--exit-when-done",
    )  # fmt: skip
    context = ssl.create_default_context(cafile=f"{tmp_path}/ca.pem")
    context.check_hostname = False
    assert first_byte_over_tls(server, context) == b""
    plain_text = server.connect(b"RESUME - earliest\n")
    with contextlib.suppress(ConnectionError):
        assert b"{" not in plain_text.read_all()
    authority.issue_cert("bridge").configure_cert(context)
    with socket.create_connection(("127.0.0.1", server.port)) as bare, context.wrap_socket(bare) as client:
        received = b""
        while piece := client.recv(1 << 16):
            received += piece
    assert len(received.splitlines()) == 2001
    assert server.wait() == 0
