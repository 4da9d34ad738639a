"""Health, metrics, control: the HTTP side of a real producer."""

from __future__ import annotations

import re
import signal
import time

import pytest
from http_client import Http, read_to_the_end
from running import wait_until

from console.reading.http_json import RefusedError
from console.reading.producer import ProducerApi
from producer.events.line_rule import REASONS
from producer.http.problems import REFUSALS
from producer.protocol import ResumeRequest
from producer.serving.client import REASONS as ENDS


@pytest.fixture
def producer(start_producer):
    server = start_producer("--rate", "500", "--http-port", "0")
    server.http = Http(server)
    return server


@pytest.fixture(scope="module")
def shared(start_producer_for_module) -> Http:
    """For tests that change nothing."""
    return Http(start_producer_for_module("--rate", "500", "--http-port", "0"))


def test_probes_and_metrics(start_producer) -> None:
    server = start_producer("--rate", "500", "--count", "400", "--http-port", "0")
    assert server.says("made all")
    http = Http(server)
    assert http.get("/healthz")[:3] == (200, "text/plain", "ok\n")
    assert http.get("/readyz")[:3] == (200, "text/plain", "ready\n")
    reader = server.connect(ResumeRequest(None, "earliest"))
    start = reader.answer().offset
    server.connect(b"nonsense\n").read_all()
    wait_until(lambda: http.metric('win_event_disconnects_total{reason="bad request"}') == 1, "the count")
    page = http.get("/metrics").text
    events = re.findall(r'win_event_events_total{level="\w+",source="(\w+)"} (\d+)', page)
    assert sum(int(count) for _, count in events) == 400
    assert http.metric("win_event_log_end_offset") > start
    assert http.metric("win_event_rate_asked") == 500
    assert re.search(r'win_event_client_lag_events{client="127\.0\.0\.1:\d+"}', page)


def test_every_series_is_there_from_the_start(producer) -> None:
    page = producer.http.get("/metrics").text
    for name, reasons in {"disconnects": ENDS, "http_refused": REFUSALS}.items():
        for reason in reasons:
            assert f'win_event_{name}_total{{reason="{reason}"}} 0.0' in page
    for origin in ("file", "http"):
        assert f'win_event_intake_events_total{{origin="{origin}"}} 0.0' in page
        for reason in REASONS:
            assert f'win_event_rejected_events_total{{origin="{origin}",reason="{reason}"}} 0.0' in page
    assert "win_event_log_refuses 0.0" in page


def test_status_tells_all_about_log_load_and_clients(producer) -> None:
    reader = producer.connect(ResumeRequest(None, "earliest"))
    reader.answer()

    def told():
        status = producer.http.get("/status").json
        return status if len(status["clients"]) == 1 and status["events"] else None

    status = wait_until(told, "a client and an event")
    assert (status["running"], status["over"], status["rate_asked"], status["problem"]) == (
        True,
        False,
        500,
        None,
    )
    assert (status["log_id"], status["start_offset"]) == (producer.log_id, 0)
    assert status["events"] > 0 < status["end_offset"]
    assert "password-spray" in status["scenarios"]
    client = status["clients"][0]
    assert client["kind"] == "resuming"
    assert client["lag"] >= 0 <= client["lag_events"]


def test_stop_start_rate_and_scenario(producer) -> None:
    http = producer.http
    assert http.ask("POST", "/stop").json == {"running": False, "over": False, "rate_asked": 500}

    def rests() -> bool:
        before = http.get("/status").json["events"]
        time.sleep(0.5)  # at the 500 events/s of before, 250 events
        return http.get("/status").json["events"] == before

    wait_until(rests, "nothing is generated any more")
    assert http.ask("PUT", "/rate", b'{"rate": 2500}').json["rate_asked"] == 2500
    end = http.get("/status").json["end_offset"]
    assert http.ask("POST", "/scenarios/log-cleared").json == {"scenario": "log-cleared"}
    reader = producer.connect(ResumeRequest(None, end))
    assert reader.answer().status == "ok"
    assert http.ask("POST", "/start", b"{}").json["running"] is True
    content, deadline = b"", time.monotonic() + 60
    while b'"event_id":1102' not in content and time.monotonic() < deadline:
        content += reader.read_exactly(1000)
    assert b'"event_id":1102' in content
    assert http.ask("PUT", "/rate", b'{"rate": "max"}').json["rate_asked"] is None


def test_the_console_reads_and_steers_it(producer) -> None:
    api = ProducerApi(f"http://127.0.0.1:{producer.http.port}", None)
    producer.connect(ResumeRequest(None, "earliest")).answer()
    wait_until(lambda: api.status().clients == 1, "the client")
    assert (api.status().running, api.status().rate_asked, api.status().log_id) == (
        True,
        500,
        producer.log_id,
    )
    api.stop()
    assert not api.status().running
    api.set_rate(50)
    api.scenario(api.status().scenarios[0])
    api.start()
    assert (api.status().running, api.status().rate_asked) == (True, 50)
    with pytest.raises(RefusedError, match="known: brute-force"):
        api.scenario("no such")


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "words"),
    [
        ("POST", "/scenarios/nonsense", None, 404, "known: brute-force"),
        ("PUT", "/rate", b'{"rate": 0}', 422, "greater than 0"),
        ("PUT", "/rate", b'{"rate": "fast"}', 422, "body.rate: Input should be 'max', or Input should be a"),
        ("PUT", "/rate", b'{"rate": "5"}', 422, "valid number"),
        ("PUT", "/rate", b'{"rate": true}', 422, "valid number"),
        ("PUT", "/rate", b'{"rate": NaN}', 422, "rate"),
        ("PUT", "/rate", b"[" * 10_000, 400, "parsing the body"),
        ("PUT", "/rate", b'{"rate": 1, "x": 2}', 422, "x"),
        ("PUT", "/rate", b" " * 20_000, 413, "more than 16384 bytes"),
        ("GET", "/nowhere", None, 404, "see /docs"),
        ("GET", "/start", None, 405, "GET /start"),
        ("POST", "/readyz", None, 405, "POST /readyz"),
    ],
)
def test_a_mistake_is_a_problem_that_says_what_to_do(shared, method, path, body, status, words) -> None:
    answer = shared.ask(method, path, body)
    assert (answer.status, answer.kind) == (status, "application/problem+json")
    assert words in answer.json["detail"]
    assert answer.json["status"] == status


def test_when_all_is_made_nothing_can_be_started(start_producer) -> None:
    server = start_producer("--rate", "max", "--count", "10", "--http-port", "0")
    assert server.says("made all")
    http = Http(server)
    wait_until(lambda: http.get("/status").json["over"], "the end of the load")
    for method, path, body in (("POST", "/start", None), ("PUT", "/rate", b'{"rate":1}')):
        assert http.ask(method, path, body).status == 409


def test_while_clients_are_drained_it_is_not_ready_and_takes_nothing(start_producer) -> None:
    server = start_producer("--rate", "max", "--count", "40000", "--http-port", "0")
    http = Http(server)
    assert server.says("made all", 60)
    slow = server.connect(ResumeRequest(None, "earliest"))
    slow.answer()  # and reads no more: the drain takes its five seconds
    server.process.send_signal(signal.SIGTERM)
    wait_until(lambda: http.get("/readyz").status == 503, "not ready")
    answer = http.post(b'{"computer":"late"}')
    assert (answer.status, answer.headers["Retry-After"]) == (503, "2")
    assert "stopping" in answer.json["detail"]
    assert http.get("/healthz").status == 200
    assert server.wait() == 0


@pytest.mark.parametrize(("path", "taken"), [("POST /events", b'"accepted":2'), ("PUT /rate", b"stopping")])
def test_a_request_that_a_stop_interrupts_is_told_so(producer, path: str, taken: bytes) -> None:
    kind = b"application/x-ndjson" if "events" in path else b"application/json"
    with producer.http.raw() as raw:
        raw.sendall(path.encode() + b" HTTP/1.1\r\nHost: localhost\r\nContent-Type: " + kind)
        raw.sendall(b"\r\nContent-Length: 999\r\n\r\n" + b'{"a":1}\n' * 2 + b'{"a"')
        wait_until(
            lambda: "rate" in path or producer.http.get("/status").json["posted"] == 2, "the first events"
        )
        producer.process.send_signal(signal.SIGTERM)
        answer = read_to_the_end(raw)
    assert answer.startswith(b"HTTP/1.1 503"), answer
    assert b"retry-after: 2" in answer
    assert taken in answer
    assert producer.wait() == 0
    assert "Traceback" not in "\n".join(producer.stderr)


def test_the_api_has_a_page_that_loads_nothing_from_elsewhere(shared) -> None:
    page = shared.get("/docs")
    assert page.kind == "text/html"
    for address in re.findall(r'(?:src|href)="([^"]+)"', page.text):
        assert address.startswith(("/", "data:"))
        if address.startswith("/"):
            assert shared.get(address).status == 200
    assert shared.get("/openapi.json").json["info"]["title"] == "win-event-producer"


def test_there_is_no_http_unless_asked(start_producer) -> None:
    server = start_producer("--count", "1")
    assert not any("http" in line for line in server.stderr)


def test_garbage_is_answered_and_hung_up_on(shared) -> None:
    with shared.raw() as raw:
        raw.sendall(b"\x16\x03\x01\x02\x00 what is this\r\n\r\n")
        assert read_to_the_end(raw).startswith(b"HTTP/1.1 400")
