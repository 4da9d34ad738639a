"""Refused clients and the limits: foreign pages, no token, too large, too slow, too many."""

from __future__ import annotations

import gzip
import ssl
import time
from contextlib import ExitStack
from pathlib import Path
from select import select

import pytest
import trustme
from http_client import NDJSON, Http, read_to_the_end
from running import wait_until

from producer.protocol import ResumeRequest

EVENT = b'{"computer":"A"}'
POST = b"POST /events HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
TOKEN = "s3cret-ü"


@pytest.fixture(scope="module")
def bounded(start_producer_for_module):
    server = start_producer_for_module(
        "--rate", "1", "--http-port", "0", "--http-max-body", "20000", "--http-max-stream", "200000",
        "--http-max-header", "2000", "--http-timeout", "2", "--http-max-connections", "20",
        "--http-max-requests", "3",
    )  # fmt: skip
    server.http = Http(server)
    return server.http


@pytest.fixture(scope="module")
def locked(start_producer_for_module, tmp_path_factory: pytest.TempPathFactory):
    file = tmp_path_factory.mktemp("token") / "token"
    file.write_text(TOKEN + "\n", "utf-8")
    server = start_producer_for_module(
        "--rate", "1", "--http-port", "0", "--http-allow-host", "Producer.example",
        env={"WIN_EVENT_HTTP_TOKEN_FILE": str(file)},
    )  # fmt: skip
    return Http(server)


CHANGES = [
    ("POST", "/events", EVENT), ("POST", "/logs", EVENT), ("POST", "/start", None), ("POST", "/stop", None),
    ("PUT", "/rate", b'{"rate":1}'), ("POST", "/scenarios/log-cleared", None),
]  # fmt: skip


@pytest.mark.parametrize(("method", "path", "body"), CHANGES)
def test_whatever_changes_something_needs_the_token(locked: Http, method: str, path: str, body) -> None:
    for given in ("", "Bearer wrong", f"Basic {TOKEN}", "Bearer"):
        answer = locked.ask(method, path, body, **({"Authorization": given.encode()} if given else {}))
        assert (answer.status, answer.headers["WWW-Authenticate"]) == (401, "Bearer")
        assert "WIN_EVENT_HTTP_TOKEN" in answer.json["detail"]
    assert locked.ask(method, path, body, Authorization=f"bearer {TOKEN}".encode()).status in (200, 202)


def test_looking_needs_no_token(locked: Http) -> None:
    assert {locked.get(path).status for path in ("/healthz", "/readyz", "/metrics", "/status", "/docs")} == {
        200
    }


def test_off_loopback_nothing_changes_without_a_token(start_producer) -> None:
    server = start_producer("--rate", "1", "--http-port", "0", "--http-host", "0.0.0.0")
    assert server.says("WIN_EVENT_HTTP_TOKEN")
    http = Http(server)
    answer = http.post(EVENT)
    assert answer.status == 403
    assert "WIN_EVENT_HTTP_TOKEN" in answer.json["detail"]
    assert http.get("/readyz").status == 200
    assert http.metric('win_event_http_refused_total{reason="token"}') == 1


@pytest.mark.parametrize(
    ("headers", "words"),
    [
        ({"Host": "evil.example"}, "--http-allow-host"),
        ({"Host": "localhost.evil.example:9998"}, "--http-allow-host"),
        ({"Host": ""}, "--http-allow-host"),
        ({"Host": "[::1"}, "--http-allow-host"),
        ({"Origin": "http://evil.example"}, "evil.example"),
        ({"Origin": "null"}, "null"),
        ({"Sec_Fetch_Site": "cross-site"}, "another site"),
        ({"Sec_Fetch_Site": "same-site"}, "another site"),
    ],
)
def test_no_foreign_page_and_no_foreign_name(locked: Http, headers: dict[str, str], words: str) -> None:
    answer = locked.post(EVENT, Authorization=f"Bearer {TOKEN}".encode(), **headers)
    assert answer.status == 403
    assert words in answer.json["detail"]


def test_own_names_and_the_own_page_are_let_in(locked: Http) -> None:
    for host in ("localhost:1", "[::1]:9", "10.1.2.3", "producer.example:9998", "PRODUCER.EXAMPLE."):
        assert locked.ask("GET", "/status", Host=host).status == 200
    own = {"Host": "localhost:7", "Origin": "http://localhost:7", "Sec_Fetch_Site": "same-origin"}
    assert locked.post(EVENT, Authorization=f"Bearer {TOKEN}".encode(), **own).status == 200
    assert locked.ask("GET", "/healthz", Host="whatever.example").status == 200  # a probe names what it likes


def test_bodies_have_a_limit_also_unpacked_and_also_without_a_length(bounded: Http) -> None:
    lines = b'{"pad":"%s"}\n' % (b"x" * 900) * 30  # 27 KB: more than a body, less than a stream
    for path, body, kind, headers in (
        ("/events", b"[" + b",".join(lines.split(b"\n")[:-1]) + b"]", "application/json", {}),
        ("/events?atomic=true", lines, NDJSON, {}),
        ("/events?atomic=true", iter([lines]), NDJSON, {}),
        (
            "/events",
            gzip.compress(b'{"pad":"%s"}' % (b"x" * 50_000)),
            "application/json",
            {"Content_Encoding": "gzip"},
        ),
        ("/events", lines * 10, NDJSON, {}),
        ("/events", iter([lines] * 10), NDJSON, {}),
    ):
        answer = bounded.post(body, kind, path, **headers)
        assert (answer.status, answer.kind) == (413, "application/problem+json")
        assert "more than" in answer.json["detail"]
    assert bounded.post(lines, NDJSON).json["accepted"] == 30
    assert bounded.post(EVENT, Content_Encoding="br").status == 415


def test_what_a_stream_brought_before_its_limit_stays_and_is_told(bounded: Http) -> None:
    line = b'{"pad":"%s"}\n' % (b"x" * 900)
    answer = bounded.post(iter([line * 20] * 20), NDJSON)
    assert answer.status == 413
    assert 0 < answer.json["accepted"] <= 220
    assert answer.json["end_offset"] - answer.json["offset"] >= answer.json["accepted"] * len(line)


def test_a_head_has_a_limit_whole_or_in_pieces(bounded: Http) -> None:
    assert bounded.ask("GET", "/status", X_Long="y" * 3000).status == 431
    for content in (b"GET /status HTTP/1.1\r\nX: " + b"y" * 3000, b"GET /" + b"z" * 5000):
        with bounded.raw() as raw:
            raw.sendall(content)
            answer = read_to_the_end(raw)
            assert answer.startswith(b"HTTP/1.1 431"), answer
            assert b"application/problem+json" in answer
    with bounded.raw() as raw:
        raw.sendall(b"GET /status HTTP/1.1\r\n")
        for number in range(400):  # also behind the answer
            raw.sendall(b"X-%d: %s\r\n" % (number, b"y" * 50))
        assert read_to_the_end(raw).startswith(b"HTTP/1.1 431")


@pytest.mark.parametrize(
    "beginning", [b"", b"\r\n", b"GET /status HTT", POST + b"Content-Length: 99\r\n\r\n{",
                  POST + b"Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n"]
)  # fmt: skip
def test_whoever_trickles_is_hung_up_on(bounded: Http, beginning: bytes) -> None:
    begin = time.monotonic()
    with bounded.raw() as raw:
        raw.sendall(beginning)
        raw.settimeout(0.3)
        answer = b""
        while time.monotonic() < begin + 60:
            try:
                piece = raw.recv(65536)
            except TimeoutError:
                if beginning.startswith(POST):
                    raw.sendall(b"1\r\n \r\n" if b"chunked" in beginning else b" ")
                continue
            except ConnectionError:
                break
            if not piece:
                break
            answer += piece
        assert time.monotonic() < begin + 60
        assert answer.startswith(b"HTTP/1.1 408"), answer


def test_requests_have_a_limit_but_probes_are_answered(bounded: Http) -> None:
    def refused():
        """Slow connections are closed after two seconds, which a busy machine may need to reach this line."""
        with ExitStack() as opened:
            for _ in range(3):
                opened.enter_context(bounded.raw()).sendall(POST + b"Content-Length: 99\r\n\r\n")
            answer = bounded.get("/status")
            assert bounded.get("/readyz").status == 200
            return answer if answer.status == 503 else None

    assert wait_until(refused, "a refusal").headers["Retry-After"] == "2"
    wait_until(lambda: bounded.get("/status").status == 200, "an answer")
    assert bounded.metric('win_event_http_refused_total{reason="too many requests"}') >= 1


@pytest.mark.parametrize("form", ["packed lines", "array"])
def test_while_a_large_body_is_read_others_are_answered(start_producer, form: str) -> None:
    if form == "array":
        kind, body = b"application/json", b"[" + b"{}," * 2_000_000 + b"{}]"
    else:
        kind, body = NDJSON.encode() + b"\r\nContent-Encoding: gzip", gzip.compress(b"\n" * 60_000_000, 5)
    http = Http(start_producer("--rate", "1", "--http-port", "0"))
    with http.raw() as raw:
        raw.sendall(POST.rpartition(b"Content-Type")[0] + b"Content-Type: " + kind)
        raw.sendall(b"\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        for path in ("/healthz", "/readyz", "/status"):
            assert http.get(path).status == 200
        assert not select([raw], [], [], 0)[0], "the body was read before anybody else was answered"


def test_what_a_slow_stream_brought_stays_and_is_told(bounded: Http) -> None:
    with bounded.raw() as raw:
        raw.sendall(POST.replace(b"json", b"x-ndjson") + b"Transfer-Encoding: chunked\r\n\r\n")
        raw.sendall(b'8\r\n{"a":1}\n\r\n' * 3)
        answer = read_to_the_end(raw)
    assert answer.startswith(b"HTTP/1.1 408"), answer
    assert b'"accepted":3' in answer
    assert bounded.metric('win_event_http_refused_total{reason="too slow"}') >= 1


def test_connections_over_the_limit_are_told_and_closed(bounded: Http) -> None:
    def refused() -> bool:
        with ExitStack() as opened:
            *_, last = [opened.enter_context(bounded.raw()) for _ in range(21)]
            last.sendall(b"GET /status HTTP/1.1\r\nHost: localhost\r\n\r\n")
            answer = read_to_the_end(last)
        assert answer.startswith((b"HTTP/1.1 503", b"HTTP/1.1 200")), answer
        return answer.startswith(b"HTTP/1.1 503")

    wait_until(refused, "a refusal")
    wait_until(lambda: bounded.get("/status").status == 200, "room")
    assert bounded.metric('win_event_http_refused_total{reason="too many connections"}') >= 1


def test_many_requests_on_one_connection_also_pipelined(bounded: Http) -> None:
    request = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with bounded.raw() as raw:
        raw.sendall(request * 5)
        received = b""
        while received.count(b"ok\n") < 5:
            received += raw.recv(65536)
        raw.sendall(request)
        assert raw.recv(65536).startswith(b"HTTP/1.1 200")


def test_a_client_that_holds_the_log_back_makes_intake_say_429(start_producer) -> None:
    server = start_producer(
        "--rate", "1", "--http-port", "0", "--slow-client", "block", "--retain-bytes", "100000"
    )
    http = Http(server)
    slow = server.connect(ResumeRequest(None, "latest"))
    assert slow.answer().status == "ok"
    body = b"\n".join([b'{"pad":"%s"}' % (b"x" * 1000)] * 1000)

    def post():
        answer = http.post(body, NDJSON)
        return answer if answer.status != 200 else None

    answer = wait_until(post, "a full log")
    assert (answer.status, answer.headers["Retry-After"]) == (429, "2")
    assert "slow client" in answer.json["detail"]
    assert http.metric('win_event_http_refused_total{reason="log full"}') >= 1
    slow.close()
    wait_until(lambda: http.post(EVENT).status == 200, "room")


def test_tls_is_that_of_the_producer_and_needs_no_certificate_of_the_client(
    start_producer, tmp_path: Path
) -> None:
    authority = trustme.CA()
    own = authority.issue_cert("localhost")
    certificate, key, ca = tmp_path / "cert.pem", tmp_path / "key.pem", tmp_path / "ca.pem"
    own.cert_chain_pems[0].write_to_path(certificate)
    own.private_key_pem.write_to_path(key)
    authority.cert_pem.write_to_path(ca)
    options = ("--tls-cert", str(certificate), "--tls-key", str(key), "--tls-client-ca", str(ca))
    http = Http(
        start_producer("--rate", "1", "--http-port", "0", *options),
        ssl.create_default_context(cafile=str(ca)),
    )
    assert http.post(EVENT).json["accepted"] == 1
    with http.raw() as raw:
        raw.sendall(POST + b"\r\n")
        assert b"200" not in raw.recv(1000)
