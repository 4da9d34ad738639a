import json
import re
import socket
import urllib.error
import urllib.request

import pytest

from producer.protocol import ResumeRequest


@pytest.fixture
def server(start_producer):
    server = start_producer("--rate", "500", "--count", "400", "--http-port", "0")
    assert server.says("made all")
    text = "\n".join(server.stderr)
    server.url = re.search(r"(http://127\.0\.0\.1:\d+)", text)[1]
    return server


def get(server, path: str) -> tuple[int, str]:
    with urllib.request.urlopen(server.url + path, timeout=20) as answer:
        return answer.status, answer.read().decode()


def post(server, body: bytes) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(server.url + "/events", body, timeout=20) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def test_health_and_metrics(server) -> None:
    assert get(server, "/healthz") == (200, "ok\n")
    assert get(server, "/readyz") == (200, "ready\n")
    reader = server.connect(ResumeRequest(None, "earliest"))
    start = reader.answer().offset
    server.connect(b"nonsense\n").read_all()
    _, page = get(server, "/metrics")
    events = re.findall(r'win_event_events_total{level="\w+",source="(\w+)"} (\d+)', page)
    assert sum(int(count) for _, count in events) == 400
    end = float(re.search(r"^win_event_log_end_offset (\S+)", page, re.MULTILINE)[1])
    assert end > start
    assert "win_event_rate_asked 500.0" in page
    assert 'win_event_disconnects_total{reason="bad request"} 1.0' in page
    assert re.search(r'win_event_client_lag_events{client="127\.0\.0\.1:\d+"}', page)


def test_own_events_are_streamed_as_they_were_posted(server) -> None:
    reader = server.connect(ResumeRequest(None, "latest"))
    assert reader.answer().status == "ok"
    body = b'{"computer":"X-1","n":1}\n\n{"computer":"X-2", "n": 2}\r\n'
    assert post(server, body) == (200, '{"accepted":2}\n')
    assert reader.read_exactly(52) == b'{"computer":"X-1","n":1}\n{"computer":"X-2", "n": 2}\n'
    assert post(server, '{"name":"Zoë"}'.encode()) == (200, '{"accepted":1}\n')
    assert reader.read_exactly(20) == b'{"name":"Zo\\u00eb"}\n'


@pytest.mark.parametrize(
    ("body", "code", "words"),
    [
        (b'{"a":1}\nnonsense\n', 400, "line 2: not JSON"),
        (b'{"a":1}\n\n[1]\n', 400, "line 3: expected a JSON object, found list"),
        (b"\n", 400, "no event"),
        (b'{"a":"' + b"x" * 70_000 + b'"}', 413, "line 1: 70008 bytes"),
        (b"[" * 100_000, 400, "line 1: not JSON"),
    ],
)
def test_a_bad_line_is_named_and_nothing_is_taken(server, body: bytes, code: int, words: str) -> None:
    status, text = post(server, body)
    assert status == code
    assert words in text
    reader = server.connect(ResumeRequest(None, "latest"))
    end = reader.answer().offset
    assert post(server, b'{"a":1}') == (200, '{"accepted":1}\n')
    again = server.connect(ResumeRequest(server.log_id, end))
    assert again.answer().offset == end
    assert json.loads(again.read_exactly(8)) == {"a": 1}


def test_too_much_at_once_is_refused_before_it_is_read(server) -> None:
    port = int(server.url.rsplit(":", 1)[1])
    with socket.create_connection(("127.0.0.1", port), timeout=20) as raw:
        raw.sendall(b"POST /events HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n")
        assert raw.recv(100).startswith(b"HTTP/1.1 413")


def test_there_is_no_http_unless_asked(start_producer) -> None:
    server = start_producer("--count", "1")
    assert not any("http" in line for line in server.stderr)
