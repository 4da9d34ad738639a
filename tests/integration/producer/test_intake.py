"""POST /events and /logs: a posted event is in the log unchanged, can be resumed, and is in the ledger."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
from http_client import JSON, NDJSON, Http
from running import wait_until

from producer.log.ledger import POSTED, LedgerBlock, decode_ledger, line_digest
from producer.protocol import ResumeRequest


@pytest.fixture(scope="module")
def idle(start_producer_for_module):
    """A producer that makes one event, and then accepts only posted events."""
    server = start_producer_for_module("--rate", "max", "--count", "1", "--http-port", "0")
    server.http = Http(server)
    assert server.says("made all")
    return server


def read_back(server, answer) -> bytes:
    """The bytes of the log that the answer names."""
    told = answer.json
    reader = server.connect(ResumeRequest(told["log_id"], told["offset"], strict=True))
    assert reader.answer().status == "ok"
    return reader.read_exactly(told["end_offset"] - told["offset"])


@pytest.mark.parametrize("path", ["/events", "/logs"])
@pytest.mark.parametrize(
    ("body", "kind", "lines"),
    [
        (b'{"computer":"A", "n": 1}', "application/json", b'{"computer":"A", "n": 1}\n'),
        (b'{\n "computer": "A",\r\n "n": 1.0\n}\n', "application/json",
         b'{  "computer": "A",   "n": 1.0 }\n'),
        (b'[{"n":1e400},{"n":12345678901234567890123}]', "application/json",
         b'{"n":1e400}\n{"n":12345678901234567890123}\n'),
        (b'{"events": [{"n":1} , {"n":2,"n":3}]}', "application/json; charset=utf-8",
         b'{"n":1}\n{"n":2,"n":3}\n'),
        (b'{"n":1}\n\n  {"n": 2}\r\n{"n":3}', NDJSON, b'{"n":1}\n{"n": 2}\n{"n":3}\n'),
        ('{"name":"Zoë 😀"}'.encode(), NDJSON, b'{"name":"Zo\\u00eb \\ud83d\\ude00"}\n'),
    ],
)  # fmt: skip
def test_each_form_becomes_whole_lines_with_the_bytes_that_came(idle, path, body, kind, lines) -> None:
    answer = idle.http.post(body, kind, path)
    assert (answer.status, answer.kind) == (200, "application/json")
    assert answer.json["accepted"] == lines.count(b"\n")
    assert answer.json["rejected"] == []
    assert answer.json["log_id"] == idle.log_id
    assert read_back(idle, answer) == lines


def test_gzip_and_chunks_are_taken(idle) -> None:
    lines = [b'{"n":%d,"pad":"%s"}\n' % (number, b"x" * 500) for number in range(2000)]
    packed = gzip.compress(b"".join(lines[:1000])) + gzip.compress(b"".join(lines[1000:]))
    for body, headers in ((iter(lines), {}), (packed, {"Content_Encoding": "gzip"})):
        answer = idle.http.post(body, NDJSON, **headers)
        assert answer.json["accepted"] == 2000
        assert read_back(idle, answer) == b"".join(lines)


@pytest.mark.parametrize(
    ("body", "kind"), [(b'{"b":1}\r\n{"b":2}\r\n', NDJSON), (b'[{"b":1},{"b":2}]', JSON)]
)
def test_a_body_may_begin_as_windows_begins_a_file(idle, body: bytes, kind: str) -> None:
    assert idle.http.post(b"\xef\xbb\xbf" + body, kind).json["accepted"] == 2


def test_bad_events_are_named_and_the_good_ones_taken(idle) -> None:
    before = idle.http.metric('win_event_rejected_events_total{origin="http",reason="not-json"}')
    body = b'{"n":1}\nnonsense\n\n[1]\n{"n":"' + b"x" * 70_000 + b'"}\n{"n":NaN}\n{"n":2}'
    answer = idle.http.post(body, NDJSON)
    assert answer.status == 200
    assert answer.json["accepted"] == 2
    assert [(each["index"], each["reason"]) for each in answer.json["rejected"]] == [
        (1, "not-json"), (2, "not-an-object"), (3, "too-long"), (4, "not-json"),
    ]  # fmt: skip
    assert read_back(idle, answer) == b'{"n":1}\n{"n":2}\n'
    assert idle.http.metric('win_event_rejected_events_total{origin="http",reason="not-json"}') == before + 2
    array = idle.http.post(b'[{"n":1},{"n":NaN},"x",{"n":2}]')
    assert [each["index"] for each in array.json["rejected"]] == [1, 2]


@pytest.mark.parametrize("kind", ["application/json", NDJSON])
def test_all_or_nothing(idle, kind: str) -> None:
    body = b'[{"n":1},3,{"n":2}]' if kind == "application/json" else b'{"n":1}\n3\n{"n":2}'
    end = idle.http.get("/status").json["end_offset"]
    answer = idle.http.post(body, kind, "/events?atomic=true")
    assert (answer.status, answer.kind) == (422, "application/problem+json")
    assert answer.json["accepted"] == 0
    assert answer.json["rejected"] == [{"index": 1, "reason": "not-an-object"}]
    assert idle.http.get("/status").json["end_offset"] == end
    assert idle.http.post(body.replace(b"3", b"{}"), kind, "/events?atomic=true").json["accepted"] == 3


@pytest.mark.parametrize(
    ("body", "kind", "status", "words"),
    [
        (b"", "application/json", 400, "no event"),
        (b" \n", "application/json", 400, "no event"),
        (b"", NDJSON, 422, "no event"),
        (b"[]", "application/json", 422, "no event"),
        (b'[{"a":1}', "application/json", 400, "not JSON"),
        (b"[" * 100_000, "application/json", 400, "not JSON"),
        (b"nonsense", "application/json", 422, "event 0: not-json"),
        (b"7", "application/json", 422, "event 0: not-an-object"),
        (b'{"a":1}', "text/plain", 415, "application/json"),
        (b"a=1", "application/x-www-form-urlencoded", 415, "application/x-ndjson"),
    ],
)
def test_what_holds_no_event_is_refused_with_the_reason(idle, body, kind, status, words) -> None:
    answer = idle.http.post(body, kind)
    assert (answer.status, answer.kind) == (status, "application/problem+json")
    assert words in answer.json["detail"]


def test_what_was_posted_is_there_after_a_kill_and_in_the_ledger(start_producer, tmp_path: Path) -> None:
    """Odd but valid lines among them: one of these once kept the producer from starting again."""
    odd = [
        b'{"a":\r1}', b'{"computer":"A","x":"\\ud800"}', b'{"n":1e400}', b'{"n":' + b"9" * 500 + b"}",
        # No generated event has this id: recovery takes the next one of a sequence for generated.
        b'{"computer":"WS-001.corp.example","source":"Security","record_id":5000000}',
        b'{"x":' + b"[" * 900 + b"]" * 900 + b"}",
    ]  # fmt: skip
    ledger = tmp_path / "ledger.ndjson"
    options = (
        "--log-dir", str(tmp_path / "log"), "--ledger", str(ledger), "--rate", "200", "--http-port", "0",
    )  # fmt: skip
    posted: list[bytes] = []
    for _ in range(3):
        server = start_producer(*options)
        http = Http(server)
        for _ in range(3):
            answer = http.post(b"\n".join(odd), NDJSON)
            assert answer.json["accepted"] == len(odd), answer
            posted += odd
        assert http.post(b'{"n":NaN}', NDJSON).status == 422
        made = http.get("/status").json["events"] + 40  # among them some of Security of several computers
        wait_until(
            lambda http=http, made=made: http.get("/status").json["events"] > made, "it generates events"
        )
        server.kill()
    server = start_producer(*options)
    assert server.stop() == 0
    content = b"".join(path.read_bytes() for path in sorted((tmp_path / "log").glob("*.log")))
    in_ledger: dict[tuple[str, str], bytes] = {}
    with ledger.open("rb") as file:
        for block in decode_ledger(file):
            if isinstance(block, LedgerBlock):
                key = (block.computer, block.source)
                assert block.first == len(in_ledger.get(key, b"")) // 8 + 1
                in_ledger[key] = in_ledger.get(key, b"") + block.hashes
    assert in_ledger[POSTED] == b"".join(map(line_digest, posted))
    lines = content.split(b"\n")[:-1]
    assert sum(map(len, in_ledger.values())) == 8 * len(lines)
    ids = [
        json.loads(line)["record_id"] for line in lines if b'"timestamp"' in line and b'"Security"' in line
    ]
    assert len(ids) > len(set(ids)) > 0  # several computers count each for itself
